#include "core/stack/subquery/mover.hpp"

#include "core/base/guard_list.hpp"
#include "core/stack/connection/publication_manager.hpp"
#include "core/stack/log/snapshotter.hpp"
#include "core/stack/subquery/subquery_consumer.hpp"

namespace holdfast::stack {

runtime::ChildSpec mover_child(Context context, ShapeMeta meta,
                               runtime::Ref<SubqueryConsumer> consumer,
                               runtime::Ref<ShapeLogCollector> collector,
                               subquery::WantedQuery query) {
  return {.role = "mover",
          .key = meta.handle.text + "/" + std::to_string(consumer.id.value) + "/" +
                 std::to_string(query.attempt),
          .make =
              [context = std::move(context), meta = std::move(meta), consumer, collector,
               query = std::move(query)] {
                return std::make_unique<Mover>(context, meta, consumer, collector, query);
              },
          .restart = runtime::Restart::temporary};
}

void Mover::init() {
  cast<&Mover::run>(runtime::Ref<Mover>{self()});
}

void Mover::run() {
  const postgres::RelationInfo& table = meta_.definition->relation();
  auto done = call<&PublicationManager::add>(names::publication_manager, table.name, table.oid);
  if (done.ok())
    done = with_accepted_snapshot(*this, *context_, collector_, meta_, query_.attempt,
                                  [&](env::SnapshotRead& read) { return fetch(read); });
  if (done.ok())
    cast<&SubqueryConsumer::query_complete>(consumer_, query_.attempt);
  else
    cast<&SubqueryConsumer::query_failed>(consumer_, query_.attempt, done.error());
  exit(runtime::ExitReason::normal());
}

env::DatabaseResult<void> Mover::fetch(env::SnapshotRead& read) {
  call<&SubqueryConsumer::query_snapshot>(consumer_, query_.attempt, read.snapshot());
  const bool rows = !query_.initial || meta_.role == storage::ShapeRole::inner ||
                    meta_.definition->log_mode() == shape::LogMode::full;
  if (rows)
    if (auto fetched = fetch_rows(read); !fetched.ok()) return fetched;
  // A crash of Postgres would take back commits that the snapshot saw and that nobody streams.
  if (context_->guards.on(Guard::complete_snapshot_only_when_flushed))
    return read.outlast_crashes();
  return {};
}

env::DatabaseResult<void> Mover::fetch_rows(env::SnapshotRead& read) {
  const shape::Definition& definition = *meta_.definition;
  env::ShapeQuery query{definition.relation().name, {}, query_.condition};
  for (const std::uint16_t column : query_.columns)
    query.columns.push_back(definition.relation().columns[column].name);
  if (auto started = read.start(query); !started.ok()) return started;
  for (;;) {
    auto batch = read.next();
    if (!batch.ok()) return batch.failure();
    if (batch->rows() == 0) return {};
    // One batch at a time: the next is read when the consumer has taken this one.
    call<&SubqueryConsumer::query_rows>(
        consumer_, query_.attempt, std::make_shared<const postgres::RowBatch>(std::move(*batch)));
    yield_point("move.batch");
  }
}

}  // namespace holdfast::stack
