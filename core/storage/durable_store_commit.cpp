// commit(): stage everything in memory, write one transaction, then apply what was staged. A
// failure before COMMIT leaves no trace; after it nothing can fail.
//
// Cost: O(records) to encode, one row per 16 KiB of items and per 3 KiB of references, one update
// of the state; nothing per shape beyond its section.
#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/maintenance_jobs.hpp"
#include "core/storage/packing.hpp"
#include "core/storage/staged_group.hpp"

namespace holdfast::storage {

StoreResult<CommitResult> DurableStore::commit(const Group& group) {
  auto ready = usable();
  if (!ready) return ready.failure();
  ASSERT(group.applied.value == 0 || group.applied.value >= state_.applied,
         "the applied LSN never goes back");
  ++group_number_;
  StagedGroup staged;
  staged.applied = std::max(state_.applied, group.applied.value);
  staged.confirmable = std::max(state_.confirmable, group.confirmable.value);
  stage_completions(group, staged);
  stage_appends(group, staged);
  encode_held(group, staged);
  auto begun = begin();
  if (!begun) return begun.failure();
  auto written = write_group(staged);
  if (written) written = write_spilled(group, staged);
  if (written) written = write_state(group.state);
  if (!written) return Failure{roll_back(written.error())};
  auto done = finish();
  if (!done) return done.failure();
  return apply_group(staged);
}

void DurableStore::stage_completions(const Group& group, StagedGroup& staged) {
  for (const SnapshotCompletion& completion : group.completions) {
    LiveShape* shape = find_live(completion.handle);
    if (shape == nullptr) {
      if (const auto id = SegmentId::parse(completion.content.segment))
        staged.unused_segments.push_back(*id);
      continue;
    }
    ASSERT(!shape->complete, "a snapshot is written once per incarnation (I-12)");
    ASSERT(!completion.content.chunk_ends.empty(), "a snapshot has at least one chunk");
    ASSERT(completion.content.chunk_ends.size() < (1ULL << k_part_bits),
           "a snapshot has fewer than 2^24 chunks");
    staged.completions.emplace_back(shape, &completion);
  }
}

void DurableStore::stage_appends(const Group& group, StagedGroup& staged) {
  staged.appends.reserve(group.appends.size());
  for (const ShapeAppend& append : group.appends) {
    LiveShape* shape = find_live(append.handle);
    if (shape == nullptr) {
      leave_segments(append, staged);
      continue;
    }
    if (append.records.empty() && append.spilled.empty()) continue;
    ASSERT(shape->group != group_number_, "a group appends to a shape at most once");
    shape->group = group_number_;
    const bool completes =
        !shape->complete &&
        std::any_of(staged.completions.begin(), staged.completions.end(),
                    [&](const auto& completion) { return completion.first == shape; });
    ASSERT(shape->complete || completes, "records follow a complete snapshot");
    assert_offsets_increase(shape->complete ? shape->end : protocol::LogOffset::snapshot_end(),
                            append);
    staged.appends.push_back({.shape = shape,
                              .append = &append,
                              .open_bytes = shape->open_bytes,
                              .item_bytes = 0,
                              .entry = {},
                              .more = {}});
  }
}

void DurableStore::encode_held(const Group& group, StagedGroup& staged) {
  if (staged.appends.empty()) return;
  std::vector<StagedPart> parts;
  parts.reserve(staged.appends.size());
  for (StagedAppend& append : staged.appends)
    if (const auto records = append.records_before_spilled(0); !records.empty())
      parts.push_back({&append, records});
  std::vector<std::string_view> items;
  items.reserve(group.items.size());
  for (const auto& item : group.items)
    items.push_back(item == nullptr ? std::string_view() : std::string_view(*item));
  encode(items, parts, staged);
}

void DurableStore::encode(const std::vector<std::string_view>& items,
                          const std::vector<StagedPart>& parts, StagedGroup& staged) {
  encode_items(items, parts, staged);
  encode_references(items, parts, staged);
}

void DurableStore::encode_items(const std::vector<std::string_view>& items,
                                const std::vector<StagedPart>& parts, StagedGroup& staged) {
  // An item's offset is that of the first record that refers to it; nearly all others share it.
  staged.item_offsets.assign(items.size(), {});
  for (const StagedPart& part : parts) {
    for (const RecordRef& record : part.records) {
      ASSERT(record.item < items.size(), "a record refers to an item of its group");
      if (!staged.item_offsets[record.item].started)
        staged.item_offsets[record.item] = record.offset;
    }
  }
  ItemBlockWriter writer;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool used = staged.item_offsets[i].started;
    ASSERT(!used || items[i].data() != nullptr, "an item that is referred to has text");
    writer.add(used ? items[i] : std::string_view{}, staged.item_offsets[i]);
  }
  staged.item_rows = writer.finish();
  staged.items = {next_item_ + staged.items_before, writer.counts()};
}

