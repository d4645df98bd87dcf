#include "core/storage/journal_index.hpp"

#include <algorithm>

namespace holdfast::storage {
namespace {

using Entries = std::vector<JournalEntry>;

/// Sealed entries may still be in memory; they are no longer the journal's.
Entries::const_iterator first_unsealed(const Entries& entries, std::uint64_t sealed_row) {
  return std::partition_point(entries.begin(), entries.end(),
                              [&](const JournalEntry& entry) { return entry.row <= sealed_row; });
}

}  // namespace

std::optional<JournalSlice> JournalIndex::find(const JournalVersion& version, std::uint64_t shape,
                                               const protocol::LogOffset& after,
                                               std::size_t limit) const {
  JournalSlice slice;
  slice.entries.reserve(std::min<std::size_t>(limit, 8));
  const SpinGuard guard(lock_);
  if (version != version_) return std::nullopt;
  const auto found = shapes_.find(shape);
  if (found == shapes_.end()) return std::nullopt;
  const Entries& entries = found->second;
  const auto begin = first_unsealed(entries, version.sealed_row);
  const auto first = std::partition_point(
      begin, entries.end(), [&](const JournalEntry& entry) { return entry.last() <= after; });
  slice.reaches_back = first != begin;
  const auto left = static_cast<std::size_t>(entries.end() - first);
  slice.more = left > limit;
  slice.entries.assign(first, first + static_cast<std::ptrdiff_t>(std::min(left, limit)));
  return slice;
}

std::optional<std::vector<JournalEntry>> JournalIndex::tail(const JournalVersion& version,
                                                            std::uint64_t shape,
                                                            std::uint64_t applied) const {
  const SpinGuard guard(lock_);
  if (version != version_) return std::nullopt;
  const auto found = shapes_.find(shape);
  if (found == shapes_.end()) return std::nullopt;
  const Entries& entries = found->second;
  const auto begin = first_unsealed(entries, version.sealed_row);
  auto first = entries.end();
  while (first != begin) {
    --first;
    if (first->last_tx <= applied) break;
  }
  return Entries(first, entries.end());
}

void JournalIndex::reset() {
  const SpinGuard guard(lock_);
  version_ = {};
  shapes_.clear();
}

void JournalIndex::set_version(const JournalVersion& version) {
  const SpinGuard guard(lock_);
  version_ = version;
}

void JournalIndex::add_shape(std::uint64_t shape) {
  const SpinGuard guard(lock_);
  shapes_.try_emplace(shape);
}

void JournalIndex::drop_shape(std::uint64_t shape) {
  const SpinGuard guard(lock_);
  shapes_.erase(shape);
}

void JournalIndex::add(std::uint64_t shape, const JournalEntry& entry) {
  const SpinGuard guard(lock_);
  shapes_[shape].push_back(entry);
}

void JournalIndex::trim() {
  // One shape at a time, so that no reader waits for all of them.
  for (const std::uint64_t shape : shapes_with_entries()) {
    const SpinGuard guard(lock_);
    Entries& entries = shapes_[shape];
    entries.erase(entries.begin(), first_unsealed(entries, version_.sealed_row));
    if (entries.empty()) entries.shrink_to_fit();
  }
}

std::vector<std::uint64_t> JournalIndex::shapes_with_entries() const {
  std::vector<std::uint64_t> shapes;
  for (const auto& [shape, entries] : shapes_)
    if (!entries.empty()) shapes.push_back(shape);
  std::sort(shapes.begin(), shapes.end());  // the container's order means nothing
  return shapes;
}

std::vector<JournalEntry> JournalIndex::entries_of(std::uint64_t shape,
                                                   std::uint64_t through_row) const {
  const auto found = shapes_.find(shape);
  if (found == shapes_.end()) return {};
  Entries entries(first_unsealed(found->second, version_.sealed_row), found->second.end());
  while (!entries.empty() && entries.back().row > through_row) entries.pop_back();
  return entries;
}

}  // namespace holdfast::storage
