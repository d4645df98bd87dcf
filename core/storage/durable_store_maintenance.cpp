// maintain(): one bounded slice of work that commits do not wait for. First what bounds the journal
// (sealing), then what bounds the WAL (checkpoints), then what frees space. Sealing and rewriting
// are in durable_store_sealing.cpp.
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "core/storage/durable_store.hpp"
#include "core/storage/maintenance_jobs.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_wal_frame_bytes = 4096 + 24;
constexpr int k_busy_while_checkpointing_ms = 50;
constexpr std::uint64_t k_rows_a_slice = 512;
/// Reasons of collected removals are kept for the newest ones; an unknown handle gets a 409 too.
constexpr std::uint64_t k_reasons_kept = 100'000;
constexpr std::uint64_t k_collections_between_forgetting = 1024;

}  // namespace

StoreResult<MaintenanceResult> DurableStore::maintain() {
  auto ready = usable();
  if (!ready) return ready.failure();
  remove_garbage();
  using Work = StoreResult<bool> (DurableStore::*)();
  for (const Work slice :
       {&DurableStore::seal_slice, &DurableStore::checkpoint, &DurableStore::drop_slice,
        &DurableStore::collect_slice, &DurableStore::rewrite_slice}) {
    auto worked = (this->*slice)();
    if (!worked) return worked.failure();
    if (*worked) return std::exchange(maintained_, {.more = true});
  }
  return MaintenanceResult{};
}

void DurableStore::remove_garbage() {
  // A file that stays is collected by the next take_over(); readers that still want one look again
  // in a newer transaction.
  for (const SegmentId id : garbage_) {
    auto removed = disk_.remove(segment_directory(options_.directory) + "/" + id.name());
    (void)removed.ok();
  }
  garbage_.clear();
}

StoreResult<bool> DurableStore::checkpoint() {
  const std::uint64_t frames = connection_->wal_frames();
  if (frames < checkpointed_frames_) checkpointed_frames_ = 0;  // the WAL began again
  const std::uint64_t fresh_bytes = (frames - checkpointed_frames_) * k_wal_frame_bytes;
  if (fresh_bytes < options_.checkpoint_passive_bytes) return false;
  const bool restart = frames * k_wal_frame_bytes >= options_.checkpoint_restart_bytes;
  int copied = 0;
  // Readers' transactions last one look-up, so the wait for them is short where it is needed.
  connection_->set_busy_timeout(k_busy_while_checkpointing_ms);
  const bool ok = connection_->checkpoint(
      restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, copied);
  connection_->set_busy_timeout(k_busy_timeout_ms);
  if (!ok) return Failure{failed("checkpoint")};
  checkpointed_frames_ = std::max(checkpointed_frames_, static_cast<std::uint64_t>(copied));
  return true;
}

StoreResult<bool> DurableStore::drop_slice() {
  if (dropped_row_ >= state_.sealed_row && dropped_item_ >= state_.sealed_item) return false;
  const std::uint64_t row = std::min(dropped_row_ + k_rows_a_slice, state_.sealed_row);
  const std::uint64_t item = std::min(dropped_item_ + k_rows_a_slice, state_.sealed_item);
  auto begun = begin();
  if (!begun) return begun.failure();
  if (!connection_->run(drop_journal_, row) || !connection_->run(drop_items_, item))
    return Failure{roll_back(failed("dropping sealed rows"))};
  auto done = finish();
  if (!done) return done.failure();
  dropped_row_ = std::max(row, dropped_row_);
  dropped_item_ = std::max(item, dropped_item_);
  return true;
}

struct DurableStore::Collection {
  struct Run {
    std::string last;
    SegmentId segment;
    std::uint64_t length;
  };
  struct Part {
    std::uint64_t id;
    std::optional<SegmentId> segment;
    std::uint64_t length;
  };
  std::vector<Run> runs;
  std::vector<Part> parts;
  bool complete() const { return runs.size() < k_rows_a_slice && parts.size() < k_rows_a_slice; }
};

StoreResult<DurableStore::Collection> DurableStore::find_collectable(std::uint64_t shape) {
  Collection found;
  {
    Query rows = connection_->query(select_runs_of_shape_, shape, k_rows_a_slice);
    while (rows.next())
      found.runs.push_back({std::string(rows.bytes(0)), {rows.number(1)}, rows.number(2)});
    if (rows.failed()) return Failure{failed("collecting runs")};
  }
  Query rows =
      connection_->query(select_parts_, part_id(shape, 0), part_id(shape + 1, 0), k_rows_a_slice);
  while (rows.next()) {
    Collection::Part part{rows.number(0), {}, rows.number(2)};
    if (!rows.is_null(1)) part.segment = SegmentId{rows.number(1)};
    found.parts.push_back(part);
  }
  if (rows.failed()) return Failure{failed("collecting a snapshot")};
  return found;
}

StoreResult<bool> DurableStore::collect_slice() {
  const auto next = std::find_if(removals_.begin(), removals_.end(), [](const auto& removal) {
    return removal.second == RemovalState::finished;
  });
  if (next == removals_.end()) return false;
  const std::uint64_t shape = next->first;
  auto found = find_collectable(shape);
  if (!found) return found.failure();
  auto begun = begin();
  if (!begun) return begun.failure();
  std::map<SegmentId, std::uint64_t> live;  // of the segments that change
  const auto take = [&](SegmentId segment, std::uint64_t bytes) {
    auto& left = live.try_emplace(segment, segment_use_.at(segment).live).first->second;
    left -= std::min(left, bytes);
  };
  bool ok = true;
  for (const Collection::Run& run : found->runs) {
    ok = ok && connection_->run(delete_run_, shape, Blob{run.last});
    take(run.segment, run.length);
  }
  for (const Collection::Part& part : found->parts) {
    ok = ok && connection_->run(delete_part_, part.id);
    if (part.segment) take(*part.segment, part.length + 1);
  }
  for (const auto& [segment, left] : live)
    ok = ok && (left == 0 ? connection_->run(delete_segment_, segment.value)
                          : connection_->run(update_segment_, segment.value, left));
  ok = ok && connection_->run(collect_state_, shape, k_rows_a_slice);
  const bool complete =
      found->complete() && static_cast<std::uint64_t>(connection_->changes()) < k_rows_a_slice;
  if (complete) ok = ok && connection_->run(collected_removed_, shape);
  const bool forget = complete && ++collections_ % k_collections_between_forgetting == 0;
  if (forget) ok = ok && connection_->run(forget_removed_, k_reasons_kept);
  if (!ok) return Failure{roll_back(failed("collecting removed data"))};
  auto done = finish();
  if (!done) return done.failure();
  for (const auto& [segment, left] : live) {
    segment_use_.at(segment).live = left;
    if (left > 0) continue;
    segment_use_.erase(segment);
    garbage_.push_back(segment);
  }
  if (complete) removals_.erase(shape);
  return true;
}

}  // namespace holdfast::storage
