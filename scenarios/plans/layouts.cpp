#include "scenarios/plans/layouts.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Column;
using sim::postgres::ColumnText;
using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TableDefinition;
using sim::postgres::TypeId;

constexpr unsigned k_percent = 40;        ///< of plans
constexpr unsigned k_inner_percent = 40;  ///< of tables that only sub-selects read
constexpr unsigned k_doubled_percent = 40;

/// Calls visit(statement) for all of the plan, the rows of the start first.
template <class Visit>
void each_statement(Plan& plan, Visit visit) {
  for (Statement& row : plan.initial_rows) visit(row);
  for (PlannedTransaction& transaction : plan.transactions)
    for (Statement& statement : transaction.statements) visit(statement);
}

void rebuild_columns(TableDefinition& table, TableLayout layout) {
  std::vector<Column>& columns = table.columns;
  const auto id = std::find_if(columns.begin(), columns.end(),
                               [](const Column& column) { return column.name == "id"; });
  ASSERT(id == columns.begin(), "the table has the usual layout");
  switch (layout) {
    case TableLayout::usual:
      return;
    case TableLayout::key_elsewhere:
      std::rotate(id, id + 1, id + 3);
      return;
    case TableLayout::composite:
      id->key_position = 2;
      columns.push_back({std::string(k_part_column), TypeId::text, true, 1, 0});
      return;
    case TableLayout::keyless:
      id->key_position = 0;
      columns.push_back({std::string(k_entry_column), TypeId::int8, true, 0, 0});
      return;
  }
}

/// Two rows share an id, two halves of the table a part.
void split_key(std::vector<ColumnText>& cells) {
  const auto id = std::find_if(cells.begin(), cells.end(),
                               [](const ColumnText& cell) { return cell.first == "id"; });
  if (id == cells.end()) return;
  const std::uint64_t key = std::stoull(*id->second);
  id->second = std::to_string(key / 2);
  cells.emplace_back(k_part_column, key % 2 == 0 ? "a" : "b/\"c\"");
}

void rewrite_statements(Plan& plan, const TableDefinition& table, TableLayout layout) {
  std::uint64_t entries = 0;
  each_statement(plan, [&](Statement& statement) {
    if (!(statement.table == table.name)) return;
    if (layout == TableLayout::composite) {
      split_key(statement.set);
      split_key(statement.where);
    }
    if (layout == TableLayout::keyless && statement.kind == StatementKind::insert)
      statement.set.emplace_back(k_entry_column, std::to_string(entries++));
  });
}

/// Each of these rows that are inserted may be inserted a second time.
std::vector<Statement> doubled(const std::vector<Statement>& statements,
                               const sim::postgres::RelationName& table, const Draws& draws) {
  std::vector<Statement> more;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    more.push_back(statements[i]);
    const bool row = statements[i].kind == StatementKind::insert && statements[i].table == table;
    if (row && draws.percent(k_doubled_percent, "row", i)) more.push_back(statements[i]);
  }
  return more;
}

bool defines_what_another_does(const Plan& plan, const oracle::ShapeSpec& spec) {
  return std::any_of(plan.specs.begin(), plan.specs.end(), [&](const oracle::ShapeSpec& other) {
    return other.name != spec.name && same_definition(other, spec);
  });
}

void rewrite_specs(Plan& plan, const TableDefinition& table, TableLayout layout) {
  for (oracle::ShapeSpec& spec : plan.specs) {
    if (spec.table != table.name.table) continue;
    describe_columns(spec, table);
    if (spec.columns.empty()) continue;
    if (layout == TableLayout::composite) spec.columns.emplace_back(k_part_column);
    // All columns are the key then, so that a list has them all. One that was added later would be
    // missing in it.
    if (layout == TableLayout::keyless)
      spec.columns = plan.alterations.empty() ? spec.all_columns : std::vector<std::string>();
    while (defines_what_another_does(plan, spec))
      spec.where = spec.where.empty() ? "id >= 0" : "(" + spec.where + ") AND id >= 0";
  }
}

}  // namespace

TableLayout layout_of(const TableDefinition& table) {
  if (find_column(table, k_part_column) != nullptr) return TableLayout::composite;
  if (find_column(table, k_entry_column) != nullptr) return TableLayout::keyless;
  return table.columns.front().name == "id" ? TableLayout::usual : TableLayout::key_elsewhere;
}

void lay_out(Plan& plan, std::size_t table, TableLayout layout) {
  TableDefinition& definition = plan.tables.at(table);
  rebuild_columns(definition, layout);
  rewrite_statements(plan, definition, layout);
  rewrite_specs(plan, definition, layout);
}

void double_inner_rows(Plan& plan, const Draws& draws) {
  for (std::size_t t = 0; t < plan.tables.size(); ++t) {
    TableDefinition& table = plan.tables[t];
    const auto is_inner = [&](const oracle::ShapeSpec& spec) {
      return std::find(spec.inner_tables.begin(), spec.inner_tables.end(), table.name.table) !=
             spec.inner_tables.end();
    };
    const auto is_outer = [&](const auto& spec) { return spec.table == table.name.table; };
    if (std::none_of(plan.specs.begin(), plan.specs.end(), is_inner) ||
        std::any_of(plan.specs.begin(), plan.specs.end(), is_outer) ||
        !draws.percent(k_inner_percent, "keyless", t))
      continue;
    for (Column& column : table.columns) column.key_position = 0;
    const Draws rows = draws.of("rows", t);
    plan.initial_rows = doubled(plan.initial_rows, table.name, rows);
    for (std::size_t i = 0; i < plan.transactions.size(); ++i) {
      PlannedTransaction& transaction = plan.transactions[i];
      transaction.statements =
          doubled(transaction.statements, table.name, rows.of("transaction", i));
      transaction.pauses.resize(transaction.statements.size());
    }
  }
}

void lay_out_tables(Plan& plan, const Draws& draws) {
  if (!draws.percent(k_percent, "at all")) return;
  for (std::size_t table = 0; table < plan.tables.size(); ++table)
    lay_out(plan, table, static_cast<TableLayout>(draws.below(k_table_layouts, "layout", table)));
}

}  // namespace holdfast::scenarios
