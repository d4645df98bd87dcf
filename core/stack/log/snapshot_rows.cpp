#include "core/stack/log/snapshot_rows.hpp"

#include "core/base/mark_list.hpp"
#include "core/shape/log_item.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

/// How often as large as a snapshot that is stored in line.
constexpr std::size_t k_spill_factor = 4;

}  // namespace

std::size_t spill_bytes(const StackOptions& options) {
  return k_spill_factor * options.store.inline_snapshot_bytes;
}

std::string& SnapshotRows::begin_row() {
  if (spilled_bytes_ + content_.bytes.size() > chunk_start_) content_.bytes.push_back(',');
  return content_.bytes;
}

void SnapshotRows::end_row() {
  const std::uint64_t end = spilled_bytes_ + content_.bytes.size();
  // An item counts with its separator: one more byte for each, the first included.
  if (end + 1 - chunk_start_ < context_->options.store.chunk_bytes) return;
  chunk_start_ = end;
  content_.chunk_ends.push_back(end);
}

void SnapshotRows::spill_if_large(runtime::Process& process) {
  if (content_.bytes.size() >= spill_bytes(context_->options)) spill(process);
}

storage::SnapshotCompletion SnapshotRows::finish(runtime::Process& process,
                                                 const postgres::Snapshot& snapshot) {
  // The snapshot-end line is alone in a new chunk if the last row had closed one (§13.2).
  shape::append_snapshot_end(begin_row(), snapshot);
  content_.chunk_ends.push_back(spilled_bytes_ + content_.bytes.size());
  if (spilled_bytes_ > 0 || content_.bytes.size() > context_->options.store.inline_snapshot_bytes) {
    spill(process);
    auto segment = process.call<&StoreProcess::finish_spill>(names::store, process.self());
    if (!segment.ok())
      process.exit(runtime::ExitReason::crash("snapshot: " + segment.error().message));
    content_.segment = std::move(*segment);
    context_->reached(Mark::snapshot_spilled_to_segment);
  }
  return {handle_, snapshot, std::move(content_)};
}

void SnapshotRows::spill(runtime::Process& process) {
  const std::size_t size = content_.bytes.size();
  auto spilled = process.call<&StoreProcess::spill>(names::store, process.self(), handle_,
                                                    spilled_bytes_, std::move(content_.bytes));
  if (!spilled.ok())
    process.exit(runtime::ExitReason::crash("snapshot: " + spilled.error().message));
  spilled_bytes_ += size;
  content_.bytes.clear();
}

}  // namespace holdfast::stack
