#include "core/stack/connection/schema_reconciler.hpp"

#include <algorithm>
#include <set>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_manager.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/connection/publication_manager.hpp"
#include "core/stack/connection/relation_drift.hpp"
#include "core/stack/shape_cleaner.hpp"

namespace holdfast::stack {
namespace {

/// After one that failed: a change should not wait for Postgres' next whim and a whole period.
constexpr Duration k_retry_delay = std::chrono::seconds(2);

/// Whether the stream has all that a shape needs of the table since the shape's snapshot.
bool streamed_since(const postgres::Snapshot& snapshot, postgres::Oid table,
                    const std::map<postgres::Oid, std::optional<postgres::Xid>>& published) {
  const auto found = published.find(table);
  if (found == published.end()) return false;
  return !found->second || snapshot.sees(*found->second);
}

std::string why_removed(const postgres::RelationInfo* now, const shape::Definition& definition) {
  if (now == nullptr) return "table_dropped";
  return now->oid == definition.relation().oid ? "schema_changed" : "table_recreated";
}

}  // namespace

void SchemaReconciler::init() {
  cast<&ConnectionManager::reconciler_started>(names::connection_manager);
}

void SchemaReconciler::connected(runtime::ProcessId client) {
  if (connection_) demonitor(*connection_);
  connection_ = monitor(client);
  reconcile();
}

void SchemaReconciler::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                               const runtime::ExitReason&) {
  if (ref != connection_) return;
  connection_.reset();
  cancel(next_);
}

void SchemaReconciler::reconcile() {
  if (!connection_) return;
  cancel(next_);
  bool done = false;
  try {
    done = compare(nullptr);
  } catch (const runtime::ProcessExit&) {
    // Part of the engine is not there now; that says nothing about a table.
  }
  const Duration period = context_->options.schema_reconciler_period;
  next_ = send_after<&SchemaReconciler::reconcile>(done ? period : std::min(period, k_retry_delay));
}

bool SchemaReconciler::look_at(std::set<postgres::RelationName> tables) {
  return compare(&tables);
}

bool SchemaReconciler::compare(const std::set<postgres::RelationName>* only) {
  // In this order: what the catalogue answers is newer than what it is compared with.
  const auto all_cached = runtime::TableRef(runtime(), tables::relations).rows();
  const auto all_shapes = runtime::TableRef(runtime(), tables::shape_meta).rows();
  if (!all_cached.found() || !all_shapes.found()) return false;
  Cached cached = all_cached.value();
  Shapes shapes = all_shapes.value();
  if (only != nullptr) {
    std::erase_if(cached, [&](const auto& row) { return !only->contains(row.first); });
    std::erase_if(shapes, [&](const auto& row) {
      return !only->contains(row.second.definition->relation().name);
    });
  }
  const auto found = ask(cached, shapes);
  if (!found.ok()) {
    context_->emit({observe::Level::warning,
                    "schema_reconciliation_failed",
                    {{"reason", found.error().message}}});
    return false;
  }
  // First, so that who asks for a shape that is removed next gets one of the table as it is now.
  forget_changed(cached, *found);
  if (!remove_misfits(shapes, *found)) return false;
  return only != nullptr || tidy_publication(shapes, *found);
}

env::DatabaseResult<SchemaReconciler::Found> SchemaReconciler::ask(const Cached& cached,
                                                                   const Shapes& shapes) {
  std::set<postgres::RelationName> names;
  for (const auto& [name, relation] : cached) names.insert(name);
  for (const auto& [handle, meta] : shapes)
    shape::for_each_definition(*meta.definition, [&](const shape::Definition& each) {
      names.insert(each.relation().name);
    });
  if (names.empty()) return Found{};
  return with_session(
      *this, *context_, [&](env::QuerySession& session) -> env::DatabaseResult<Found> {
        Found found;
        for (const postgres::RelationName& name : names) {
          auto one = session.inspect(name);
          const bool unfit =
              !one.ok() && one.error().kind == env::DatabaseFailure::undefined_object;
          if (!one.ok() && !unfit) return one.failure();
          if (one.ok() && *one) found.tables.emplace(name, std::move(**one));
        }
        const auto published = session.published(context_->options.publication);
        if (!published.ok()) return published.failure();
        for (const env::PublishedTable& table : *published)
          found.published.emplace(table.oid, table.added_by);
        return found;
      });
}

void SchemaReconciler::forget_changed(const Cached& cached, const Found& found) {
  for (const auto& [name, relation] : cached) {
    const auto now = found.tables.find(name);
    if (now == found.tables.end() || now->second.oid != relation.oid ||
        now->second.columns != relation.columns)
      call<&Inspector::forget_relation>(names::inspector, name);
  }
}

bool SchemaReconciler::remove_misfits(const Shapes& shapes, const Found& found) {
  bool all_removed = true;
  for (const auto& [handle, row] : shapes) {
    const ShapeMeta& meta = row;  // a lambda of C++20 cannot capture a binding, says Clang 14
    std::optional<std::string> why;
    shape::for_each_definition(*meta.definition, [&](const shape::Definition& each) {
      const auto at = found.tables.find(each.relation().name);
      const postgres::RelationInfo* now = at == found.tables.end() ? nullptr : &at->second;
      if ((now == nullptr || !fits(*now, each)) &&
          context_->guards.on(Guard::live_shapes_fit_the_catalogue)) {
        why = why_removed(now, each);
      } else if (now != nullptr && meta.snapshot_complete &&
                 !streamed_since(meta.snapshot, now->oid, found.published) &&
                 context_->guards.on(Guard::unpublished_table_ends_its_shapes)) {
        why = "table_unpublished";
        // Whoever asks again has it published again.
        cast<&PublicationManager::forget>(names::publication_manager, now->name);
        context_->reached(Mark::shape_removed_unpublished);
      }
    });
    if (!why) continue;
    const auto removed = call<&ShapeCleaner::remove>(names::shape_cleaner, handle, std::move(*why));
    all_removed = all_removed && removed.ok();
    context_->reached(Mark::shape_removed_by_reconciler);
  }
  return all_removed;
}

bool SchemaReconciler::tidy_publication(const Shapes& shapes, const Found& found) {
  std::map<postgres::RelationName, postgres::Oid> lost;
  for (const auto& [handle, meta] : shapes)
    shape::for_each_definition(*meta.definition, [&](const shape::Definition& each) {
      const auto now = found.tables.find(each.relation().name);
      if (now != found.tables.end() && !now->second.replica_identity_full)
        lost.emplace(now->first, now->second.oid);
    });
  // Nothing of it was changed since, or the stream will tell: the shapes can go on.
  for (const auto& [name, oid] : lost)
    call<&PublicationManager::repair>(names::publication_manager, name, oid);
  const auto swept = call<&PublicationManager::sweep>(names::publication_manager);
  if (swept.ok()) return true;
  context_->emit(
      {observe::Level::warning, "publication_not_tidied", {{"reason", swept.error().message}}});
  // Not ours to change: trying again soon changes nothing.
  return swept.error().kind == env::DatabaseFailure::privilege;
}

}  // namespace holdfast::stack
