#include "core/stack/log/consumer.hpp"

#include <algorithm>

#include "core/stack/connection/inspector.hpp"
#include "core/stack/connection/relation_drift.hpp"
#include "core/stack/log/plain_consumer.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/subquery/subquery_consumer.hpp"

namespace holdfast::stack {
namespace {

constexpr Duration k_retry_min = std::chrono::milliseconds(50);
constexpr unsigned k_retry_doublings = 7;

/// As clients know it (http-api.md §23.3).
constexpr std::string_view k_table_lock = "Snapshot timed out while waiting for a table lock";

}  // namespace

runtime::ChildSpec consumer_child(Context context, ShapeMeta meta,
                                  runtime::Ref<ShapeLogCollector> collector) {
  return {.role = "consumer",
          .key = meta.handle.text,
          .make = [context = std::move(context), meta = std::move(meta),
                   collector]() -> std::unique_ptr<runtime::Process> {
            if (meta.has_state())
              return std::make_unique<SubqueryConsumer>(context, meta, collector);
            return std::make_unique<PlainConsumer>(context, meta, collector);
          },
          .restart = runtime::Restart::temporary};
}

std::optional<postgres::Change> Consumer::remapped(const postgres::Change& change) {
  if (mapped_relation_ != change.relation) {
    mapping_ = column_mapping(*change.relation, *meta_.definition);
    mapped_relation_ = change.relation;
  }
  if (!mapping_) return std::nullopt;
  return remap(change, *mapping_);
}

bool Consumer::may_retry(const env::DatabaseError& error) {
  context_->emit({observe::Level::warning,
                  "snapshot_failed",
                  {{"handle", meta_.handle.text}, {"reason", error.message}}});
  const auto give_up = [&](std::string reason) {
    cast<&ShapeCleaner::remove_faulty>(names::shape_cleaner, meta_.handle, std::move(reason));
    return false;
  };
  const auto try_again = [&](SnapshotDelay by, std::string told) {
    cast<&ShapeLogCollector::snapshot_delayed>(collector_, meta_.handle, by, std::move(told));
    return true;
  };
  switch (error.kind) {
    case env::DatabaseFailure::undefined_object:
      // Before the removal is known: who then asks again must not find the table as it was.
      call<&Inspector::forget_relation>(names::inspector, meta_.definition->relation().name);
      return give_up("schema_changed");
    case env::DatabaseFailure::not_published:
      return give_up(std::string(removed::snapshot_refused) + error.message);
    case env::DatabaseFailure::privilege:
      return give_up(std::string(removed::snapshot_refused) +
                     "Unable to create initial snapshot: " + error.message);
    case env::DatabaseFailure::query:
      return give_up(std::string(removed::snapshot_failed) + error.message);
    case env::DatabaseFailure::lock_timeout:
      return try_again(SnapshotDelay::table_lock, std::string(k_table_lock));
    case env::DatabaseFailure::timeout:
      return try_again(SnapshotDelay::slow_query, error.message);
    case env::DatabaseFailure::no_publication:
    case env::DatabaseFailure::connection:
    case env::DatabaseFailure::authentication:
    case env::DatabaseFailure::configuration:
    case env::DatabaseFailure::slot_invalidated:
    case env::DatabaseFailure::slot_active:
      return true;
  }
  return true;
}

Duration Consumer::retry_delay(unsigned attempt) {
  return k_retry_min * (1 << std::min(attempt, k_retry_doublings));
}

}  // namespace holdfast::stack