void DurableStore::encode_references(const std::vector<std::string_view>& items,
                                     const std::vector<StagedPart>& parts, StagedGroup& staged) {
  RecordEncoder records;
  ReferenceRowWriter row(staged.items);
  for (const StagedPart& part : parts) {
    StagedAppend& append = *part.append;
    records.clear();
    std::uint64_t item_bytes = 0;
    for (const RecordRef& record : part.records) {
      const std::string_view json = items[record.item];
      ASSERT(!record.last || json.ends_with("}}"), "a record with the last header ends with }}");
      const std::uint64_t bytes = chunk_rule_bytes(json.size(), record.last);
      item_bytes += bytes;
      append.open_bytes += bytes;
      PackedRecord packed{.item = record.item,
                          .offset = {},
                          .last = record.last,
                          .closes_chunk = append.open_bytes >= options_.chunk_bytes};
      if (staged.item_offsets[record.item] != record.offset) packed.offset = record.offset;
      if (packed.closes_chunk) append.open_bytes = 0;
      records.add(packed);
    }
    append.item_bytes += item_bytes;
    const protocol::LogOffset first = part.records.front().offset;
    const protocol::LogOffset last = part.records.back().offset;
    const auto [position, bytes] = row.add({.shape = append.shape->id,
                                            .first = first,
                                            .last = last,
                                            .open_bytes = append.open_bytes,
                                            .item_bytes = item_bytes,
                                            .count = part.records.size()},
                                           records.bytes());
    const std::uint64_t number =
        next_row_ + staged.references_before + staged.reference_rows.size();
    append.add({last.tx, last.op, number, position, bytes});
    if (row.full()) {
      staged.reference_rows.push_back(row.finish());
      row = ReferenceRowWriter(staged.items);
    }
  }
  if (!row.empty()) staged.reference_rows.push_back(row.finish());
}

StoreResult<void> DurableStore::write_group(StagedGroup& staged) {
  if ((staged.applied != state_.applied || staged.confirmable != state_.confirmable) &&
      !connection_->run(set_applied_, staged.applied, staged.confirmable))
    return Failure{failed("moving the applied LSN")};
  for (const auto& [shape, completion] : staged.completions) {
    auto written = write_completion(*completion, shape->id);
    if (!written) return written;
    if (!completion->content.segment.empty()) {
      const auto id = SegmentId::parse(completion->content.segment);
      const auto& ends = completion->content.chunk_ends;
      const SegmentUse use{SegmentKind::snapshot, snapshot_file_size(ends.back()),
                           ends.back() + ends.size()};
      if (!connection_->run(insert_segment_, id->value, static_cast<std::uint64_t>(use.kind),
                            use.size, use.live))
        return Failure{failed("storing a snapshot's segment")};
      staged.snapshot_segments.emplace_back(*id, use);
    }
  }
  return write_rows(staged);
}

StoreResult<void> DurableStore::write_rows(StagedGroup& staged) {
  for (const std::string& row : staged.item_rows) {
    if (!connection_->run(insert_item_, next_item_ + staged.items_before, Blob{row}))
      return Failure{failed("writing items")};
    staged.items_before++;
    staged.journal_bytes += row.size();
  }
  for (const std::string& row : staged.reference_rows) {
    if (!connection_->run(insert_journal_, next_row_ + staged.references_before, Blob{row}))
      return Failure{failed("writing the journal")};
    staged.references_before++;
    staged.journal_bytes += row.size();
  }
  staged.item_rows.clear();
  staged.reference_rows.clear();
  return {};
}

StoreResult<void> DurableStore::write_state(const std::vector<StateChange>& changes) {
  for (const StateChange& change : changes) {
    const LiveShape* shape = find_live(change.handle);
    if (shape == nullptr) continue;
    ASSERT(change.key || !change.value, "a value has a key");
    const std::uint64_t space = change.space;
    const bool ok =
        !change.key ? connection_->run(clear_state_, shape->id, space)
        : change.value
            ? connection_->run(put_state_, shape->id, space, Blob{*change.key}, Blob{*change.value})
            : connection_->run(delete_state_, shape->id, space, Blob{*change.key});
    if (!ok) return Failure{failed("writing state")};
  }
  return {};
}

