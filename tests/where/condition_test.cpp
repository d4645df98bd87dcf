// A clause's truth on a row, its canonical text and its refusals, rule by rule of where-clauses.md.
// tests/where/postgres_agreement_test.cpp compares the same things with a real Postgres.
#include "core/where/condition.hpp"

#include <gtest/gtest.h>

#include "tests/where/sample_relation.hpp"

namespace holdfast::where {
namespace {

using test::compile;
using test::error_of;
using test::k_relation;
using test::row;

struct TruthCase {
  const char* clause;
  std::map<std::string, const char*> cells;
  Truth expected;
};

constexpr Truth k_yes = Truth::yes;
constexpr Truth k_no = Truth::no;
constexpr Truth k_unknown = Truth::unknown;

void expect_truths(const std::vector<TruthCase>& cases) {
  for (const TruthCase& c : cases) {
    const auto condition = Condition::compile(c.clause, {}, k_relation());
    ASSERT_TRUE(condition.ok()) << c.clause << ": " << condition.error().message;
    EXPECT_EQ(condition->evaluate(row(c.cells)), c.expected) << c.clause;
    const auto again = Condition::deserialize(condition->serialize());
    ASSERT_TRUE(again.ok()) << c.clause;
    EXPECT_EQ(again->evaluate(row(c.cells)), c.expected) << c.clause << " after a round trip";
    EXPECT_EQ(again->columns(), condition->columns());
    EXPECT_EQ(again->canonical_sql(), condition->canonical_sql());
  }
}

TEST(Condition, ComparesIntegers) {
  expect_truths({{"i4 = 7", {{"i4", "7"}}, k_yes},
                 {"i4 = 7", {{"i4", "8"}}, k_no},
                 {"i4 = 7", {}, k_unknown},
                 {"i4 <> 7", {{"i4", "8"}}, k_yes},
                 {"i4 != 7", {{"i4", "7"}}, k_no},
                 {"7 < i8", {{"i8", "9223372036854775807"}}, k_yes},
                 {"i4 >= -2147483648", {{"i4", "-2147483648"}}, k_yes},
                 {"i8 = 3000000000", {{"i8", "3000000000"}}, k_yes},
                 {"i4 = i8", {{"i4", "5"}, {"i8", "5"}}, k_yes},
                 {"i4 = '007'", {{"i4", "7"}}, k_yes},
                 {"i4 < 7.5", {{"i4", "7"}}, k_yes},
                 {"i4 = NULL", {{"i4", "7"}}, k_unknown}});
}

TEST(Condition, ComparesNumericsExactly) {
  expect_truths({{"n = 0.30000000000000001", {{"n", "0.3"}}, k_no},
                 {"n = 1.50", {{"n", "1.5"}}, k_yes},
                 {"n = 15e-1", {{"n", "1.500"}}, k_yes},
                 {"n > 12345678901234567890123.1", {{"n", "12345678901234567890123.2"}}, k_yes},
                 {"n < -2", {{"n", "-10"}}, k_yes},
                 {"n = -0.0", {{"n", "0"}}, k_yes},
                 {"n = 'NaN'", {{"n", "NaN"}}, k_yes},
                 {"n > 'Infinity'", {{"n", "NaN"}}, k_yes},
                 {"n < 1", {{"n", "-Infinity"}}, k_yes},
                 {"n = i8", {{"n", "5.00"}, {"i8", "5"}}, k_yes},
                 {"n = 1", {{"n", "junk"}}, k_unknown}});
}

TEST(Condition, ComparesFloatsAsPostgresOrdersThem) {
  expect_truths({{"f8 = 'NaN'", {{"f8", "NaN"}}, k_yes},
                 {"f8 > 'Infinity'", {{"f8", "NaN"}}, k_yes},
                 {"f8 < 0", {{"f8", "-Infinity"}}, k_yes},
                 {"f8 = 0.1", {{"f8", "0.1"}}, k_yes},
                 {"f4 = 0.1", {{"f4", "0.1"}}, k_no},
                 {"f4 = '0.1'", {{"f4", "0.1"}}, k_yes},
                 {"f4 IN (0.1, 0.2)", {{"f4", "0.1"}}, k_yes},
                 {"f4 IN (0.1)", {{"f4", "0.1"}}, k_no},
                 {"f8 = -0.0", {{"f8", "0"}}, k_yes},
                 {"f8 = 9007199254740993", {{"f8", "9007199254740992"}}, k_yes}});
}

TEST(Condition, OrdersTextByBytesAndTrimsOnlyBpchar) {
  expect_truths({{"t < 'a'", {{"t", "B"}}, k_yes},
                 {"t > 'z'", {{"t", "\xc3\xa9"}}, k_yes},
                 {"t = 'a '", {{"t", "a"}}, k_no},
                 {"c = 'ab'", {{"c", "ab  "}}, k_yes},
                 {"c = t", {{"c", "ab  "}, {"t", "ab"}}, k_yes},
                 {"c = t", {{"c", "ab  "}, {"t", "ab  "}}, k_no},
                 {"c = v", {{"c", "ab  "}, {"v", "ab "}}, k_yes},
                 {"c LIKE 'ab'", {{"c", "ab  "}}, k_no},
                 {"c LIKE 'ab  '", {{"c", "ab  "}}, k_yes},
                 {"v = 'it''s'", {{"v", "it's"}}, k_yes}});
}

TEST(Condition, MatchesPatterns) {
  expect_truths({{"t LIKE 'a\\%b'", {{"t", "a%b"}}, k_yes},
                 {"t LIKE 'a\\%b'", {{"t", "a\\%b"}}, k_no},
                 {"t LIKE 'a\\_b'", {{"t", "a_b"}}, k_yes},
                 {"t LIKE 'a\\\\b'", {{"t", "a\\b"}}, k_yes},
                 {"t LIKE 'a%'", {{"t", "a\nb"}}, k_yes},
                 {"t LIKE 'a_b'",
                  {{"t",
                    "a\xc3\xa9"
                    "b"}},
                  k_yes},
                 {"t LIKE 'a__b'",
                  {{"t",
                    "a\xc3\xa9"
                    "b"}},
                  k_no},
                 {"t LIKE 'ab'", {{"t", "ab\n"}}, k_no},
                 {"t LIKE '%b%d%'", {{"t", "abcabd"}}, k_yes},
                 {"t LIKE '%bd'", {{"t", "abcabcd"}}, k_no},
                 {"t LIKE ''", {{"t", ""}}, k_yes},
                 {"t ILIKE 'ÀbC%'", {{"t", "ÀBcd"}}, k_yes},
                 {"t NOT ILIKE 'ABC'", {{"t", "abc"}}, k_no},
                 {"t NOT LIKE 'x'", {}, k_unknown},
                 {"t LIKE v", {{"t", "abc"}, {"v", "a%"}}, k_yes},
                 {"t LIKE v", {{"t", "abc"}, {"v", "a\\"}}, k_unknown}});
}

TEST(Condition, ComparesUuidsDatesAndTimestamps) {
  const char* id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  expect_truths(
      {{"u = 'A0EEBC99-9C0B4EF8-BB6D6BB9BD380A11'", {{"u", id}}, k_yes},
       {"u < 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", {{"u", id}}, k_yes},
       {"d <> '2020-01-01'", {{"d", "2020-01-02"}}, k_yes},
       {"d < 'infinity'", {{"d", "5874897-12-31"}}, k_yes},
       {"d < '0001-01-01'", {{"d", "0044-03-15 BC"}}, k_yes},
       {"d = ts", {{"d", "2020-01-02"}, {"ts", "2020-01-02 00:00:00"}}, k_yes},
       {"d > ts", {{"d", "5874897-12-31"}, {"ts", "294276-12-31 23:59:59"}}, k_yes},
       {"ts = '2020-01-02T03:04:05.6+05'", {{"ts", "2020-01-02 03:04:05.6"}}, k_yes},
       {"tz = '2020-01-02T03:04:05.6+05:30'", {{"tz", "2020-01-01 21:34:05.6+00"}}, k_yes},
       {"tz < 'infinity'", {{"tz", "infinity"}}, k_no},
       {"tz = 'epoch'", {{"tz", "1970-01-01 00:00:00+00"}}, k_yes},
       {"ts IS DISTINCT FROM '2020-01-01'::date", {{"ts", "2020-01-01 00:00:00"}}, k_no}});
}

TEST(Condition, FollowsKleenesLogicAndDecidesEarly) {
  expect_truths({{"b OR i4 = 1", {{"b", "t"}}, k_yes},
                 {"b AND i4 = 1", {{"b", "f"}}, k_no},
                 {"b AND i4 = 1", {{"b", "t"}}, k_unknown},
                 {"NOT b", {}, k_unknown},
                 {"NOT (b OR i4 = 1)", {{"b", "f"}, {"i4", "2"}}, k_yes},
                 {"i4 = 1 AND 't'", {{"i4", "1"}}, k_yes},
                 {"true", {}, k_yes},
                 {"NULL::bool", {}, k_unknown},
                 {"1 = 1", {}, k_yes},
                 {"b IS TRUE", {}, k_no},
                 {"b IS NOT FALSE", {}, k_yes},
                 {"(i4 = 1) IS UNKNOWN", {}, k_yes},
                 {"(i4 = 1) IS NULL", {{"i4", "1"}}, k_no},
                 {"b = (i4 = 1)", {{"b", "f"}, {"i4", "2"}}, k_yes},
                 {"b IS DISTINCT FROM (i4 = 1)", {{"b", "f"}}, k_yes},
                 {"b < true", {{"b", "f"}}, k_yes}});
}

TEST(Condition, KnowsNullTestsAndDistinctness) {
  expect_truths({{"i4 IS NULL", {}, k_yes},
                 {"j IS NOT NULL", {{"j", "{}"}}, k_yes},
                 {"i4 IS DISTINCT FROM 1", {}, k_yes},
                 {"i4 IS NOT DISTINCT FROM NULL", {}, k_yes},
                 {"i4 IS DISTINCT FROM i8", {}, k_no},
                 {"j IS DISTINCT FROM NULL", {{"j", "1"}}, k_yes},
                 {"'x' IS NULL", {}, k_no}});
}

TEST(Condition, KnowsListsAndRanges) {
  expect_truths({{"i4 IN (3, 1, 2)", {{"i4", "2"}}, k_yes},
                 {"i4 IN (3, 1, 2)", {{"i4", "4"}}, k_no},
                 {"i4 NOT IN (1, NULL)", {{"i4", "3"}}, k_unknown},
                 {"i4 NOT IN (1, NULL)", {{"i4", "1"}}, k_no},
                 {"i4 IN (1, i8)", {{"i4", "5"}, {"i8", "5"}}, k_yes},
                 {"t IN ('b', 'a')", {{"t", "a"}}, k_yes},
                 {"i4 IN (1, 2.5, '7')", {{"i4", "7"}}, k_yes},
                 {"i4 BETWEEN 1 AND 3", {{"i4", "3"}}, k_yes},
                 {"i4 NOT BETWEEN 1 AND 3", {{"i4", "4"}}, k_yes},
                 {"i4 BETWEEN 3 AND 1", {{"i4", "2"}}, k_no},
                 {"i4 BETWEEN SYMMETRIC 3 AND 1", {{"i4", "2"}}, k_yes},
                 {"i4 NOT BETWEEN SYMMETRIC 3 AND 1", {{"i4", "2"}}, k_no},
                 {"i4 BETWEEN NULL AND 1", {{"i4", "2"}}, k_no},
                 {"t BETWEEN 'a' AND 'c'", {{"t", "B"}}, k_no}});
}

TEST(Condition, CastsConstantsAndWidensColumns) {
  expect_truths({{"i4 = '5'::int8", {{"i4", "5"}}, k_yes},
                 {"i4::text = '5'", {{"i4", "5"}}, k_yes},
                 {"b::text = 'true'", {{"b", "t"}}, k_yes},
                 {"c::text = 'ab'", {{"c", "ab  "}}, k_yes},
                 {"i4::float8 = 5", {{"i4", "5"}}, k_yes},
                 {"CAST('t' AS bool) AND b", {{"b", "t"}}, k_yes},
                 {"date '2020-01-01' < d", {{"d", "2020-01-02"}}, k_yes},
                 {"d::timestamp = '2020-01-02 00:00'", {{"d", "2020-01-02"}}, k_yes},
                 {"i4 = - '5'::int4", {{"i4", "-5"}}, k_yes},
                 {"v::bpchar = 'a'", {{"v", "a  "}}, k_yes}});
}

TEST(Condition, TreatsCellsThatDoNotParseAsUnknown) {
  expect_truths({{"i4 = 1", {{"i4", "x"}}, k_unknown},
                 {"NOT (i4 = 1)", {{"i4", ""}}, k_unknown},
                 {"u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", {{"u", "a0eebc99"}}, k_unknown},
                 {"d = '2020-01-01'", {{"d", "2020-02-30"}}, k_unknown},
                 {"b", {{"b", "maybe"}}, k_unknown}});
}

TEST(Condition, PutsParametersInWithTheirInferredType) {
  const auto condition =
      compile("i4 = $1 AND t = $2 AND i4 < $3::int8", {{1, "5"}, {2, "x'y"}, {3, "9"}});
  EXPECT_EQ(condition.canonical_sql(),
            "\"i4\" = '5'::int4 AND \"t\" = 'x''y'::text AND \"i4\" < '9'::text::int8");
  EXPECT_EQ(condition.evaluate(row({{"i4", "5"}, {"t", "x'y"}})), Truth::yes);
  EXPECT_EQ(compile("i4 = $1 OR i8 = $1", {{1, "5"}}).canonical_sql(),
            "\"i4\" = '5'::int4 OR \"i8\" = '5'::int4");
}

TEST(Condition, HasOneCanonicalTextForClausesThatAreTheSame) {
  const std::vector<std::vector<const char*>> same = {
      {"i4 = 1", "  I4=1 ;", "((i4) = (1))", "\"i4\" /* x */ = 1 -- y"},
      {"i4 != 1", "i4 <> 1"},
      {"NOT i4 = 1", "not(i4 = 1)"},
      {"i4 IS NULL", "i4 ISNULL"},
      {"i4 NOT IN (1,2)", "(i4) not in (1, (2))"},
      {"i4 = 1 AND t = 'a' AND b", "i4 = 1 AND (t = 'a' AND b)"},
      {"i8 > '0'::int8", "i8 > CAST('0' AS bigint)"}};
  std::vector<std::string> canonical;
  for (const auto& group : same) {
    canonical.push_back(compile(group.front()).canonical_sql());
    for (const char* clause : group)
      EXPECT_EQ(compile(clause).canonical_sql(), canonical.back()) << clause;
  }
  for (const char* other : {"i4 = '1'", "i4 = 1::int4", "1 = i4", "b AND i4 = 1 AND t = 'a'",
                            "NOT i4 IN (1,2)", "i4 NOT IN (2,1)", "i4 IS NOT NULL", "i8 > 0"})
    EXPECT_EQ(std::count(canonical.begin(), canonical.end(), compile(other).canonical_sql()), 0)
        << other;
  EXPECT_EQ(compile("i8 = $1", {{1, "0"}}).canonical_sql(),
            compile("i8 = '0'::int8").canonical_sql());
}

TEST(Condition, ReadsItsOwnCanonicalTextBack) {
  for (const char* clause :
       {"t < 'a' OR NOT (b AND i4 = 1)", "t BETWEEN 'a' AND 'b'", "c ILIKE '%x' OR t > v",
        "(i4 = 1 AND b) OR b IS UNKNOWN", "b = (i4 = -1)", "t = E'a\\\\b''c'", "i4 IN (1, -2)",
        "NOT (NOT b)", "(i4 = 1) IS NULL", "- 5::int8 < i8", "i4::text < 'x'"}) {
    const std::string text = compile(clause).canonical_sql();
    EXPECT_EQ(compile(text).canonical_sql(), text) << clause;
  }
}

TEST(Condition, OffersAnEqualityToTheRouter) {
  const auto key = [](const char* clause) { return compile(clause).equality(); };
  ASSERT_TRUE(key("i4 = 7"));
  EXPECT_EQ(key("i4 = 7")->key, *comparison_key({23}, "7"));
  EXPECT_EQ(key("'007' = i4")->key, *comparison_key({23}, "7"));
  EXPECT_EQ(key("b = true AND t = 'x' AND i4 > 2")->key, "x");
  EXPECT_EQ(key("b = true")->key, *comparison_key({16}, "true"));
  EXPECT_EQ(key("n = 1.50")->key, *comparison_key({1700}, "1.5000"));
  EXPECT_EQ(key("f8 = -0.0")->key, *comparison_key({701}, "0"));
  EXPECT_EQ(key("f4 = 0.5")->key, *comparison_key({700}, "0.5"));
  EXPECT_EQ(key("c = 'ab'")->key, *comparison_key({1042}, "ab   "));
  EXPECT_EQ(key("tz = '2020-01-01 02:00+02'")->key,
            *comparison_key({1184}, "2020-01-01 00:00:00+00"));
  for (const char* clause : {"i4 = 1 OR i4 = 2", "i4 > 1", "NOT (i4 = 1)", "i4 = NULL", "i4 = i8",
                             "i4 = 1.5", "i4::text = '1'", "d = '2020-01-01 00:00'::timestamp"})
    EXPECT_FALSE(key(clause).has_value()) << clause;
  EXPECT_FALSE(comparison_key({23}, "x"));
  EXPECT_FALSE(comparison_key({114}, "{}"));
}

TEST(Condition, ListsTheColumnsItReads) {
  EXPECT_EQ(compile("i8 = 1 AND (b OR j IS NULL)").columns(),
            (std::vector<std::uint16_t>{test::column("b"), test::column("i8"), test::column("j")}));
}

TEST(Condition, RefusesWithTheSentencesOfTheSpecification) {
  const std::pair<const char*, const char*> cases[] = {
      {"1 x 1", "At location 17: syntax error at or near \"x\""},
      {")", "At location 15: syntax error at or near \")\""},
      {"true; select 1", "unescaped \";\" causing statement split"},
      {"true ORDER BY 1", "malformed query ending with SQL clauses"},
      {"true LIMIT 1", "malformed query ending with SQL clauses"},
      {"true OFFSET 1", "malformed query ending with SQL clauses"},
      {"true UNION SELECT 1", "malformed query ending with SQL clauses"},
      {"true GROUP BY 1", "malformed query ending with SQL clauses"},
      {"true FOR UPDATE", "malformed query ending with SQL clauses"},
      {"nope = 1", "At location 0: unknown reference nope"},
      {"i4 = 1 AND items.i4 = 1", "At location 11: unknown reference items.i4"},
      {"t.* = 1", "At location 0: A_Star is not supported in this context"},
      {"i4 = 'abc'", "At location 5: invalid syntax for type int4: abc"},
      {"i4 = '3000000000'", "At location 5: invalid syntax for type int4: 3000000000"},
      {"i4 = $1", "At location 5: parameter $1 was not provided"},
      {"foo(1) = 1", "At location 0: unknown or unsupported function foo/1"},
      {"i4 % 2 = 0", "At location 3: unknown binary operator \"%\""},
      {"i4 = t", "At location 3: Could not select an operator overload"},
      {"tz = ts", "At location 3: Could not select an operator overload"},
      {"j = 'x'", "At location 2: Could not select an operator overload"},
      {"i4 LIKE 'x'", "At location 3: Could not select an operator overload"},
      {"i4 AND b", "At location 0: reference i4 of type int4 is not castable to bool"},
      {"i4 IS TRUE", "At location 0: argument of IS TRUE must be bool, not int4"},
      {"i4", "WHERE clause must return a boolean"},
      {"NULL", "WHERE clause must return a boolean"},
      {"'t'", "WHERE clause must return a boolean"},
      {"t = x'1F'", "At location 4: BitString values are not supported"},
      {"nullif(i4, 1) = 1",
       "At location 0: expression \"=\" of :AEXPR_NULLIF is not currently supported"},
      {"i4::money = 1", "At location 4: unsupported type money"},
      {"v::varchar(2) = 'x'", "At location 3: type modifiers are not supported: varchar"},
      {"i8::int4 = 1", "At location 0: unknown cast from type int8 to type int4"},
      {"i4 IN (SELECT 1)", "At location 3: SubLink is not supported in this context"},
      {"EXISTS (SELECT 1)",
       "At location 0: only `value IN (SELECT ...)` sublinks are supported right now"},
      {"t LIKE 'a\\'", "At location 7: LIKE pattern must not end with escape character"},
      {"'x'::int4 = 1", "At location 0: could not cast value \"x\" from text to int4"}};
  for (const auto& [clause, message] : cases) EXPECT_EQ(error_of(clause), message) << clause;
  EXPECT_TRUE(
      error_of("CASE WHEN b THEN true END").ends_with("CaseExpr is not supported in this context"));
  EXPECT_TRUE(
      error_of("d < current_date").ends_with("SQLValueFunction is not supported in this context"));
  EXPECT_EQ(error_of("i4 = 1 AND t = $1 AND i4 = $1", {{1, "5"}}),
            "At location 25: Could not select an operator overload");
}

TEST(Condition, RefusesParametersThatAreNotNumberedFromOne) {
  const auto gap = Condition::compile("i4 = $2", {{2, "5"}}, k_relation());
  ASSERT_FALSE(gap.ok());
  EXPECT_EQ(gap.error().field, "params");
  EXPECT_EQ(gap.error().message, "Parameters must be numbered sequentially, starting from 1");
  EXPECT_TRUE(Condition::compile("i4 = $1", {{1, "5"}, {2, "unused"}}, k_relation()).ok());
  const auto parse_first = Condition::compile(")", {{2, "5"}}, k_relation());
  ASSERT_FALSE(parse_first.ok());
  EXPECT_EQ(parse_first.error().field, "where");
}

TEST(Condition, RefusesTextsBeyondTheParsersLimit) {
  const std::string longest = "true" + std::string(65'521 - 4, ' ');
  EXPECT_TRUE(Condition::compile(longest, {}, k_relation()).ok());
  EXPECT_EQ(error_of((longest + ' ').c_str()),
            "cannot parse query: query size 65537 is bigger than maximum size 65536");
}

TEST(Condition, RefusesDamagedBytesInsteadOfRunningThem) {
  const std::string bytes =
      compile("i4 IN (1,2) AND (t LIKE 'a%' OR NOT b) AND i8 = 5").serialize();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Condition::deserialize(bytes.substr(0, size)).ok()) << size;
  EXPECT_FALSE(Condition::deserialize(bytes + 'x').ok());
  const auto cells = row({{"i4", "1"}, {"t", "abc"}, {"b", "t"}, {"i8", "5"}});
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      const auto read = Condition::deserialize(damaged);
      if (read.ok() && (read->columns().empty() || read->columns().back() < cells.size()))
        (void)read->evaluate(cells);  // must not read out of bounds (ASan)
    }
}

}  // namespace
}  // namespace holdfast::where
