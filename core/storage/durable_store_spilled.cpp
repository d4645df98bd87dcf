// Spilled records of a commit: read back from their segment and written to the journal in pieces,
// so that a commit of any number of them needs the memory of one piece. All in the one transaction.
#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/packing.hpp"
#include "core/storage/staged_group.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_piece_bytes = 1 << 20;

}  // namespace

SegmentId spilled_segment(const SpilledRecords& records) {
  const auto id = SegmentId::parse(records.items->segment);
  ASSERT(id, "the segment of spilled items has a name of ours");
  return *id;
}

void leave_segments(const ShapeAppend& append, StagedGroup& staged) {
  for (std::size_t i = 0; i < append.spilled.size(); ++i)
    if (i == 0 || append.spilled[i].items->segment != append.spilled[i - 1].items->segment)
      staged.unused_segments.push_back(spilled_segment(append.spilled[i]));
}

void assert_offsets_increase(protocol::LogOffset end, const ShapeAppend& append) {
  auto spilled = append.spilled.begin();
  for (std::size_t i = 0; i <= append.records.size(); ++i) {
    for (; spilled != append.spilled.end() && spilled->before == i; ++spilled) {
      ASSERT(!spilled->items->sizes.empty(), "what is spilled is not nothing");
      ASSERT(spilled->places.empty() || spilled->places.size() == spilled->items->sizes.size(),
             "each spilled item has its place");
      for (std::size_t n = 0; n < std::max<std::size_t>(spilled->places.size(), 1); ++n) {
        ASSERT(end < spilled->place(n).offset, "offsets of one log strictly increase (I-1)");
        end = spilled->place(n).offset;
      }
      end = spilled->last();
    }
    if (i == append.records.size()) break;
    ASSERT(end < append.records[i].offset, "offsets of one log strictly increase (I-1)");
    end = append.records[i].offset;
  }
  ASSERT(spilled == append.spilled.end(), "spilled records have their places in order");
}

StoreResult<void> DurableStore::write_spilled(const Group& group, StagedGroup& staged) {
  for (StagedAppend& append : staged.appends) {
    const std::vector<SpilledRecords>& all = append.append->spilled;
    for (std::size_t number = 0; number < all.size(); ++number) {
      auto written = write_pieces(all[number], append, staged);
      if (written) written = write_between(group, append, number + 1, staged);
      if (!written) return written;
    }
    leave_segments(*append.append, staged);
  }
  return {};
}

StoreResult<void> DurableStore::write_pieces(const SpilledRecords& spilled, StagedAppend& append,
                                             StagedGroup& staged) {
  const SegmentId segment = spilled_segment(spilled);
  const std::vector<std::uint32_t>& sizes = spilled.items->sizes;
  std::uint64_t begin = spilled.items->begin;
  for (std::size_t next = 0; next < sizes.size();) {
    const std::size_t first = next;
    std::uint64_t end = begin;
    while (next < sizes.size() && (next == first || end - begin < k_piece_bytes))
      end += sizes[next++];
    auto bytes = segments_.read_snapshot(segment, begin, end);
    if (!bytes) return bytes.failure();
    std::vector<std::string_view> items;
    std::vector<RecordRef> records;
    std::string_view rest = *bytes;
    for (std::size_t i = first; i < next; ++i) {
      const SpilledRecords::Place place = spilled.place(i);
      records.push_back({place.offset, static_cast<std::uint32_t>(items.size()), place.last});
      items.push_back(rest.substr(0, sizes[i]));
      rest.remove_prefix(sizes[i]);
    }
    encode(items, {{&append, records}}, staged);
    if (auto written = write_rows(staged); !written) return written;
    begin = end;
  }
  return {};
}

StoreResult<void> DurableStore::write_between(const Group& group, StagedAppend& append,
                                              std::size_t number, StagedGroup& staged) {
  const auto held = append.records_before_spilled(number);
  if (held.empty()) return {};
  std::vector<std::string_view> items;
  std::vector<RecordRef> records;
  for (const RecordRef& record : held) {
    records.push_back({record.offset, static_cast<std::uint32_t>(items.size()), record.last});
    items.push_back(*group.items[record.item]);
  }
  encode(items, {{&append, records}}, staged);
  return write_rows(staged);
}

}  // namespace holdfast::storage
