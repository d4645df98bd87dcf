#include "scenarios/subquery_workload.hpp"

#include <algorithm>

#include "scenarios/subquery_clauses.hpp"
#include "scenarios/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::ColumnText;
using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TableDefinition;
using sim::postgres::TypeId;

/// What stands in a column.
enum class Content : std::uint8_t { reference, flag, word, number, decimal };

struct WorldColumn {
  const char* name;
  Content content;
};
struct WorldTable {
  const char* name;
  std::vector<WorldColumn> columns;  ///< beside the key, `id`
};

const std::vector<WorldTable>& tables_of(SubqueryWorld world) {
  using enum Content;
  static const std::vector<WorldTable> k_hierarchy = {
      {"l1", {{"active", flag}, {"name", word}}},
      {"l2", {{"l1_id", reference}, {"active", flag}, {"name", word}}},
      {"l3", {{"l2_id", reference}, {"active", flag}, {"name", word}}},
      {"l4", {{"l3_id", reference}, {"active", flag}, {"name", word}, {"v", number}}},
      {"l1_tags", {{"owner_id", reference}, {"tag", word}}},
      {"l2_tags", {{"owner_id", reference}, {"tag", word}}},
      {"l3_tags", {{"owner_id", reference}, {"tag", word}}},
      {"l4_tags", {{"owner_id", reference}, {"tag", word}}}};
  static const std::vector<WorldTable> k_tracker = {
      {"projects", {{"active", flag}, {"name", word}}},
      {"issues", {{"project_id", reference}, {"status", word}, {"v", number}}}};
  static const std::vector<WorldTable> k_access = {
      {"groups", {{"open", flag}, {"name", word}}},
      {"memberships", {{"user_id", reference}, {"group_id", reference}, {"role", word}}},
      {"grants", {{"user_id", reference}, {"document_id", reference}}},
      {"documents", {{"owner_id", reference}, {"group_id", reference}, {"name", word}}}};
  static const std::vector<WorldTable> k_awkward = {
      {"inner_rows", {{"i", number}, {"n", decimal}, {"t", word}, {"flag", flag}}},
      {"outer_rows", {{"i", number}, {"n", decimal}, {"t", word}, {"flag", flag}}}};
  switch (world) {
    case SubqueryWorld::hierarchy:
      return k_hierarchy;
    case SubqueryWorld::tracker:
      return k_tracker;
    case SubqueryWorld::access:
      return k_access;
    case SubqueryWorld::awkward:
      return k_awkward;
  }
  ASSERT(false, "there are four worlds");
}

TypeId type_of(Content content) {
  switch (content) {
    case Content::reference:
      return TypeId::int8;
    case Content::flag:
      return TypeId::boolean;
    case Content::word:
      return TypeId::text;
    case Content::number:
      return TypeId::int4;
    case Content::decimal:
      return TypeId::numeric;
  }
  ASSERT(false, "there are five contents");
}

/// References go to one row beyond those that can exist, too.
std::optional<std::string> draw_cell(SubqueryWorld world, Content content, std::uint64_t keys,
                                     const Draws& draws) {
  if (draws.percent(world == SubqueryWorld::awkward ? 30 : 12, "null")) return std::nullopt;
  switch (content) {
    case Content::reference:
      return std::to_string(draws.below(keys + 1, "reference"));
    case Content::flag:
      return draws.percent(50, "flag") ? "t" : "f";
    case Content::word:
      return draws.one_of<std::string>({"a", "a", "b", "b", "", "it's", "a/b", "NULL"}, "word");
    case Content::number:
      return std::to_string(draws.below(4, "number"));
    case Content::decimal:
      return draws.one_of<std::string>({"1", "1.0", "1.00", "0", "0.0", "-2.50", "-2.5"},
                                       "decimal");
  }
  ASSERT(false, "there are five contents");
}

ColumnText cell_of(SubqueryWorld world, const WorldColumn& column, std::uint64_t keys,
                   const Draws& draws) {
  return {column.name, draw_cell(world, column.content, keys, draws.of(column.name))};
}

const WorldColumn& draw_column(const WorldTable& table, const Draws& draws) {
  return draws.one_of(table.columns, "column");
}

/// One row there and back, up to four times in one transaction.
std::vector<Statement> toggles(const Statement& update, const char* column, const Draws& draws) {
  std::vector<Statement> statements;
  const std::uint64_t count = draws.between(1, 4, "toggles");
  bool on = draws.percent(50, "on");
  for (std::uint64_t i = 0; i < count; ++i, on = !on) {
    statements.push_back(update);
    statements.back().set = {{column, on ? "t" : "f"}};
  }
  return statements;
}

}  // namespace

std::vector<TableDefinition> make_subquery_tables(SubqueryWorld world) {
  std::vector<TableDefinition> tables;
  for (const WorldTable& table : tables_of(world)) {
    TableDefinition& made = tables.emplace_back();
    made.name = {"public", table.name};
    made.columns.push_back({"id", TypeId::int8, true, 1, 0});
    for (const WorldColumn& column : table.columns)
      made.columns.push_back({column.name, type_of(column.content), false, 0, 0});
  }
  return tables;
}

Statement make_subquery_row(SubqueryWorld world, std::size_t table, std::uint64_t key,
                            const Draws& draws) {
  const WorldTable& into = tables_of(world).at(table);
  Statement insert;
  insert.table = {"public", into.name};
  insert.set.emplace_back("id", std::to_string(key));
  for (const WorldColumn& column : into.columns)
    insert.set.push_back(cell_of(world, column, std::max<std::uint64_t>(key, 4), draws));
  return insert;
}

std::vector<Statement> make_subquery_mutation(SubqueryWorld world, std::uint64_t keys,
                                              const Draws& draws) {
  const std::size_t number = draws.below(tables_of(world).size(), "table");
  const WorldTable& table = tables_of(world)[number];
  const std::uint64_t key = draws.below(keys, "key");
  const std::uint64_t kind = draws.below(100, "kind");
  if (kind < 12) return {make_subquery_row(world, number, key, draws.of("row"))};
  Statement change;
  change.table = {"public", table.name};
  change.where = {{"id", std::to_string(key)}};
  if (kind < 20) {
    change.kind = StatementKind::erase;
    return {change};
  }
  change.kind = StatementKind::update;
  if (kind < 26) {
    change.set = {{"id", std::to_string(draws.below(keys, "new_key"))}};
    return {change};
  }
  const auto flag = std::find_if(table.columns.begin(), table.columns.end(),
                                 [](const auto& one) { return one.content == Content::flag; });
  if (kind < 55 && flag != table.columns.end()) return toggles(change, flag->name, draws);
  change.set = {cell_of(world, draw_column(table, draws), keys, draws)};
  if (kind >= 97) change.where.clear();  // all rows of the table
  return {change};
}

oracle::ShapeSpec make_subquery_spec(SubqueryWorld world, std::string name, std::uint64_t keys,
                                     const Draws& draws) {
  const SubqueryClause clause = make_subquery_clause(world, keys, draws.of("where"));
  oracle::ShapeSpec spec;
  spec.name = std::move(name);
  spec.table = clause.table;
  spec.where = clause.text;
  spec.inner_tables = clause.inner_tables;
  for (const TableDefinition& table : make_subquery_tables(world))
    if (table.name.table == spec.table) describe_columns(spec, table);
  if (draws.percent(25, "columns")) spec.columns = {"id", spec.all_columns.back()};
  if (draws.percent(25, "replica")) spec.replica = oracle::ReplicaMode::full;
  return spec;
}

}  // namespace holdfast::scenarios