StoreResult<void> DurableStore::write_completion(const SnapshotCompletion& completion,
                                                 std::uint64_t shape) {
  const SnapshotContent& content = completion.content;
  const auto chunks = static_cast<std::uint64_t>(content.chunk_ends.size());
  const std::string snapshot = pack_snapshot(completion.snapshot);
  if (!connection_->run(complete_shape_, shape, chunks, Blob{snapshot}))
    return Failure{failed("completing a snapshot")};
  const auto segment = SegmentId::parse(content.segment);
  ASSERT(content.segment.empty() || segment, "a snapshot's segment has a name of ours");
  std::uint64_t begin = 0;
  for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
    const std::uint64_t end = content.chunk_ends[static_cast<std::size_t>(chunk)];
    ASSERT(end >= begin, "chunk ends increase");
    bool ok = false;
    if (segment) {
      ok = connection_->run(insert_part_, part_id(shape, chunk), segment->value, begin, end - begin,
                            std::uint64_t{0}, Null{});
    } else {
      ASSERT(end <= content.bytes.size(), "a chunk ends within the snapshot");
      const std::string_view bytes =
          std::string_view(content.bytes)
              .substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      ok = connection_->run(insert_part_, part_id(shape, chunk), Null{}, begin, end - begin,
                            std::uint64_t{checksum(bytes)}, Blob{bytes});
    }
    if (!ok) return Failure{failed("writing a snapshot")};
    begin = end;
  }
  return {};
}

CommitResult DurableStore::apply_group(StagedGroup& staged) {
  for (const auto& [shape, completion] : staged.completions) {
    shape->complete = true;
    shape->chunks = static_cast<std::uint32_t>(completion->content.chunk_ends.size());
    shape->end = shape->visible = protocol::LogOffset::snapshot_end();
    staged.changed.push_back(shape);
  }
  for (const auto& [id, use] : staged.snapshot_segments) segment_use_[id] = use;
  for (const SegmentId id : staged.unused_segments) garbage_.push_back(id);
  journal_bytes_ += staged.journal_bytes;
  for (const StagedAppend& append : staged.appends) {
    LiveShape& shape = *append.shape;
    shape.end = append.last_entry().last();
    shape.open_bytes = append.open_bytes;
    shape.journal_bytes += append.item_bytes;
    if (shape.journal_bytes >= options_.chunk_bytes) chunk_waits_ = true;
    index_->add(shape.id, append.entry);
    for (const JournalEntry& entry : append.more) index_->add(shape.id, entry);
    staged.changed.push_back(&shape);
  }
  state_.applied = staged.applied;
  state_.confirmable = staged.confirmable;
  raise_visible(staged);
  next_row_ += staged.references_before;
  next_item_ += staged.items_before;
  std::sort(staged.changed.begin(), staged.changed.end(),
            [](const LiveShape* a, const LiveShape* b) { return a->id < b->id; });
  staged.changed.erase(std::unique(staged.changed.begin(), staged.changed.end()),
                       staged.changed.end());
  CommitResult result;
  result.heads.reserve(staged.changed.size());
  for (const LiveShape* shape : staged.changed)
    result.heads.push_back({{shape->handle}, shape->visible, shape->chunks});
  return result;
}

void DurableStore::raise_visible(StagedGroup& staged) {
  // Records that were waiting for the applied LSN.
  for (auto it = invisible_.begin(); it != invisible_.end();) {
    auto& waiting = it->second;
    const auto left = std::find_if(waiting.begin(), waiting.end(), [&](const auto& offset) {
      return !is_visible(offset.tx, state_.applied);
    });
    if (left != waiting.begin()) {
      LiveShape& shape = shapes_.at(it->first);
      shape.visible = *(left - 1);
      staged.changed.push_back(&shape);
      waiting.erase(waiting.begin(), left);
    }
    it = waiting.empty() ? invisible_.erase(it) : std::next(it);
  }
  if (invisible_.empty()) first_invisible_row_ = 0;
  for (const StagedAppend& append : staged.appends) {
    LiveShape& shape = *append.shape;
    if (is_visible(shape.end.tx, state_.applied)) {
      shape.visible = shape.end;
      continue;
    }
    for (const SpilledRecords& spilled : append.append->spilled)
      ASSERT(is_visible(spilled.last().tx, state_.applied),
             "what is spilled is of no transaction that goes on");
    for (const RecordRef& record : append.append->records) {
      if (is_visible(record.offset.tx, state_.applied)) {
        shape.visible = record.offset;
        continue;
      }
      auto& waiting = invisible_[shape.id];
      if (!waiting.empty() && waiting.back().tx == record.offset.tx)
        waiting.back() = record.offset;
      else
        waiting.push_back(record.offset);
    }
    if (first_invisible_row_ == 0) {
      first_invisible_row_ = next_row_;
      first_invisible_item_ = next_item_;
    }
  }
}

}  // namespace holdfast::storage
