#include "core/stack/connection/relation_drift.hpp"

#include <algorithm>

namespace holdfast::stack {
namespace {

std::uint16_t position_of(const postgres::StreamRelation& relation, const std::string& name) {
  for (std::size_t i = 0; i < relation.columns.size(); ++i)
    if (relation.columns[i].name == name) return static_cast<std::uint16_t>(i);
  return k_absent;
}

/// Generated columns are not in the stream.
std::size_t streamed_columns(const postgres::RelationInfo& info) {
  return static_cast<std::size_t>(std::count_if(info.columns.begin(), info.columns.end(),
                                                [](const auto& c) { return !c.generated; }));
}

/// Whether `holds` is true of all columns that the shape selects, its key among them, or reads.
template <class Holds>
bool every_needed_column(const shape::Definition& definition, Holds holds) {
  const auto& selected = definition.selected();
  if (!std::all_of(selected.begin(), selected.end(), holds)) return false;
  if (!definition.condition()) return true;
  const auto& read = definition.condition()->columns();
  return std::all_of(read.begin(), read.end(), holds);
}

bool same_column(postgres::ColumnInfo now, const postgres::ColumnInfo& then) {
  if (then.number == 0) now.number = 0;  // of a definition older than the numbers
  if (!then.not_null) now.not_null = false;  // more than clients were told
  return now == then;
}

bool column_fits(const postgres::StreamRelation& relation, const postgres::ColumnInfo& column) {
  if (column.generated) return true;
  const std::uint16_t at = position_of(relation, column.name);
  return at != k_absent && relation.columns[at].type == column.type &&
         relation.columns[at].type_modifier == column.type_modifier;
}

}  // namespace

bool affects(const postgres::StreamRelation& relation, const shape::Definition& definition) {
  const postgres::RelationInfo& info = definition.relation();
  const bool same_oid = info.oid == relation.oid;
  const bool same_name = info.name == relation.name;
  if (!same_oid && !same_name) return false;
  if (!same_oid || !same_name) return true;
  const bool needs_all = definition.selects_all() || !definition.has_primary_key();
  if (needs_all && streamed_columns(info) != relation.columns.size()) return true;
  return !every_needed_column(definition, [&](std::uint16_t column) {
    return column_fits(relation, info.columns[column]);
  });
}

bool describes(const postgres::StreamRelation& relation, const postgres::RelationInfo& info) {
  return info.oid == relation.oid && info.name == relation.name &&
         streamed_columns(info) == relation.columns.size() &&
         std::all_of(info.columns.begin(), info.columns.end(),
                     [&](const auto& column) { return column_fits(relation, column); });
}

bool fits(const postgres::RelationInfo& now, const shape::Definition& definition) {
  const postgres::RelationInfo& then = definition.relation();
  if (now.oid != then.oid || now.name != then.name) return false;
  // Without a key, all columns together name a row.
  if (definition.selects_all() || !definition.has_primary_key())
    return std::equal(now.columns.begin(), now.columns.end(), then.columns.begin(),
                      then.columns.end(), same_column);
  const auto is_key = [](const postgres::ColumnInfo& column) { return column.key_position > 0; };
  if (std::count_if(now.columns.begin(), now.columns.end(), is_key) !=
      std::count_if(then.columns.begin(), then.columns.end(), is_key))
    return false;
  const auto unchanged = [&](std::uint16_t column) {
    return std::any_of(now.columns.begin(), now.columns.end(),
                       [&](const auto& one) { return same_column(one, then.columns[column]); });
  };
  return every_needed_column(definition, unchanged);
}

std::optional<std::vector<std::uint16_t>> column_mapping(const postgres::StreamRelation& relation,
                                                         const shape::Definition& definition) {
  const auto& columns = definition.relation().columns;
  std::vector<std::uint16_t> mapping;
  bool equal = columns.size() == relation.columns.size();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    mapping.push_back(position_of(relation, columns[i].name));
    equal = equal && mapping.back() == i;
  }
  if (equal) return std::nullopt;
  return mapping;
}

postgres::Change remap(const postgres::Change& change, const std::vector<std::uint16_t>& mapping) {
  const auto arrange = [&](const postgres::Tuple& tuple) {
    postgres::Tuple arranged;
    if (tuple.empty()) return arranged;
    for (const std::uint16_t at : mapping)
      arranged.push_back(at == k_absent ? std::nullopt : tuple.at(at));
    return arranged;
  };
  postgres::Change mapped = change;
  mapped.old_tuple = arrange(change.old_tuple);
  mapped.new_tuple = arrange(change.new_tuple);
  return mapped;
}

}  // namespace holdfast::stack
