#include "sim/postgres/stream/wal.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

constexpr std::uint64_t k_page_bytes = 8192;
constexpr std::uint64_t k_segment_bytes = 16ULL << 20U;
constexpr std::uint64_t k_page_header_bytes = 24;
constexpr std::uint64_t k_segment_header_bytes = 40;
constexpr std::uint64_t k_record_header_bytes = 24;
constexpr std::size_t k_commit_payload_bytes = 16;
constexpr std::size_t k_catalog_change_payload_bytes = 420;

/// `position` itself, or the first byte after the header if it begins a page.
std::uint64_t skip_header(std::uint64_t position) {
  if (position % k_segment_bytes == 0) return position + k_segment_header_bytes;
  if (position % k_page_bytes == 0) return position + k_page_header_bytes;
  return position;
}

}  // namespace

Wal::Wal(Lsn start) : end_{(start.value + 7) / 8 * 8}, flushed_(end_) {}

WalSpan Wal::append(std::size_t payload_bytes) {
  const std::uint64_t start = skip_header(end_.value);
  std::uint64_t at = start;
  std::uint64_t left = (k_record_header_bytes + payload_bytes + 7) / 8 * 8;
  while (left > 0) {
    at = skip_header(at);
    const std::uint64_t room = k_page_bytes - at % k_page_bytes;
    const std::uint64_t taken = left < room ? left : room;
    at += taken;
    left -= taken;
  }
  ASSERT(at > end_.value, "WAL positions grow");
  end_ = {at};
  return {{start}, end_};
}

void Wal::append_commit(Transaction& transaction) {
  const WalSpan span = append(k_commit_payload_bytes);
  transaction.commit_lsn = span.start;
  transaction.end_lsn = span.end;
  records_.push_back({span, &transaction, {}});
  // TRUNCATE gives a table new storage, and others learn of that as of any catalogue change.
  for (const LoggedChange& change : transaction.changes)
    for (const TableVersionRef& table : change.truncated)
      catalog_changes_.push_back({span, nullptr, table->oid});
}

void Wal::append_catalog_change(Oid table) {
  const WalSpan span = append(k_catalog_change_payload_bytes);
  records_.push_back({span, nullptr, table});
  catalog_changes_.push_back(records_.back());
}

void Wal::note_publication_dropped(const std::string& publication) {
  publication_gaps_.push_back({publication, end_, Lsn{UINT64_MAX}});
}

void Wal::note_publication_made(const std::string& publication) {
  for (Gap& gap : publication_gaps_)
    if (gap.publication == publication) gap.to = std::min(gap.to, end_);
}

bool Wal::has_publication(const std::string& publication, Lsn at) const {
  return std::none_of(publication_gaps_.begin(), publication_gaps_.end(), [&](const Gap& gap) {
    return gap.publication == publication && gap.from <= at && at < gap.to;
  });
}

void Wal::crash() {
  while (!records_.empty() && records_.back().span.end > flushed_) records_.pop_back();
  while (!catalog_changes_.empty() && catalog_changes_.back().span.end > flushed_)
    catalog_changes_.pop_back();
  end_ = flushed_;
}

std::span<const DecodedRecord> Wal::catalog_changes(Lsn after, Lsn before) const {
  const auto starts_before = [](const DecodedRecord& change, Lsn position) {
    return change.span.start < position;
  };
  const auto begin =
      std::lower_bound(catalog_changes_.begin(), catalog_changes_.end(), after, starts_before);
  const auto end = std::lower_bound(begin, catalog_changes_.end(), before, starts_before);
  return {begin, end};
}

Lsn Wal::insert_position() const {
  return {skip_header(end_.value)};
}

}  // namespace holdfast::sim::postgres
