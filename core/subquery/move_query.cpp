#include "core/subquery/move_query.hpp"

#include "core/postgres/query_text.hpp"
#include "core/where/link_value.hpp"
#include "core/where/plan.hpp"

namespace holdfast::subquery {
namespace {

using Cell = std::optional<std::string_view>;

/// '{"1",NULL}'::int8[]
std::string array_literal(const std::vector<Cell>& cells, const std::string& type) {
  std::string text = "{";
  for (const Cell& cell : cells) {
    if (text.size() > 1) text += ',';
    if (!cell) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char c : *cell) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return postgres::quote_literal(text + '}') + "::" + type + "[]";
}

/// `left IN (set)`. Values with a NULL tell nothing about a positive membership, and all about a
/// negated one.
std::string membership(const postgres::RelationInfo& relation, const where::Position& position,
                       const ValueSet& set) {
  const std::size_t width = position.columns.size();
  const std::vector<std::string> values = set.values();
  std::vector<std::vector<Cell>> by_column(width);
  for (const std::string& value : values) {
    if (!position.negated && where::has_null(value)) continue;
    const auto cells = where::unpack_link_value(value);
    for (std::size_t i = 0; i < width; ++i) by_column[i].push_back(cells[i]);
  }
  if (by_column.front().empty()) return "false";
  std::string names;
  std::string arrays;
  for (std::size_t i = 0; i < width; ++i) {
    const postgres::ColumnInfo& column = relation.columns[position.columns[i]];
    names += (i == 0 ? "" : ", ") + postgres::quote_identifier(column.name);
    arrays += (i == 0 ? "" : ", ") + array_literal(by_column[i], column.type_name);
  }
  if (width == 1) return "(" + names + " = ANY (" + arrays + "))";
  return "((" + names + ") IN (SELECT * FROM unnest(" + arrays + ")))";
}

std::string certain(const shape::Definition& definition, const Views& views) {
  return "coalesce((" + condition_under(definition, views) + "), false)";
}

}  // namespace

std::string condition_under(const shape::Definition& definition, const Views& views) {
  const where::Plan& plan = *definition.condition()->plan();
  return definition.condition()->sql_with([&](std::size_t p) {
    return membership(definition.relation(), plan.positions[p],
                      views.sets.at(*plan.positions[p].dependency));
  });
}

std::string snapshot_condition(const shape::Definition& definition, const Views& views) {
  if (definition.dependencies().empty())
    return definition.condition() ? definition.condition()->canonical_sql() : std::string();
  return condition_under(definition, views);
}

std::string entering_condition(const shape::Definition& definition, const Views& before,
                               const Views& after) {
  return certain(definition, after) + " AND NOT " + certain(definition, before);
}

std::string either_condition(const shape::Definition& definition, const Views& before,
                             const Views& after) {
  return certain(definition, after) + " OR " + certain(definition, before);
}

}  // namespace holdfast::subquery
