// take_over(): raise the epoch, cut what is above the applied LSN, read everything. Everything up
// to the commit is one transaction; what follows it (unreferenced segments) is repeated by the next
// take_over() if it does not finish. No checkpoint: the log is durable as it is, and maintain()
// bounds it.
#include <algorithm>

#include "core/base/assert.hpp"
#include "core/base/guard_list.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/maintenance_jobs.hpp"
#include "core/storage/store_directory.hpp"

namespace holdfast::storage {

void DurableStore::forget_everything() {
  taken_over_ = false;
  index_->reset();
  journal_.forget();
  shapes_.clear();
  by_identity_.clear();
  invisible_.clear();
  first_invisible_row_ = 0;
  segment_counter_ = 0;
  journal_bytes_ = 0;
  chunk_waits_ = false;
  checkpointed_frames_ = 0;
  removals_.clear();
  segment_use_.clear();
  garbage_.clear();
  seal_.reset();
  rewrite_.reset();
}

StoreResult<Boot> DurableStore::take_over() {
  if (poisoned_)
    return Failure{StoreError{
        StoreFailure::unknown_outcome,
        connection_->path() + ": an earlier commit failed; the store must be opened again"}};
  forget_everything();
  if (!connection_->run(begin_)) return Failure{failed("cannot begin the takeover")};
  auto found = state_reader_.read();
  if (!found) return Failure{roll_back(found.error())};
  if (auto ours = check_owner(*connection_, *found, options_); !ours)
    return Failure{roll_back(ours.error())};
  // Before anything is committed, checkpointed or served. What an earlier process wrote to the log
  // may be readable and yet not on the platter, when its sync failed.
  auto rewritten = rewrite_wal(disk_, options_.directory);
  if (!rewritten) return Failure{roll_back(rewritten.error())};
  return finish_take_over();
}

StoreResult<std::optional<Boot>> DurableStore::cut_unfinished() {
  using Cut = std::optional<Boot>;
  auto ready = usable();
  if (!ready) return ready.failure();
  if (invisible_.empty()) return Cut{};
  auto begun = begin();
  if (!begun) return begun.failure();
  // Rows that are cut come again under the same numbers, and what is cached of rows holds as long
  // as an epoch does: hence a new one.
  forget_everything();
  auto boot = finish_take_over();
  if (!boot) {
    poisoned_ = true;  // nothing in memory says any more what the database holds
    return Failure{StoreError{StoreFailure::unknown_outcome, boot.error().message}};
  }
  return Cut{std::move(*boot)};
}

StoreResult<Boot> DurableStore::finish_take_over() {
  auto boot = take_over_in_transaction();
  if (!boot) return Failure{roll_back(boot.error())};
  auto done = finish();
  if (!done) return done.failure();
  index_->set_version({state_.epoch, state_.sealed_row});
  auto swept = remove_unreferenced_segments();
  if (!swept) return swept.failure();
  taken_over_ = true;
  return boot;
}

StoreResult<Boot> DurableStore::take_over_in_transaction() {
  auto state = state_reader_.read();
  if (!state) return state.failure();
  state_ = std::move(*state);
  ++state_.epoch;
  journal_.use_epoch(state_.epoch);
  state_.owner = options_.owner;
  if (!connection_->run(set_epoch_, state_.epoch, Text{state_.owner}))
    return Failure{failed("raising the epoch")};
  Boot boot;
  auto step = load_shapes(boot);
  if (step) step = recover_journal();
  if (step) step = load_removals();
  if (!step) return step.failure();
  auto unfinished = catalogue_.unfinished_removals();
  if (!unfinished) return unfinished.failure();
  boot.unfinished_removals = std::move(*unfinished);
  boot.epoch = state_.epoch;
  boot.applied = {state_.applied};
  boot.confirmable = {state_.confirmable};
  boot.system_identity = state_.system_identity;
  fill_boot_heads(boot);
  return boot;
}

StoreResult<void> DurableStore::load_shapes(Boot& boot) {
  auto all = catalogue_.all();
  if (!all) return all.failure();
  boot.shapes.reserve(all->size());
  for (CatalogueShape& found : *all) {
    ShapeRecord& record = found.record;
    const auto counter = handle_counter(record.handle.text);
    if (!counter || *counter != state_.handle_base + found.id)
      return Failure{connection_->corrupt("table shape, row " + std::to_string(found.id) +
                                          ": the handle is not the row's")};
    LiveShape shape{.id = found.id,
                    .handle = record.handle.text,
                    .identity = record.identity,
                    .complete = record.snapshot_complete,
                    .chunks = record.snapshot_chunks,
                    .role = record.role,
                    .inners = std::move(found.inners),
                    .end = record.head,
                    .visible = record.head};
    auto sealed = catalogue_.sealed_end(found.id);
    if (!sealed) return sealed.failure();
    if (*sealed) {
      shape.end = shape.visible = (*sealed)->last;
      shape.open_bytes = (*sealed)->open_bytes;
    }
    add_live(std::move(shape));
    boot.shapes.push_back(std::move(record));
  }
  return {};
}

void DurableStore::fill_boot_heads(Boot& boot) const {
  for (ShapeRecord& record : boot.shapes)
    record.head = shapes_.at(*handle_counter(record.handle.text) - state_.handle_base).visible;
}

void DurableStore::note_section(LiveShape& shape, const SectionHeader& header,
                                const JournalEntry& entry) {
  shape.end = shape.visible = header.last;
  shape.open_bytes = header.open_bytes;
  shape.journal_bytes += header.item_bytes;
  if (shape.journal_bytes >= options_.chunk_bytes) chunk_waits_ = true;
  index_->add(shape.id, entry);
}

StoreResult<void> DurableStore::recover_journal() {
  struct Change {
    std::uint64_t row;
    std::string references;
    bool keep;
  };
  std::vector<Change> changes;
  std::uint64_t last_row = state_.sealed_row;
  std::uint64_t last_item = state_.sealed_item;
  auto scanned =
      journal_.scan(state_.sealed_row,
                    [&](std::uint64_t row, const ReferenceRow& references) -> StoreResult<void> {
                      Change change{row, {}, true};
                      auto changed = recover_row(row, references, change.references, change.keep);
                      if (!changed) return changed.failure();
                      if (change.keep) {
                        const ItemRows& items = references.items();
                        last_row = row;
                        last_item = std::max(last_item, items.first_row + items.counts.size() - 1);
                      }
                      if (*changed) changes.push_back(std::move(change));
                      return {};
                    });
  if (!scanned) return scanned;
  for (const Change& change : changes) {
    const bool ok = change.keep
                        ? connection_->run(update_journal_, change.row, Blob{change.references})
                        : connection_->run(delete_journal_row_, change.row);
    if (!ok) return Failure{failed("cutting the journal")};
  }
  if (!connection_->run(delete_items_above_, last_item)) return Failure{failed("cutting items")};
  journal_.forget();
  next_row_ = last_row + 1;
  next_item_ = last_item + 1;
  return measure_journal();
}

StoreResult<void> DurableStore::measure_journal() {
  bool ok = true;
  journal_bytes_ = connection_->scalar(
      "SELECT (SELECT coalesce(sum(length(refs)),0) FROM journal WHERE id>(SELECT sealed_row FROM "
      "state)) + (SELECT coalesce(sum(length(bytes)),0) FROM item WHERE id>(SELECT sealed_item "
      "FROM state))",
      ok);
  // Rows at or below the sealed ones may be left over from an unfinished drop.
  if (ok)
    dropped_row_ = connection_->scalar(
        "SELECT coalesce(min(id)-1,(SELECT sealed_row FROM state)) FROM journal", ok);
  if (ok)
    dropped_item_ = connection_->scalar(
        "SELECT coalesce(min(id)-1,(SELECT sealed_item FROM state)) FROM item", ok);
  if (!ok) return Failure{failed("measuring the journal")};
  return {};
}

StoreResult<bool> DurableStore::recover_row(std::uint64_t row, const ReferenceRow& references,
                                            std::string& rewritten, bool& keep) {
  auto sections = references.sections();
  if (!sections)
    return Failure{
        connection_->corrupt("table journal, row " + std::to_string(row) + ": malformed section")};
  const auto live = [&](const Section& section) { return shapes_.contains(section.header.shape); };
  const auto is_whole = [&](const Section& section) {
    return !live(section) || is_visible(section.header.last.tx, state_.applied);
  };
  const bool whole = !options_.guards.on(Guard::recovery_cuts_unfinished_transactions) ||
                     std::all_of(sections->begin(), sections->end(), is_whole);
  if (whole) {
    for (const Section& section : *sections)
      if (live(section))
        note_section(
            shapes_.at(section.header.shape), section.header,
            {section.header.last.tx, section.header.last.op, row, section.position, section.bytes});
    return false;
  }
  ReferenceRowWriter writer(references.items());
  for (const Section& section : *sections) {
    if (!live(section)) continue;
    auto cut = cut_section(references, section, shapes_.at(section.header.shape), writer, row);
    if (!cut) return cut.failure();
  }
  keep = !writer.empty();
  rewritten = writer.finish();
  return true;
}

StoreResult<void> DurableStore::cut_section(const ReferenceRow& references, const Section& section,
                                            LiveShape& shape, ReferenceRowWriter& writer,
                                            std::uint64_t row) {
  RecordEncoder records;
  SectionHeader header;
  header.shape = shape.id;
  header.open_bytes = shape.open_bytes;
  RecordDecoder packed(section);
  PackedRecord record;
  auto visited = journal_.visit(references.items(), section, [&](const JournalRecord& found) {
    if (!is_visible(found.offset.tx, state_.applied)) return Visit::stop;
    const bool decoded = packed.next(record);
    ASSERT(decoded, "a section decodes the same way twice");
    records.add(record);
    if (header.count++ == 0) header.first = found.offset;
    header.last = found.offset;
    const std::uint64_t bytes = chunk_rule_bytes(found.json.size(), found.last);
    header.item_bytes += bytes;
    header.open_bytes = found.closes_chunk ? 0 : header.open_bytes + bytes;
    return Visit::more;
  });
  if (!visited || header.count == 0) return visited;
  const auto [position, bytes] = writer.add(header, records.bytes());
  note_section(shape, header, {header.last.tx, header.last.op, row, position, bytes});
  return {};
}

StoreResult<void> DurableStore::load_removals() {
  Query rows = connection_->query(select_removals_);
  while (rows.next())
    removals_[rows.number(0)] = rows.number(1) == 0 ? RemovalState::open : RemovalState::finished;
  if (rows.failed()) return Failure{failed("reading removals")};
  Query segments = connection_->query(select_segments_);
  while (segments.next())
    segment_use_[SegmentId{segments.number(0)}] = {static_cast<SegmentKind>(segments.number(1)),
                                                   segments.number(2), segments.number(3)};
  if (segments.failed()) return Failure{failed("reading segments")};
  return {};
}

StoreResult<void> DurableStore::remove_unreferenced_segments() {
  const std::string directory = segment_directory(options_.directory);
  auto names = disk_.list(directory);
  if (!names) return Failure{from_disk(names.error())};
  bool removed = false;
  for (const std::string& name : *names) {
    const auto id = SegmentId::parse(name);
    // No older epoch can refer to a file any more: its next commit is refused.
    if (id && segment_use_.contains(*id)) continue;
    auto gone = disk_.remove(directory + "/" + name);
    if (!gone && gone.error().kind != env::DiskFailure::not_found)
      return Failure{from_disk(gone.error())};
    removed = true;
  }
  if (!removed) return {};
  auto synced = disk_.sync_directory(directory);
  if (!synced) return Failure{from_disk(synced.error())};
  return {};
}

}  // namespace holdfast::storage
