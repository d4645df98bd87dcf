// A group on its way into the database: what was found and encoded before its transaction begins,
// and what is applied to the store's memory after it. Used by DurableStore::commit() alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/storage/durable_store.hpp"
#include "core/storage/journal_format.hpp"

namespace holdfast::storage {

struct StagedAppend {
  LiveShape* shape = nullptr;
  const ShapeAppend* append = nullptr;
  std::uint64_t open_bytes = 0;
  std::uint64_t item_bytes = 0;
  JournalEntry entry;  ///< row 0: none yet
  std::vector<JournalEntry> more;

  /// The records between the spilled ones of these numbers, or what is before and after them.
  std::span<const RecordRef> records_before_spilled(std::size_t number) const {
    const auto begin = number == 0 ? 0 : append->spilled[number - 1].before;
    const auto end =
        number < append->spilled.size() ? append->spilled[number].before : append->records.size();
    return std::span(append->records).subspan(begin, end - begin);
  }
  void add(const JournalEntry& made) {
    if (entry.row == 0)
      entry = made;
    else
      more.push_back(made);
  }
  const JournalEntry& last_entry() const { return more.empty() ? entry : more.back(); }
};

/// Records of one shape that are encoded together; not empty.
struct StagedPart {
  StagedAppend* append = nullptr;
  std::span<const RecordRef> records;
};

struct StagedGroup {
  std::uint64_t applied = 0;
  std::uint64_t confirmable = 0;
  std::vector<std::pair<LiveShape*, const SnapshotCompletion*>> completions;
  std::vector<StagedAppend> appends;
  std::vector<SegmentId> unused_segments;  ///< their shapes are gone, or their items copied
  std::vector<LiveShape*> changed;
  std::vector<std::pair<SegmentId, SegmentUse>> snapshot_segments;

  // What is encoded and not written yet.
  std::vector<protocol::LogOffset> item_offsets;
  ItemRows items;
  std::vector<std::string> item_rows;
  std::vector<std::string> reference_rows;
  // How much was written of this group before.
  std::uint64_t items_before = 0;
  std::uint64_t references_before = 0;
  std::uint64_t journal_bytes = 0;
};

SegmentId spilled_segment(const SpilledRecords& records);
/// Nothing refers to the segments of its spilled records any more.
void leave_segments(const ShapeAppend& append, StagedGroup& staged);
/// From `end` on, through records and spilled records (I-1).
void assert_offsets_increase(protocol::LogOffset end, const ShapeAppend& append);

}  // namespace holdfast::storage
