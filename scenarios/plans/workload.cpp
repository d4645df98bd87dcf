#include "scenarios/plans/workload.hpp"

#include <array>

namespace holdfast::scenarios {
namespace {

using sim::postgres::ColumnText;
using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TableDefinition;
using sim::postgres::TypeId;

using Text = std::optional<std::string>;

Text draw_cell(std::string_view column, const Draws& draws) {
  if (column != "v" && draws.percent(15, "null")) return std::nullopt;
  if (column == "v") return std::to_string(static_cast<int>(draws.below(8, "v")) - 2);
  if (column == "name")
    return draws.one_of<std::string>({"alpha", "beta", "a/b", "", "al_ha", "ALPHA", "it's \"q\"",
                                      "\xce\xb1\xcf\x89", "line\nbreak"},
                                     "name");
  if (column == "flag") return draws.percent(50, "flag") ? "t" : "f";
  if (column == "score")
    return draws.one_of<std::string>({"0", "1.50", "-3", "10.0", "99999999999.125", "NaN"},
                                     "score");
  return draws.one_of<std::string>(
      {"2026-01-01 00:00:00+00", "2025-12-31 23:59:59.5+00", "1999-06-30 12:00:00+00", "infinity"},
      "at");
}

constexpr std::array<const char*, 5> k_value_columns = {"v", "name", "flag", "score", "at"};

std::string make_atom(const Draws& draws) {
  const std::string number = std::to_string(static_cast<int>(draws.below(8, "number")) - 2);
  switch (draws.below(14, "atom")) {
    case 0:
      return "v = " + number;
    case 1:
      return "v > " + number;
    case 2:
      return "v <> " + number;
    case 3:
      return "v IN (0, 2, " + number + ")";
    case 4:
      return "v BETWEEN -1 AND " + number;
    case 5:
      return "name = 'alpha'";
    case 6:
      return "name LIKE 'a%'";
    case 7:
      return "name ILIKE 'AL\\_%'";
    case 8:
      return "name IS NULL";
    case 9:
      return "flag";
    case 10:
      return "score >= 1.5";
    case 11:
      return "score IS NOT NULL";
    case 12:
      return "at < '2026-01-01 00:00:00+00'";
    default:
      return "id < 6";
  }
}

}  // namespace

TableDefinition make_table(unsigned index) {
  TableDefinition table;
  table.name = {"public", "t" + std::to_string(index)};
  const auto add = [&](const char* name, TypeId type, std::uint16_t key_position, bool not_null) {
    sim::postgres::Column column;
    column.name = name;
    column.type = type;
    column.key_position = key_position;
    column.not_null = not_null;
    table.columns.push_back(column);
  };
  add("id", TypeId::int8, 1, true);
  add("v", TypeId::int4, 0, true);
  add("name", TypeId::text, 0, false);
  add("flag", TypeId::boolean, 0, false);
  add("score", TypeId::numeric, 0, false);
  add("at", TypeId::timestamptz, 0, false);
  return table;
}

Statement make_insert(const TableDefinition& table, std::uint64_t key, const Draws& draws) {
  Statement statement{StatementKind::insert, table.name, {{"id", std::to_string(key)}}, {}, {}};
  for (const char* column : k_value_columns)
    statement.set.emplace_back(column, draw_cell(column, draws.of(column)));
  return statement;
}

Statement make_mutation(const TableDefinition& table, std::uint64_t keys, const Draws& draws) {
  const std::uint64_t key = draws.below(keys, "key");
  const ColumnText where{"id", std::to_string(key)};
  const std::uint64_t kind = draws.below(100, "kind");
  if (kind < 30) return make_insert(table, key, draws.of("row"));
  if (kind < 45) return {StatementKind::erase, table.name, {}, {where}, {}};
  Statement update{StatementKind::update, table.name, {}, {where}, {}};
  if (kind < 52) update.set.emplace_back("id", std::to_string(draws.below(keys, "new_key")));
  for (const char* column : k_value_columns)
    if (draws.percent(35, column))
      update.set.emplace_back(column, draw_cell(column, draws.of(column)));
  if (update.set.empty()) update.set.emplace_back("v", draw_cell("v", draws.of("v")));
  return update;
}

std::optional<Statement> make_room_for(const Statement& statement) {
  if (statement.kind != StatementKind::insert && statement.kind != StatementKind::update)
    return std::nullopt;
  const auto id = std::find_if(statement.set.begin(), statement.set.end(),
                               [](const ColumnText& cell) { return cell.first == "id"; });
  if (id == statement.set.end()) return std::nullopt;
  // A row that moves to where it is collides with nobody.
  if (std::find(statement.where.begin(), statement.where.end(), *id) != statement.where.end())
    return std::nullopt;
  return Statement{StatementKind::erase, statement.table, {}, {*id}, {}};
}

std::vector<Statement> with_room(std::vector<Statement> statements) {
  std::vector<Statement> roomy;
  for (Statement& statement : statements) {
    if (auto room = make_room_for(statement)) roomy.push_back(std::move(*room));
    roomy.push_back(std::move(statement));
  }
  return roomy;
}

std::string make_where(const Draws& draws) {
  const std::string first = make_atom(draws.of("first"));
  const std::string second = make_atom(draws.of("second"));
  switch (draws.below(8, "form")) {
    case 0:
      return {};
    case 1:
      return first + " AND " + second;
    case 2:
      return first + " OR " + second;
    case 3:
      return "NOT (" + first + ")";
    case 4:
      return "(" + first + " OR " + second + ") AND NOT " + make_atom(draws.of("third"));
    default:
      return first;
  }
}

namespace {

/// Over columns that are NULL in a row of seven; each is unknown for such a row, or asks about it.
std::string make_unknown_atom(const Draws& draws) {
  return draws.one_of<std::string>({"score <> 1.5",
                                    "name <> 'alpha'",
                                    "at <> '2026-01-01 00:00:00+00'",
                                    "flag <> true",
                                    "score NOT IN (1.5, -3)",
                                    "name NOT IN ('alpha', NULL)",
                                    "score IN (1.5, NULL)",
                                    "v NOT IN (1, NULL)",
                                    "score BETWEEN 0 AND NULL",
                                    "score NOT BETWEEN 0 AND 5",
                                    "v NOT BETWEEN NULL AND 1",
                                    "score NOT BETWEEN SYMMETRIC 10 AND 0",
                                    "name NOT LIKE 'a%'",
                                    "name NOT ILIKE '%A%'",
                                    "name LIKE NULL",
                                    "score::text = '1.50'",
                                    "v::text > '1'",
                                    "v::numeric = score",
                                    "v < score",
                                    "score IS DISTINCT FROM 1.5",
                                    "name IS NOT DISTINCT FROM 'alpha'",
                                    "name IS DISTINCT FROM score::text",
                                    "flag IS NOT DISTINCT FROM (score > 1)",
                                    "flag <> (name = 'alpha')",
                                    "(score > 1) = flag",
                                    "v = NULL",
                                    "NOT flag"},
                                   "unknown_atom");
}

}  // namespace

std::string make_unknown_where(const Draws& draws) {
  const std::string first = make_unknown_atom(draws.of("first"));
  const std::string second = make_unknown_atom(draws.of("second"));
  const std::string junction =
      "(" + first + (draws.percent(50, "or") ? ") OR (" : ") AND (") + second + ")";
  static const std::vector<std::string> k_tests{" IS TRUE",      " IS NOT TRUE", " IS FALSE",
                                                " IS NOT FALSE", " IS UNKNOWN",  " IS NOT UNKNOWN"};
  switch (draws.below(6, "unknown_form")) {
    case 0:
      return first;
    case 1:
      return "NOT (" + first + ")";
    case 2:
      return junction;
    case 3:
      return "NOT (" + junction + ")";
    case 4:
      return "(" + first + ")" + draws.one_of(k_tests, "test");
    default:
      return "(" + junction + ")" + draws.one_of(k_tests, "test");
  }
}

void describe_columns(oracle::ShapeSpec& spec, const TableDefinition& table) {
  spec.all_columns.clear();
  spec.key_columns.clear();
  spec.bool_columns.clear();
  for (const auto& column : table.columns) {
    spec.all_columns.push_back(column.name);
    if (column.type == TypeId::boolean) spec.bool_columns.push_back(column.name);
    if (column.key_position == 0) continue;
    if (spec.key_columns.size() < column.key_position) spec.key_columns.resize(column.key_position);
    spec.key_columns[column.key_position - 1U] = column.name;
  }
}

oracle::ShapeSpec make_spec(const TableDefinition& table, std::string name, const Draws& draws) {
  oracle::ShapeSpec spec;
  spec.name = std::move(name);
  spec.table = table.name.table;
  spec.where = make_where(draws.of("where"));
  describe_columns(spec, table);
  if (draws.percent(30, "columns")) {
    spec.columns = {"id"};
    for (const char* column : k_value_columns)
      if (draws.percent(50, column)) spec.columns.push_back(column);
  }
  if (draws.percent(25, "replica")) spec.replica = oracle::ReplicaMode::full;
  return spec;
}

const sim::postgres::Column* find_column(const sim::postgres::TableDefinition& table,
                                         std::string_view name) {
  for (const sim::postgres::Column& column : table.columns)
    if (column.name == name) return &column;
  return nullptr;
}

std::vector<Statement> final_rows(const Plan& plan) {
  const std::string key(k_final_key);
  const std::pair<std::string, std::string> cells[] = {
      {"id", key},          {"v", "1"},        {"name", "alpha"}, {"active", "t"},
      {"open", "t"},        {"l1_id", key},    {"l2_id", key},    {"l3_id", key},
      {"tag", "a"},         {"owner_id", key}, {"group_id", key}, {"project_id", key},
      {"document_id", key}, {"part", "z"},     {"entry", key}};
  std::vector<Statement> rows;
  for (const TableDefinition& table : plan.tables) {
    rows.push_back({StatementKind::insert, table.name, {}, {}, {}});
    for (const auto& [name, text] : cells)
      if (find_column(table, name) != nullptr) rows.back().set.emplace_back(name, text);
  }
  return rows;
}

sim::postgres::CommitResult commit_at_once(
    sim::postgres::PostgresModel& postgres,
    const std::vector<sim::postgres::Statement>& statements) {
  const sim::postgres::Session session = postgres.begin();
  for (const sim::postgres::Statement& statement : statements) {
    const auto result = postgres.execute(session, statement);
    ASSERT(result.outcome == sim::postgres::ExecuteOutcome::ok, "nothing stops these statements");
  }
  const auto committed = postgres.log_commit(session, sim::postgres::Synchronous::on);
  postgres.show_commit(session);
  return committed;
}

}  // namespace holdfast::scenarios
