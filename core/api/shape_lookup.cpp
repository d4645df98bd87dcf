#include "core/api/shape_lookup.hpp"

#include <algorithm>

#include "core/api/error_responses.hpp"
#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/names.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::api {
namespace {

using stack::ShapeMeta;

/// Whether the tables of a definition's subqueries are as they were when it was resolved.
bool subqueries_current(runtime::Process& process, const shape::Definition& definition) {
  const runtime::TableRef relations(process.runtime(), stack::tables::relations);
  return std::all_of(definition.dependencies().begin(), definition.dependencies().end(),
                     [&](const shape::Dependency& dependency) {
                       const auto known = relations.find(dependency.inner->relation().name);
                       return known.found() && known.value() == dependency.inner->relation() &&
                              subqueries_current(process, *dependency.inner);
                     });
}

/// What the request was resolved to when its shape was made, if the table still is as it was then:
/// after a restart nothing is parsed again.
std::shared_ptr<const shape::Definition> definition_of_shape(
    runtime::Process& process, const std::string& request_key,
    const postgres::RelationInfo& relation) {
  const auto handle =
      runtime::TableRef(process.runtime(), stack::tables::shape_by_request).find(request_key);
  if (!handle.found()) return nullptr;
  const auto meta =
      runtime::TableRef(process.runtime(), stack::tables::shape_meta).find(handle.value());
  const bool same = meta.found() && meta->definition->relation() == relation &&
                    meta->definition->request_key() == request_key &&
                    subqueries_current(process, *meta->definition);
  return same ? meta->definition : nullptr;
}

/// The table as the inspector knows it, or as Postgres says. nullopt: there is none; an error: what
/// has the name can have no shape.
Result<std::optional<postgres::RelationInfo>, shape::DefinitionError> find_relation(
    runtime::Process& process, const stack::StackContext& context,
    const postgres::RelationName& name) {
  const auto known = runtime::TableRef(process.runtime(), stack::tables::relations).find(name);
  if (known.found()) return std::optional(known.value());
  auto inspected = stack::with_session(
      process, context, [&](env::QuerySession& session) { return session.inspect(name); });
  if (!inspected.ok()) {
    if (inspected.error().kind == env::DatabaseFailure::undefined_object)
      return Failure{shape::DefinitionError{
          "table", inspected.error().message +
                       ". Shapes are of ordinary tables; views, foreign and unlogged tables, "
                       "partitioned tables and their partitions are not supported."}};
    throw NotNow{NotReady::metadata_pool, inspected.error().message};
  }
  if (*inspected)
    process.cast<&stack::Inspector::remember_relation>(stack::names::inspector, **inspected);
  return std::move(*inspected);
}

/// Resolves a request, with the tables of its subqueries as far as it turns out to have any; they
/// are added to `relations`.
Result<shape::Definition, shape::DefinitionError> resolve(runtime::Process& process,
                                                          const stack::StackContext& context,
                                                          const shape::DefinitionRequest& request,
                                                          const postgres::RelationInfo& relation,
                                                          where::Relations& relations) {
  for (;;) {
    auto resolved = runtime::run_job(
        context.readers->parse_worker(), "definition.resolve", [request, relation, relations] {
          return shape::Definition::resolve(request, relation, &relations);
        });
    if (resolved.ok() || !resolved.error().missing) return resolved;
    const postgres::RelationName name = *resolved.error().missing;
    auto found = find_relation(process, context, name);
    if (!found.ok()) return found.failure();
    if (*found) {
      relations.push_back(std::move(**found));
    } else {
      relations.emplace_back().name = name;  // without columns: there is none
    }
  }
}

template <class F>
auto ask_store(const stack::StackContext& context, const char* label, F ask) {
  auto answer = context.readers->with_reader(label, std::move(ask));
  if (!answer.ok() && answer.error().kind != storage::StoreFailure::not_found)
    throw NotNow{NotReady::shape_data, answer.error().message};
  return answer;
}

std::optional<ShapeMeta> ask_store_for(const stack::StackContext& context,
                                       const protocol::ShapeHandle& handle) {
  auto found = ask_store(context, "store.find",
                         [handle](storage::Reader& reader) { return reader.find(handle); });
  // An inner shape is nobody's to ask for.
  if (!found.ok() || !found->live || found->live->role == storage::ShapeRole::inner)
    return std::nullopt;
  context.reached(Mark::shape_found_by_store_lookup);
  return stack::shape_meta_from(*found->live);
}

/// By the tables as this instance knows them; `inner` gets those of subqueries.
Result<std::shared_ptr<const shape::Definition>, protocol::Response> resolve_as_known(
    runtime::Process& process, const stack::StackContext& context, Method method,
    const shape::DefinitionRequest& request, const ShapeParameters* queryable,
    where::Relations& inner) {
  const auto found = find_relation(process, context, request.table);
  if (!found.ok()) return Failure{definition_invalid(method, found.error())};
  if (!*found) return Failure{table_missing(method, request.table)};
  const postgres::RelationInfo& relation = **found;
  if (queryable != nullptr)
    if (const auto error = check_queryable_columns(*queryable, relation))
      return Failure{definition_invalid(method, *error)};
  if (auto definition = definition_of_shape(process, request.key(), relation)) return definition;
  auto resolved = resolve(process, context, request, relation, inner);
  if (!resolved.ok()) return Failure{definition_invalid(method, resolved.error())};
  return std::make_shared<const shape::Definition>(std::move(*resolved));
}

}  // namespace

