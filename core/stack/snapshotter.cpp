#include "core/stack/snapshotter.hpp"

#include <algorithm>

#include "core/shape/log_item.hpp"
#include "core/stack/connection_pool.hpp"
#include "core/stack/consumer.hpp"
#include "core/stack/publication_manager.hpp"
#include "core/stack/relation_drift.hpp"
#include "core/stack/shape_log_collector.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

/// A snapshot that misses a streamed transaction is taken again after this, then after twice as
/// long; the window is the time between a commit's WAL record and its visibility, which a
/// synchronous standby decides.
constexpr Duration k_retake_delay = std::chrono::milliseconds(20);
constexpr Duration k_retake_delay_max = std::chrono::seconds(1);
constexpr std::size_t k_spill_bytes = 1U << 20;

env::ShapeQuery query_of(const shape::Definition& definition) {
  env::ShapeQuery query{definition.relation().name, {}, {}};
  for (const std::uint16_t column : definition.selected())
    query.columns.push_back(definition.relation().columns[column].name);
  if (definition.condition()) query.condition = definition.condition()->canonical_sql();
  return query;
}

/// Between the shape's definition and the lock, which no message of the stream need ever tell.
Failure<env::DatabaseError> table_has_changed() {
  return {env::DatabaseError{env::DatabaseFailure::undefined_object,
                             {},
                             "the table has changed since the shape was defined"}};
}

}  // namespace

runtime::ChildSpec snapshotter_child(Context context, ShapeMeta meta,
                                     runtime::Ref<Consumer> consumer,
                                     runtime::Ref<ShapeLogCollector> collector, unsigned attempt) {
  return {.role = "snapshotter",
          .key = meta.handle.text + "/" + std::to_string(consumer.id.value) + "/" +
                 std::to_string(attempt),
          .make =
              [context = std::move(context), meta = std::move(meta), consumer, collector] {
                return std::make_unique<Snapshotter>(context, meta, consumer, collector);
              },
          .restart = runtime::Restart::temporary};
}

void Snapshotter::init() {
  cast<&Snapshotter::run>(runtime::Ref<Snapshotter>{self()});
}

void Snapshotter::run() {
  const postgres::RelationInfo& table = meta_.definition->relation();
  auto published =
      call<&PublicationManager::add>(names::publication_manager, table.name, table.oid);
  yield_point("snapshot.published");
  auto taken = published.ok()
                   ? with_session(*this, *context_,
                                  [&](env::QuerySession& session) { return take(session); })
                   : env::DatabaseResult<storage::SnapshotCompletion>(published.failure());
  if (taken.ok())
    cast<&Consumer::snapshot_done>(consumer_, std::move(*taken));
  else
    cast<&Consumer::snapshot_failed>(consumer_, taken.error());
  exit(runtime::ExitReason::normal());
}

env::DatabaseResult<storage::SnapshotCompletion> Snapshotter::take(env::QuerySession& session) {
  for (Duration delay = k_retake_delay;; delay = std::min(delay * 2, k_retake_delay_max)) {
    auto read = session.begin_snapshot(meta_.definition->relation().name);
    if (!read.ok()) return read.failure();
    if (!fits((*read)->relation(), *meta_.definition)) return table_has_changed();
    const postgres::Snapshot& snapshot = (*read)->snapshot();
    yield_point("snapshot.known");
    if (!call<&ShapeLogCollector::accepts_snapshot>(collector_, meta_.handle, snapshot)) {
      context_->reached(Mark::snapshot_retaken);
      read->reset();
      sleep(delay);
      continue;
    }
    storage::SnapshotCompletion completion{meta_.handle, snapshot, {}};
    if (meta_.definition->log_mode() == shape::LogMode::full) {
      if (auto started = (*read)->start(query_of(*meta_.definition)); !started.ok())
        return started.failure();
      if (auto rows = read_rows(**read, completion.content); !rows.ok()) return rows.failure();
    }
    // A crash of Postgres would take back commits that the snapshot saw and that nobody streams.
    if (context_->guards.on(Guard::complete_snapshot_only_when_flushed))
      if (auto safe = (*read)->outlast_crashes(); !safe.ok()) return safe.failure();
    std::string& bytes = completion.content.bytes;
    // The snapshot-end line is alone in a new chunk if the last row had closed one (§13.2).
    const std::uint64_t open_from =
        completion.content.chunk_ends.empty() ? 0 : completion.content.chunk_ends.back();
    if (spilled_bytes_ + bytes.size() > open_from) bytes.push_back(',');
    shape::append_snapshot_end(bytes, snapshot);
    completion.content.chunk_ends.push_back(spilled_bytes_ + bytes.size());
    if (spilled_bytes_ > 0 || bytes.size() > context_->options.store.inline_snapshot_bytes) {
      spill(bytes);
      auto segment = call<&StoreProcess::finish_spill>(names::store, self());
      if (!segment.ok()) exit(runtime::ExitReason::crash("snapshot: " + segment.error().message));
      completion.content.segment = std::move(*segment);
      context_->reached(Mark::snapshot_spilled_to_segment);
    }
    return completion;
  }
}

env::DatabaseResult<void> Snapshotter::read_rows(env::SnapshotRead& read,
                                                 storage::SnapshotContent& content) {
  const std::uint64_t chunk_bytes = context_->options.store.chunk_bytes;
  std::uint64_t chunk_start = 0;
  for (;;) {
    auto batch = read.next();
    if (!batch.ok()) return batch.failure();
    if (batch->rows() == 0) return {};
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      const std::uint64_t position = spilled_bytes_ + content.bytes.size();
      if (position > chunk_start) content.bytes.push_back(',');
      shape::append_snapshot_row(content.bytes, *meta_.definition, *batch, row);
      // An item counts with its separator: one more byte for each, the first included.
      const std::uint64_t size = spilled_bytes_ + content.bytes.size() + 1 - chunk_start;
      if (size >= chunk_bytes) {
        chunk_start = spilled_bytes_ + content.bytes.size();
        content.chunk_ends.push_back(chunk_start);
      }
    }
    if (content.bytes.size() >= k_spill_bytes) spill(content.bytes);
    yield_point("snapshot.batch");
  }
}

void Snapshotter::spill(std::string& bytes) {
  const std::size_t size = bytes.size();
  auto spilled = call<&StoreProcess::spill>(names::store, self(), meta_.handle, std::move(bytes));
  if (!spilled.ok()) exit(runtime::ExitReason::crash("snapshot: " + spilled.error().message));
  spilled_bytes_ += size;
  bytes.clear();
}

}  // namespace holdfast::stack
