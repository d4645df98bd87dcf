// What a clause with subqueries is taken apart into, and in which words one is refused
// (where-clauses.md §12, engine.md §3.1): clients see the texts, and a wrong plan loses rows.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/where/condition.hpp"
#include "core/where/link_value.hpp"
#include "core/where/plan.hpp"
#include "tests/where/sample_relation.hpp"

namespace holdfast::where {
namespace {

using Columns = std::vector<std::tuple<const char*, std::uint32_t, const char*>>;

postgres::RelationInfo table(const std::string& schema, const std::string& name,
                             const Columns& columns) {
  postgres::RelationInfo made;
  made.oid = {20000};
  made.name = {schema, name};
  for (const auto& [column_name, oid, type] : columns) {
    postgres::ColumnInfo column;
    column.name = column_name;
    column.type = {oid};
    column.type_name = type;
    made.columns.push_back(column);
  }
  return made;
}

const Relations& relations() {
  static const Relations made = {table("public", "parent",
                                       {{"id", 23, "int4"},
                                        {"big", 20, "int8"},
                                        {"t", 25, "text"},
                                        {"up", 23, "int4"},
                                        {"j", 3802, "jsonb"}}),
                                 table("public", "top", {{"id", 23, "int4"}, {"up", 23, "int4"}}),
                                 table("other", "We\"ird", {{"id", 23, "int4"}, {"t", 25, "text"}}),
                                 table("public", "gone", {})};
  return made;
}

Result<Condition, WhereError> try_compile(const std::string& clause,
                                          const std::map<unsigned, std::string>& parameters = {}) {
  return Condition::compile(clause, parameters, test::k_relation(), &relations());
}

Condition compiled(const std::string& clause,
                   const std::map<unsigned, std::string>& parameters = {}) {
  auto condition = try_compile(clause, parameters);
  EXPECT_TRUE(condition.ok()) << clause << ": "
                              << (condition.ok() ? "" : condition.error().message);
  return std::move(condition).value();
}

std::string refusal(const std::string& clause) {
  const auto condition = try_compile(clause);
  return condition.ok() ? "accepted as " + condition->canonical_sql()
                        : condition.error().field + ": " + condition.error().message;
}

TEST(Subqueries, BecomeRequestsForInnerShapes) {
  const Condition made = compiled(
      "i4 in (select id from parent p where t = $1 and up in (select id from top where up > 5)) "
      "AND (t, i4) NOT IN (SELECT t, id AS x FROM other.\"We\"\"ird\")",
      {{1, "a"}});
  ASSERT_EQ(made.subqueries().size(), 2U);
  const Subquery& first = made.subqueries().front();
  EXPECT_EQ(first.table, (postgres::RelationName{"public", "parent"}));
  EXPECT_EQ(first.link, std::vector<std::string>{"id"});
  EXPECT_EQ(first.where,
            "\"t\" = 'a'::text AND \"up\" IN (SELECT \"id\" FROM \"public\".\"top\" WHERE \"up\" > "
            "5)");
  const Subquery& second = made.subqueries().back();
  EXPECT_EQ(second.table, (postgres::RelationName{"other", "We\"ird"}));
  EXPECT_EQ(second.link, (std::vector<std::string>{"t", "id"})) << "the written order (§12.4)";
  EXPECT_EQ(second.where, "");
  EXPECT_EQ(made.canonical_sql(),
            "\"i4\" IN (SELECT \"id\" FROM \"public\".\"parent\" WHERE " + first.where +
                ") AND NOT (\"t\", \"i4\") IN (SELECT \"t\", \"id\" FROM \"other\".\"We\"\"ird\")");
  EXPECT_EQ(compiled(made.canonical_sql()).canonical_sql(), made.canonical_sql());
  EXPECT_EQ(made.columns(), (std::vector<std::uint16_t>{test::column("i4"), test::column("t")}));
}

TEST(Subqueries, ThatAreEqualShareOneDependency) {
  const Condition made = compiled(
      "i4 IN (SELECT id FROM parent WHERE up=1) OR (b AND i4 IN (SELECT id FROM public.parent "
      "WHERE (up = 1))) OR i4 IN (SELECT up FROM parent WHERE up = 1)");
  EXPECT_EQ(made.subqueries().size(), 2U);
  ASSERT_EQ(made.plan()->positions.size(), 4U);
  EXPECT_EQ(made.plan()->dependencies[0].positions, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(made.plan()->dependencies[0].disjuncts, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(made.plan()->dependencies[1].positions, std::vector<std::size_t>{3});
}

TEST(Subqueries, NestToAnyDepth) {
  std::string clause = "up = 1";
  for (int level = 0; level < 12; ++level)
    clause = "up IN (SELECT id FROM top WHERE " + clause + ")";
  clause = "i4 IN (SELECT id FROM top WHERE " + clause + ")";
  const Condition made = compiled(clause);
  EXPECT_EQ(made.subqueries().size(), 1U);
  EXPECT_EQ(compiled(made.canonical_sql()).canonical_sql(), made.canonical_sql());
}

TEST(Subqueries, AreRefusedInTheWordsThatClientsKnow) {
  const std::pair<const char*, const char*> cases[] = {
      {"i4 + 1 IN (SELECT id FROM parent)",
       "where: At location 7: currently, left side of `IN (SELECT ...)` can only be a column "
       "reference or a list of column references"},
      {"i4 IN (SELECT p.id FROM parent p)",
       "where: At location 29: Expected a plain column reference"},
      {"i4 IN (SELECT * FROM parent)", "where: At location 29: Expected a plain column reference"},
      {"i4 IN (SELECT 1 FROM parent)", "where: At location 29: Expected a plain column reference"},
      {"i4 IN (SELECT id FROM parent, top)",
       "where: At location 3: Expected a single table reference"},
      {"i4 IN (SELECT id FROM parent JOIN top USING (id))",
       "where: At location 3: Expected a single table reference"},
      {"i4 IN (SELECT id)", "where: At location 3: Expected a single table reference"},
      {"i4 IN (VALUES (1))", "where: At location 3: Expected a single table reference"},
      {"i4 IN (SELECT id FROM parent LIMIT 1)",
       "where: At location 3: SELECT statement must not contain any clauses"},
      {"i4 IN (SELECT DISTINCT id FROM parent)",
       "where: At location 3: SELECT statement must not contain any clauses"},
      {"i4 IN (SELECT id FROM parent ORDER BY id)",
       "where: At location 3: SELECT statement must not contain any clauses"},
      {"i4 IN (SELECT id FROM parent UNION SELECT id FROM top)",
       "where: At location 3: SELECT statement must not contain any clauses"},
      {"i4 IN (SELECT big FROM parent)",
       "where: At location 3: left side of `IN (SELECT ...)` has type int4 but subquery returns "
       "int8[]"},
      {"v IN (SELECT t FROM parent)",
       "where: At location 2: left side of `IN (SELECT ...)` has type varchar but subquery returns "
       "text[]"},
      {"(i4, i4) IN (SELECT id, t FROM parent)",
       "where: At location 9: left side of `IN (SELECT ...)` has type row of (int4, int4) but "
       "subquery returns row of (int4, text)[]"},
      {"i4 IN (SELECT id, up FROM parent)",
       "where: At location 3: left side of `IN (SELECT ...)` has type int4 but subquery returns "
       "row "
       "of (int4, int4)[]"},
      {"j IN (SELECT j FROM parent)",
       "where: At location 0: Could not select an operator overload"},
      {"i4 IN (SELECT nope FROM parent)",
       "columns: The following columns are not found on the table: nope"},
      {"i4 IN (SELECT id FROM gone)",
       "table: Table \"public\".\"gone\" does not exist. If the table name contains capitals or "
       "special characters you must quote it."},
      {"i4 IN (SELECT id FROM parent WHERE i4 = 1)", "where: At location 35: unknown reference i4"},
      {"i4 IN (SELECT id FROM parent WHERE id)", "where: WHERE clause must return a boolean"},
      {"i4 IN (SELECT id FROM parent) AND i4 NOT IN (SELECT id FROM parent)",
       "where: a subquery dependency cannot be used with both positive and negative polarity in "
       "the "
       "same filter"},
      {"(i4 IN (SELECT id FROM parent)) IS TRUE",
       "where: a subquery can only be combined with other conditions by AND, OR and NOT"},
      {"(i4 IN (SELECT id FROM parent)) = b",
       "where: a subquery can only be combined with other conditions by AND, OR and NOT"}};
  for (const auto& [clause, message] : cases) EXPECT_EQ(refusal(clause), message) << clause;
}

TEST(Subqueries, NameTheTableThatHasToBeInspected) {
  const auto unknown = try_compile("i4 IN (SELECT id FROM s.t)");
  ASSERT_FALSE(unknown.ok());
  ASSERT_TRUE(unknown.error().missing.has_value());
  EXPECT_EQ(*unknown.error().missing, (postgres::RelationName{"s", "t"}));
  EXPECT_FALSE(try_compile("i4 IN (SELECT id FROM gone)").error().missing.has_value());
  EXPECT_EQ(test::error_of("i4 IN (SELECT id FROM parent)"),
            "At location 3: SubLink is not supported in this context")
      << "without relations subqueries are off";
}

TEST(Subqueries, AreLimitedToAHundredDisjuncts) {
  std::string clause;
  for (int i = 0; i < 7; ++i)
    clause += (i == 0 ? "" : " AND ") + std::string("(i4 = ") + std::to_string(i) + " OR i2 = 1)";
  EXPECT_EQ(refusal(clause + " AND i4 IN (SELECT id FROM parent)"),
            "where: WHERE clause too complex for DNF decomposition (128 disjuncts exceeds limit of "
            "100)");
  EXPECT_TRUE(try_compile(clause).ok()) << "a plain clause has no such limit";
}

TEST(Plan, PushesNotDownToTheLiterals) {
  const Condition made = compiled("NOT (i4 IN (SELECT id FROM parent) OR (b AND NOT i2 = 1))");
  const Plan& plan = *made.plan();
  ASSERT_EQ(plan.positions.size(), 3U);
  EXPECT_TRUE(plan.positions[0].negated);
  EXPECT_TRUE(plan.positions[1].negated);
  EXPECT_FALSE(plan.positions[2].negated);
  EXPECT_EQ(plan.disjuncts, (std::vector<std::vector<std::size_t>>{{0, 1}, {0, 2}}));
  EXPECT_TRUE(plan.dependencies[0].negated);
}

/// Sets of packed values; NULL in a set makes what is not found unknown.
class Sets : public Memberships {
 public:
  std::vector<std::set<std::string>> sets;
  Truth holds(std::size_t dependency, std::string_view value) const override {
    const auto& set = sets.at(dependency);
    if (set.empty()) return Truth::no;
    if (has_null(value)) return Truth::unknown;
    if (set.contains(std::string(value))) return Truth::yes;
    std::string null;
    append_packed(null, std::nullopt);
    return set.contains(null) ? Truth::unknown : Truth::no;
  }
};

std::string packed(const char* text) {
  std::string out;
  append_packed(out, text == nullptr ? std::nullopt : std::optional<std::string_view>(text));
  return out;
}

TEST(Conditions, AreEvaluatedUnderViewsInThreeValuedLogic) {
  const Condition in = compiled("i4 IN (SELECT id FROM parent) AND NOT b");
  const Condition not_in = compiled("NOT i4 IN (SELECT id FROM parent)");
  Sets views;
  views.sets = {{packed("7")}};
  EXPECT_EQ(in.evaluate(test::row({{"i4", "7"}, {"b", "f"}}), views), Truth::yes);
  EXPECT_EQ(in.evaluate(test::row({{"i4", "7"}}), views), Truth::unknown);
  EXPECT_EQ(in.evaluate_position(1, test::row({{"i4", "7"}}), views), Truth::unknown)
      << "negated before anything is coerced (F-32)";
  EXPECT_EQ(not_in.evaluate(test::row({{"i4", "8"}}), views), Truth::yes);
  EXPECT_EQ(not_in.evaluate(test::row({}), views), Truth::unknown) << "NULL NOT IN (7)";
  views.sets = {{packed("7"), packed(nullptr)}};
  EXPECT_EQ(not_in.evaluate(test::row({{"i4", "8"}}), views), Truth::unknown);
  views.sets = {{}};
  EXPECT_EQ(not_in.evaluate(test::row({}), views), Truth::yes) << "NULL NOT IN ()";
}

TEST(Conditions, WithSubqueriesAreReadBackFromTheirBytes) {
  const Condition made =
      compiled("(t, i4) IN (SELECT t, id FROM parent WHERE up = 3) OR b AND i4 = 1");
  const std::string bytes = made.serialize();
  auto read = Condition::deserialize(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->canonical_sql(), made.canonical_sql());
  EXPECT_EQ(read->subqueries(), made.subqueries());
  EXPECT_EQ(read->plan()->disjuncts, made.plan()->disjuncts);
  EXPECT_EQ(read->sql_with([](std::size_t p) { return "<" + std::to_string(p) + ">"; }),
            "<0> OR (\"b\" AND \"i4\" = 1)");
  EXPECT_EQ(read->serialize(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Condition::deserialize(bytes.substr(0, size)).ok()) << size;
}

TEST(LinkValues, AreEqualExactlyIfTheValuesAre) {
  const auto one = [](std::uint32_t oid, const char* text) {
    std::string out;
    EXPECT_TRUE(append_link_cell(out, *own_loader(type_of_oid({oid})), text));
    return out;
  };
  EXPECT_EQ(one(1700, "1.50"), one(1700, "1.5"));
  EXPECT_NE(one(1700, "1.50"), one(1700, "1.51"));
  EXPECT_EQ(one(701, "-0"), one(701, "0"));
  EXPECT_EQ(one(1042, "ab  "), one(1042, "ab"));
  EXPECT_NE(one(25, "ab  "), one(25, "ab"));
  std::string row;
  append_packed(row, std::nullopt);
  append_packed(row, "");
  append_packed(row, std::string(300, 'x'));
  const auto cells = unpack_link_value(row);
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_FALSE(cells[0].has_value());
  EXPECT_EQ(cells[1], std::optional<std::string_view>(""));
  EXPECT_EQ(cells[2]->size(), 300U);
  EXPECT_TRUE(has_null(row));
  EXPECT_FALSE(has_null(one(25, "")));
}

}  // namespace
}  // namespace holdfast::where
