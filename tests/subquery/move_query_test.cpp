// The conditions that cross the seam, on a real Postgres: the rows that they select must be those
// that SQL's own logic selects under the same sets, NULLs and quotes included (F-31).
#include "core/subquery/move_query.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <iostream>

#include "core/where/link_value.hpp"
#include "tests/subquery/clause.hpp"
#include "tools/postgres/throwaway_postgres.hpp"

namespace holdfast::subquery {
namespace {

using test::Cells;

constexpr std::array k_texts = {"1", "2", "a b", "it's", "\"q\\", "{x,y}", ""};

postgres::RelationInfo relation(const char* name) {
  postgres::RelationInfo made;
  made.oid = {1};
  made.name = {"public", name};
  const std::tuple<const char*, std::uint32_t, const char*> columns[] = {
      {"id", 20, "int8"}, {"a", 25, "text"}, {"b", 1700, "numeric"}, {"c", 23, "int4"}};
  for (const auto& [column_name, oid, type] : columns) {
    postgres::ColumnInfo column;
    column.name = column_name;
    column.type = {oid};
    column.type_name = type;
    made.columns.push_back(column);
  }
  made.columns.front().key_position = 1;
  return made;
}

const std::vector<test::Source> k_sources = {{"a IN (SELECT a FROM p)", {1}},
                                             {"b IN (SELECT b FROM p)", {2}},
                                             {"(a, b) IN (SELECT a, b FROM p)", {1, 2}}};

std::optional<std::string> cell(test::Dice& dice, std::size_t column) {
  static const std::vector<std::string> numbers = {"1", "1.0", "2", "-0.50", "NaN"};
  if (dice.one_in(5)) return std::nullopt;
  if (column == 1) return k_texts[dice.below(k_texts.size())];
  if (column == 2) return dice.one_of(numbers);
  return std::to_string(1 + dice.below(2));
}

class RealRows {
 public:
  explicit RealRows(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {}

  std::set<std::string> ask(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    EXPECT_TRUE(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        << sql << "\n"
        << PQerrorMessage(connection_.get());
    std::set<std::string> ids;
    for (int row = 0; row < PQntuples(result.get()); ++row)
      ids.insert(PQgetvalue(result.get(), row, 0));
    return ids;
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

/// Random sets for the dependencies of a definition, packed for the engine and plain for the test.
std::pair<Views, test::ValueSets> random_views(test::Dice& dice,
                                               const shape::Definition& definition) {
  Views views;
  test::ValueSets plain;
  for (const shape::Dependency& dependency : definition.dependencies()) {
    std::vector<std::string> packed;
    plain.emplace_back();
    for (std::size_t n = dice.below(5); n > 0; --n) {
      test::Value value;
      packed.emplace_back();
      for (const std::uint16_t column : dependency.link) {
        const auto text = cell(dice, column);
        value.push_back(text && column == 2 ? std::optional(test::canonical(*text)) : text);
        where::append_packed(packed.back(), value.back());
      }
      plain.back().insert(std::move(value));
    }
    views.sets.emplace_back(packed);
  }
  return {std::move(views), std::move(plain)};
}

TEST(MoveQueries, SelectOnPostgresWhatTheirSetsSay) {
  if (!tools::ThrowawayPostgres::installed()) {
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string(ci) == "true") FAIL() << "CI has no Postgres";
    GTEST_SKIP() << "no Postgres is installed";
  }
  tools::ThrowawayPostgres server;
  RealRows real(server.url());
  test::Dice dice(11);
  std::map<std::string, Cells> rows;
  (void)real.ask("CREATE TABLE o (id int8 PRIMARY KEY, a text, b numeric, c int4)");
  for (int id = 1; id <= 60; ++id) {
    Cells row = {std::to_string(id), cell(dice, 1), cell(dice, 2), cell(dice, 3)};
    std::string values = std::to_string(id);
    for (std::size_t i = 1; i < row.size(); ++i) {
      values += ", ";
      if (!row[i]) {
        values += "NULL";
        continue;
      }
      values += '\'';
      for (const char c : *row[i]) values += c == '\'' ? "''" : std::string(1, c);
      values += '\'';
    }
    (void)real.ask("INSERT INTO o VALUES (" + values + ")");
    rows.emplace(std::to_string(id), std::move(row));
  }
  std::size_t selected = 0;
  for (int turn = 0; turn < 400 && !testing::Test::HasFailure(); ++turn) {
    const test::Clause clause = test::random_clause(dice, k_sources);
    const where::Relations relations = {relation("p")};
    const postgres::RelationInfo outer = relation("o");
    const auto made = shape::Definition::resolve(
        {.table = outer.name, .columns = {}, .where = clause.sql(k_sources)}, outer, &relations);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const auto [before, plain_before] = random_views(dice, *made);
    const auto [after, plain_after] = random_views(dice, *made);
    std::set<std::string> snapshot;
    std::set<std::string> entering;
    std::set<std::string> either;
    for (const auto& [id, row] : rows) {
      const bool was = clause.holds(row, k_sources, plain_before) == 2;
      const bool is = clause.holds(row, k_sources, plain_after) == 2;
      if (is) snapshot.insert(id);
      if (is && !was) entering.insert(id);
      if (is || was) either.insert(id);
    }
    selected += entering.size();
    const std::string select = "SELECT id FROM o WHERE ";
    EXPECT_EQ(real.ask(select + snapshot_condition(*made, after)), snapshot);
    EXPECT_EQ(real.ask(select + entering_condition(*made, before, after)), entering)
        << entering_condition(*made, before, after);
    EXPECT_EQ(real.ask(select + either_condition(*made, before, after)), either);
  }
  EXPECT_GT(selected, 1000U) << "the queries are not empty";
}

}  // namespace
}  // namespace holdfast::subquery
