#include "core/routing/router.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/guard_list.hpp"
#include "core/base/hash.hpp"
#include "core/where/condition.hpp"

namespace holdfast::routing {
namespace {

void erase_route(std::vector<const Route*>& routes, const Route* route) {
  const auto at =
      std::lower_bound(routes.begin(), routes.end(), route,
                       [](const Route* a, const Route* b) { return a->number < b->number; });
  ASSERT(at != routes.end() && *at == route, "a registered shape is where it was put");
  routes.erase(at);
}

}  // namespace

std::size_t Router::TextHash::operator()(std::string_view text) const {
  return hash64(text);
}

// Definitions of one table made before and after a schema change may give a position different
// types.
Router::EqualityIndex* Router::index_for(Table& table, const shape::Definition& definition) {
  if (!definition.condition() || !definition.condition()->equality()) return nullptr;
  const std::uint16_t column = definition.condition()->equality()->column;
  const postgres::Oid type = definition.relation().columns[column].type;
  for (EqualityIndex& index : table.indexes)
    if (index.column == column && index.type == type) return &index;
  EqualityIndex& index = table.indexes.emplace_back();
  index.column = column;
  index.type = type;
  return &index;
}

const Route& Router::add(protocol::ShapeHandle handle,
                         std::shared_ptr<const shape::Definition> definition) {
  ASSERT(definition != nullptr, "a shape is routed by its definition");
  auto route = std::make_unique<Route>(Route{handle, std::move(definition), additions_++});
  const Route* const added = route.get();
  const auto [place, fresh] = routes_.emplace(std::move(handle), std::move(route));
  ASSERT(fresh, "a handle is registered once");
  Table& table = tables_[added->definition->relation().oid.value];
  table.all.push_back(added);
  if (!added->definition->dependencies().empty()) {
    table.by_views.add(added->number, added->definition);
    table.with_subqueries.emplace(added->number, added);
  } else if (EqualityIndex* index = index_for(table, *added->definition))
    index->by_key[added->definition->condition()->equality()->key].push_back(added);
  else
    table.unindexed.push_back(added);
  return *added;
}

bool Router::remove(const protocol::ShapeHandle& handle) {
  const auto found = routes_.find(handle);
  if (found == routes_.end()) return false;
  const Route* const route = found->second.get();
  const auto at = tables_.find(route->definition->relation().oid.value);
  ASSERT(at != tables_.end(), "a registered shape's table is known");
  Table& table = at->second;
  erase_route(table.all, route);
  if (table.with_subqueries.erase(route->number) > 0) {
    table.by_views.remove(route->number);
  } else if (EqualityIndex* index = index_for(table, *route->definition)) {
    const auto bucket = index->by_key.find(route->definition->condition()->equality()->key);
    ASSERT(bucket != index->by_key.end(), "an indexed shape is under its key");
    erase_route(bucket->second, route);
    if (bucket->second.empty()) index->by_key.erase(bucket);
    std::erase_if(table.indexes, [](const EqualityIndex& i) { return i.by_key.empty(); });
  } else {
    erase_route(table.unindexed, route);
  }
  if (table.all.empty()) tables_.erase(at);
  routes_.erase(found);
  return true;
}

void Router::seed(const protocol::ShapeHandle& handle, const subquery::Views& views) {
  const Route& route = *routes_.at(handle);
  tables_.at(route.definition->relation().oid.value).by_views.seed(route.number, views);
}

void Router::broaden(const protocol::ShapeHandle& handle, const subquery::ViewDelta& delta) {
  const Route& route = *routes_.at(handle);
  tables_.at(route.definition->relation().oid.value).by_views.broaden(route.number, delta);
}

void Router::narrow(const protocol::ShapeHandle& handle, const subquery::ViewDelta& delta) {
  const Route& route = *routes_.at(handle);
  tables_.at(route.definition->relation().oid.value).by_views.narrow(route.number, delta);
}

const Route* Router::find(const protocol::ShapeHandle& handle) const {
  const auto found = routes_.find(handle);
  return found == routes_.end() ? nullptr : found->second.get();
}

// A NULL and a text that is no value of the type make `column = constant` unknown, never true: no
// shape of the index can contain the row.
void Router::look_up(const EqualityIndex& index, const postgres::Tuple& tuple, std::string& scratch,
                     Routes& out) {
  if (tuple.empty()) return;
  if (index.column >= tuple.size()) {
    // The table has lost columns since the shapes were defined; their consumers find out.
    for (const auto& [key, routes] : index.by_key)
      out.insert(out.end(), routes.begin(), routes.end());
    return;
  }
  const auto& cell = tuple[index.column];
  if (!cell) return;
  scratch.clear();
  if (!where::append_comparison_key(scratch, index.type, *cell)) return;
  const auto found = index.by_key.find(std::string_view(scratch));
  if (found != index.by_key.end())
    out.insert(out.end(), found->second.begin(), found->second.end());
}

void Router::look_up(const Table& table, const postgres::Tuple& tuple, Routes& out) {
  if (tuple.empty()) return;
  std::vector<SubqueryIndex::ShapeNumber> numbers;
  table.by_views.look_up(tuple, numbers);
  for (const SubqueryIndex::ShapeNumber number : numbers)
    out.push_back(table.with_subqueries.at(number));
}

void Router::route(const postgres::Change& change, std::vector<const Route*>& out) const {
  ASSERT(change.relation != nullptr, "a change is of a relation");
  if (!shape_ending(change).empty()) return route_all(change.relation->oid, out);
  out.clear();
  const auto at = tables_.find(change.relation->oid.value);
  if (at == tables_.end()) return;
  const Table& table = at->second;
  std::string scratch;
  for (const EqualityIndex& index : table.indexes) {
    look_up(index, change.old_tuple, scratch, out);
    look_up(index, change.new_tuple, scratch, out);
  }
  if (!table.with_subqueries.empty()) {
    look_up(table, change.old_tuple, out);
    look_up(table, change.new_tuple, out);
  }
  const auto by_number = [](const Route* a, const Route* b) { return a->number < b->number; };
  std::sort(out.begin(), out.end(), by_number);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (!out.empty() && !guards_.on(Guard::unindexed_shapes_see_every_change)) return;
  const auto indexed = static_cast<std::ptrdiff_t>(out.size());
  out.insert(out.end(), table.unindexed.begin(), table.unindexed.end());
  std::inplace_merge(out.begin(), out.begin() + indexed, out.end(), by_number);
}

void Router::route_all(postgres::Oid table, std::vector<const Route*>& out) const {
  out.clear();
  const auto at = tables_.find(table.value);
  if (at != tables_.end()) out = at->second.all;
}

}  // namespace holdfast::routing
