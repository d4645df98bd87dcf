#include "core/stack/log/snapshotter.hpp"

#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/shape/log_item.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/publication_manager.hpp"
#include "core/stack/connection/relation_drift.hpp"
#include "core/stack/log/plain_consumer.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

/// A snapshot that misses a streamed transaction is taken again after this, then after twice as
/// long; the window is the time between a commit's WAL record and its visibility, which a
/// synchronous standby decides.
constexpr Duration k_retake_delay = std::chrono::milliseconds(20);
constexpr Duration k_retake_delay_max = std::chrono::seconds(1);

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

/// Since it was set. What is streamed from here on could not be applied, so it is set again first.
Failure<env::DatabaseError> identity_was_lost() {
  return {env::DatabaseError{env::DatabaseFailure::configuration,
                             {},
                             "the table's replica identity is not full any more"}};
}

}  // namespace

runtime::ChildSpec snapshotter_child(Context context, ShapeMeta meta,
                                     runtime::Ref<PlainConsumer> consumer,
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
  auto done = call<&PublicationManager::add>(names::publication_manager, table.name, table.oid);
  yield_point("snapshot.published");
  storage::SnapshotCompletion completion;
  if (done.ok())
    done = with_accepted_snapshot(*this, *context_, collector_, meta_, 0,
                                  [&](env::SnapshotRead& read) -> env::DatabaseResult<void> {
                                    auto taken = take(read);
                                    if (!taken.ok()) return taken.failure();
                                    completion = std::move(*taken);
                                    return {};
                                  });
  if (done.ok())
    cast<&PlainConsumer::snapshot_done>(consumer_, std::move(completion));
  else
    cast<&PlainConsumer::snapshot_failed>(consumer_, done.error());
  exit(runtime::ExitReason::normal());
}

env::DatabaseResult<storage::SnapshotCompletion> Snapshotter::take(env::SnapshotRead& read) {
  SnapshotRows rows(context_, meta_.handle);
  if (meta_.definition->log_mode() == shape::LogMode::full) {
    if (auto started = read.start(query_of(*meta_.definition)); !started.ok())
      return started.failure();
    if (auto done = read_rows(read, rows); !done.ok()) return done.failure();
  }
  // A crash of Postgres would take back commits that the snapshot saw and that nobody streams.
  const postgres::Snapshot snapshot = read.snapshot();
  if (context_->guards.on(Guard::complete_snapshot_only_when_flushed))
    if (auto safe = read.outlast_crashes(); !safe.ok()) return safe.failure();
  return rows.finish(*this, snapshot);
}

env::DatabaseResult<void> Snapshotter::read_rows(env::SnapshotRead& read, SnapshotRows& rows) {
  for (;;) {
    auto batch = read.next();
    if (!batch.ok()) return batch.failure();
    if (batch->rows() == 0) return {};
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      shape::append_snapshot_row(rows.begin_row(), *meta_.definition, *batch, row);
      rows.end_row();
    }
    rows.spill_if_large(*this);
    yield_point("snapshot.batch");
  }
}

env::DatabaseResult<void> with_accepted_snapshot(
    runtime::Process& process, const StackContext& context,
    const runtime::Ref<ShapeLogCollector>& collector, const ShapeMeta& meta, std::uint64_t query,
    const std::function<env::DatabaseResult<void>(env::SnapshotRead&)>& use) {
  bool accepted = false;
  const auto attempt = [&](env::QuerySession& session) -> env::DatabaseResult<void> {
    auto read = session.begin_snapshot(meta.definition->relation().name);
    if (!read.ok()) return read.failure();
    if (!fits((*read)->relation(), *meta.definition)) {
      context.reached(Mark::table_changed_before_snapshot);
      return table_has_changed();
    }
    if (!(*read)->relation().replica_identity_full) {
      process.cast<&PublicationManager::forget>(names::publication_manager,
                                                meta.definition->relation().name);
      return identity_was_lost();
    }
    process.yield_point("snapshot.known");
    switch (process.call<&ShapeLogCollector::accepts_snapshot>(collector, meta.handle, query,
                                                               (*read)->snapshot())) {
      case SnapshotVerdict::accepted:
        accepted = true;
        return use(**read);
      case SnapshotVerdict::not_wanted:
        process.exit(runtime::ExitReason::normal());
      case SnapshotVerdict::too_early:
        break;
    }
    return {};
  };
  for (Duration delay = k_retake_delay;; delay = std::min(delay * 2, k_retake_delay_max)) {
    auto done = with_session(process, context, attempt);
    if (!done.ok() || accepted) return done;
    context.reached(Mark::snapshot_retaken);
    process.sleep(delay);
  }
}

}  // namespace holdfast::stack