Result<std::shared_ptr<const shape::Definition>, protocol::Response> resolve_definition(
    runtime::Process& process, const stack::StackContext& context, Method method,
    const shape::DefinitionRequest& request, const ShapeParameters* parameters) {
  std::string key = request.key();
  const bool plain = parameters == nullptr || !parameters->queryable_columns;
  const auto known = runtime::TableRef(process.runtime(), stack::tables::definitions).find(key);
  if (plain && known.found()) return known.value();

  const runtime::TableRef relations(process.runtime(), stack::tables::relations);
  const bool cached = relations.find(request.table).found();
  const ShapeParameters* const queryable = plain ? nullptr : parameters;
  where::Relations inner;
  auto definition = resolve_as_known(process, context, method, request, queryable, inner);
  if (!definition.ok() && cached) {
    // A table may have been altered since, while nobody heard: what is refused is refused by the
    // tables as Postgres has them now.
    process.call<&stack::Inspector::forget_relation>(stack::names::inspector, request.table);
    for (const postgres::RelationInfo& table : inner)
      process.call<&stack::Inspector::forget_relation>(stack::names::inspector, table.name);
    inner.clear();
    definition = resolve_as_known(process, context, method, request, queryable, inner);
  }
  if (definition.ok())
    process.cast<&stack::Inspector::remember_definition>(stack::names::inspector, std::move(key),
                                                         *definition);
  return definition;
}

std::optional<ShapeMeta> find_by_identity(runtime::Process& process,
                                          const stack::StackContext& context, Source source,
                                          const Hash128& identity) {
  if (source == Source::read_models) {
    const auto handle =
        runtime::TableRef(process.runtime(), stack::tables::shape_by_identity).find(identity);
    if (handle.missing()) return std::nullopt;
    if (handle.found()) return find_by_handle(process, context, source, handle.value());
    if (!context.guards.on(Guard::gone_asks_the_store)) return std::nullopt;
  }
  auto found = ask_store(context, "store.find_identity", [identity](storage::Reader& reader) {
    return reader.find_by_identity(identity);
  });
  if (!found.ok() || !*found) return std::nullopt;
  context.reached(Mark::shape_found_by_store_lookup);
  return stack::shape_meta_from(**found);
}

std::optional<ShapeMeta> find_by_handle(runtime::Process& process,
                                        const stack::StackContext& context, Source source,
                                        const protocol::ShapeHandle& handle) {
  if (source == Source::read_models) {
    const auto meta = runtime::TableRef(process.runtime(), stack::tables::shape_meta).find(handle);
    if (meta.found() && !meta->ending) return meta.value();
    if (meta.missing() || !context.guards.on(Guard::gone_asks_the_store)) return std::nullopt;
  }
  return ask_store_for(context, handle);
}

storage::ShapeLookup look_up(const stack::StackContext& context,
                             const protocol::ShapeHandle& handle) {
  auto found = ask_store(context, "store.find",
                         [handle](storage::Reader& reader) { return reader.find(handle); });
  return found.ok() ? std::move(*found) : storage::ShapeLookup{};
}

std::optional<postgres::Lsn> global_lsn(runtime::Process& process, Source source,
                                        const protocol::ShapeHandle& handle) {
  if (source == Source::store) {
    const bool had_it =
        stack::read_status(process.runtime()).has_led &&
        runtime::TableRef(process.runtime(), stack::tables::shape_meta).find(handle).found();
    if (!had_it) return std::nullopt;
  }
  const auto row = runtime::TableRef(process.runtime(), stack::tables::lsn_tracker).find(0);
  if (!row.found() || row->processed.value == 0) return std::nullopt;
  return row->processed;
}

}  // namespace holdfast::api
