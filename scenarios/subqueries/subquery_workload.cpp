#include "scenarios/subqueries/subquery_workload.hpp"

#include <algorithm>

#include "scenarios/plans/workload.hpp"
#include "scenarios/subqueries/subquery_clauses.hpp"

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
/// What mostly happens to a table's rows.
enum class Life : std::uint8_t {
  changing,   ///< their values change
  connecting  ///< they come and go: tags, memberships, grants
};
struct WorldTable {
  const char* name;
  std::vector<WorldColumn> columns;  ///< beside the key, `id`
  Life life = Life::changing;
};

const std::vector<WorldTable>& tables_of(SubqueryWorld world) {
  using enum Content;
  static const std::vector<WorldTable> k_hierarchy = {
      {"l1", {{"active", flag}, {"name", word}}},
      {"l2", {{"l1_id", reference}, {"active", flag}, {"name", word}}},
      {"l3", {{"l2_id", reference}, {"active", flag}, {"name", word}}},
      {"l4", {{"l3_id", reference}, {"active", flag}, {"name", word}, {"v", number}}},
      {"l1_tags", {{"owner_id", reference}, {"tag", word}}, Life::connecting},
      {"l2_tags", {{"owner_id", reference}, {"tag", word}}, Life::connecting},
      {"l3_tags", {{"owner_id", reference}, {"tag", word}}, Life::connecting},
      {"l4_tags", {{"owner_id", reference}, {"tag", word}}, Life::connecting}};
  static const std::vector<WorldTable> k_tracker = {
      {"projects", {{"active", flag}, {"name", word}}},
      {"issues", {{"project_id", reference}, {"status", word}, {"v", number}}}};
  static const std::vector<WorldTable> k_access = {
      {"groups", {{"open", flag}, {"name", word}}},
      {"memberships",
       {{"user_id", reference}, {"group_id", reference}, {"role", word}},
       Life::connecting},
      {"grants", {{"user_id", reference}, {"document_id", reference}}, Life::connecting},
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

TypeId type_of(const SubqueryWorkload& workload, Content content) {
  const bool rare = workload.key_type != TypeId::int8;
  switch (content) {
    case Content::reference:
      return workload.key_type;
    case Content::flag:
      return TypeId::boolean;
    case Content::word:
      return rare ? TypeId::varchar : TypeId::text;
    case Content::number:
      return rare ? TypeId::int2 : TypeId::int4;
    case Content::decimal:
      return TypeId::numeric;
  }
  ASSERT(false, "there are five contents");
}

unsigned null_percent(const SubqueryWorkload& workload) {
  if (workload.many_nulls) return 40;
  return workload.world == SubqueryWorld::awkward ? 30 : 12;
}

/// References go to one row beyond those that can exist, too.
std::optional<std::string> draw_cell(const SubqueryWorkload& workload, Content content,
                                     std::uint64_t keys, const Draws& draws) {
  if (draws.percent(null_percent(workload), "null")) return std::nullopt;
  switch (content) {
    case Content::reference: {
      const std::string key = std::to_string(draws.below(keys + 1, "reference"));
      const bool longer = workload.key_type == TypeId::numeric && draws.percent(50, "scale");
      return longer ? key + ".0" : key;
    }
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

ColumnText cell_of(const SubqueryWorkload& workload, const WorldTable& table, std::size_t column,
                   std::uint64_t keys, const Draws& draws) {
  const auto& [name, content] = table.columns[column];
  return {name, draw_cell(workload, content, keys, draws.of(name))};
}

std::optional<std::size_t> find_content(const WorldTable& table, Content content) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].content == content) return i;
  return std::nullopt;
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

std::vector<TableDefinition> make_subquery_tables(const SubqueryWorkload& workload) {
  std::vector<TableDefinition> tables;
  for (const WorldTable& table : tables_of(workload.world)) {
    TableDefinition& made = tables.emplace_back();
    made.name = {"public", table.name};
    made.columns.push_back({"id", workload.key_type, true, 1, 0});
    for (const WorldColumn& column : table.columns)
      made.columns.push_back({column.name, type_of(workload, column.content), false, 0, 0});
  }
  return tables;
}

Statement make_subquery_row(const SubqueryWorkload& workload, std::size_t table, std::uint64_t key,
                            const Draws& draws) {
  const WorldTable& into = tables_of(workload.world).at(table);
  Statement insert;
  insert.table = {"public", into.name};
  insert.set.emplace_back("id", std::to_string(key));
  for (std::size_t i = 0; i < into.columns.size(); ++i)
    insert.set.push_back(cell_of(workload, into, i, std::max<std::uint64_t>(key, 4), draws));
  return insert;
}

std::vector<Statement> make_subquery_mutation(const SubqueryWorkload& workload, std::uint64_t keys,
                                              const Draws& draws) {
  const std::size_t number = draws.below(tables_of(workload.world).size(), "table");
  const WorldTable& table = tables_of(workload.world)[number];
  const bool connecting = table.life == Life::connecting;
  const std::uint64_t key = draws.below(keys, "key");
  const std::uint64_t kind = draws.below(100, "kind");
  if (kind < (connecting ? 35 : 10))
    return {make_subquery_row(workload, number, key, draws.of("row"))};
  Statement change;
  change.table = {"public", table.name};
  change.where = {{"id", std::to_string(key)}};
  if (kind < (connecting ? 60 : 18)) {
    change.kind = StatementKind::erase;
    return {change};
  }
  change.kind = StatementKind::update;
  if (kind < (connecting ? 65 : 24)) {
    change.set = {{"id", std::to_string(draws.below(keys, "new_key"))}};
    return {change};
  }
  const auto flag = find_content(table, Content::flag);
  if (kind < 52 && flag) return toggles(change, table.columns[*flag].name, draws);
  // A row of another parent, owner or project; else any value.
  const auto reference = find_content(table, Content::reference);
  const std::size_t column =
      kind < 76 && reference ? *reference : draws.below(table.columns.size(), "column");
  change.set = {cell_of(workload, table, column, keys, draws)};
  if (kind >= 97) change.where.clear();  // all rows of the table
  return {change};
}

oracle::ShapeSpec make_subquery_spec(const SubqueryWorkload& workload, std::string name,
                                     std::uint64_t keys, const Draws& draws) {
  const SubqueryClause clause = make_subquery_clause(workload.world, keys, draws.of("where"));
  oracle::ShapeSpec spec;
  spec.name = std::move(name);
  spec.table = clause.table;
  spec.where = clause.text;
  spec.inner_tables = clause.inner_tables;
  for (const TableDefinition& table : make_subquery_tables(workload))
    if (table.name.table == spec.table) describe_columns(spec, table);
  if (draws.percent(25, "columns")) spec.columns = {"id", spec.all_columns.back()};
  if (draws.percent(25, "replica")) spec.replica = oracle::ReplicaMode::full;
  return spec;
}

}  // namespace holdfast::scenarios
