#include "tests/where/clause_generator.hpp"

#include "core/base/hash.hpp"

namespace holdfast::where::test {
namespace {

using Texts = std::vector<std::string>;

/// Columns that compare with each other, and constants to compare them with.
struct Family {
  Texts columns;
  Texts constants;
};

const std::vector<Family>& families() {
  static const std::vector<Family> made = {
      {{"i2", "i4", "i8", "n", "f4", "f8"},
       {"0",
        "1",
        "-1",
        "2",
        "7",
        "'7'",
        "' -1 '",
        "2147483647",
        "2147483648",
        "32767",
        "1.5",
        "0.1",
        "'0.1'",
        "0.30000000000000001",
        "1e3",
        ".5",
        "-0.0",
        "9007199254740993",
        "9223372036854775807",
        "12345678901234567890123.5",
        "1::int8",
        "'2'::int2",
        "0.1::float4",
        "0.1::float8",
        "'NaN'::float8",
        "'NaN'::numeric",
        "'Infinity'::float4",
        "'-Infinity'::numeric",
        "NULL",
        "NULL::int4",
        "- '1'::int8",
        "16777217",
        "'1e-3'::numeric",
        "'inf'::float8"}},
      {{"t", "v", "c"},
       {"'a'",
        "'B'",
        "'b'",
        "'ab'",
        "'ab  '",
        "''",
        "'\xc3\xa9'",
        "'\xc3\x89'",
        "'a b'",
        "'it''s'",
        "E'a\\nb'",
        "'a%b'",
        "'a\\b'",
        "'a'::text",
        "'ab  '::bpchar",
        "'b'::varchar",
        "NULL",
        "'ab  '::text",
        "'ab '::bpchar::text",
        "i4::text",
        "b::text",
        "u::text"}},
      {{"u"},
       {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12}'",
        "'00000000000000000000000000000000'::uuid", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "NULL"}},
      {{"d", "ts"},
       {"'2020-01-01'", "'2020-02-29'", "'2020-01-01'::date", "'0044-03-15 BC'::date", "'infinity'",
        "'-infinity'::date", "date '1999-12-31'", "'2020-01-01 00:00:00'::timestamp", "'epoch'",
        "timestamp '2020-01-01T12:34:56.789'", "NULL", "'2020-01-01'::date::timestamp",
        "'5874897-12-31'::date", "'2020-1-1'"}},
      {{"tz"},
       {"'2020-01-01 00:00:00+00'", "'2020-01-01T02:00:00+02:00'", "'2019-12-31 19:00-05'",
        "'infinity'", "'-infinity'::timestamptz", "'2020-01-01'",
        "'0001-12-31 23:59:59.999999+00 BC'", "NULL",
        "'2020-01-01 00:00:00.123456Z'::timestamptz"}},
      {{"b"},
       {"true", "false", "'t'", "'no'", "NULL", "NULL::bool", "(i4 = 1)", "'on'::bool",
        "(b OR NULL)"}}};
  return made;
}

const std::vector<Texts>& cells() {
  static const std::vector<Texts> made = {
      {"t", "f"},
      {"0", "1", "-1", "7", "32767", "-32768", "2"},
      {"0", "1", "-1", "7", "2147483647", "-2147483648", "16777217"},
      {"0", "1", "2", "7", "9223372036854775807", "-9223372036854775808", "9007199254740993",
       "2147483648", "16777217"},
      {"0", "-0", "0.1", "1.5", "NaN", "Infinity", "-Infinity", "16777217", "1e-45",
       "3.4028235e+38", "7"},
      {"0", "-0", "0.1", "1.5", "NaN", "Infinity", "-Infinity", "9007199254740993", "5e-324",
       "1.7976931348623157e+308", "0.30000000000000004", "7", "0.10000000149011612"},
      {"0", "0.00", "1.50", "-1", "0.3", "0.30000000000000001", "NaN", "Infinity", "-Infinity",
       "12345678901234567890123.4", "12345678901234567890123.5", "1000", "7", "-0.5",
       "100000000000000000000000000000000000000000000000000"},
      {"a",
       "A",
       "b",
       "B",
       "ab",
       "ab  ",
       "",
       "\xc3\xa9",
       "\xc3\x89",
       "a b",
       "it's",
       "a\nb",
       "a%b",
       "a\\b",
       "a_b",
       "a\xc3\xa9"
       "b",
       "true",
       "1",
       "7",
       "zz",
       "-1"},
      {"a", "A", "b", "B", "ab", "ab  ", "", "\xc3\xa9", "a b", "%b", "a_", "\\%", "7"},
      {"a", "B", "ab", "", "\xc3\xa9", "a  b", "a%b"},
      {"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
       "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
      {"2020-01-01", "2020-02-29", "0044-03-15 BC", "4713-01-01 BC", "infinity", "-infinity",
       "5874897-12-31", "1970-01-01", "1999-12-31", "10000-01-01"},
      {"2020-01-01 00:00:00", "2020-01-01 12:34:56.789", "0044-03-15 00:00:00 BC", "infinity",
       "-infinity", "294276-12-31 23:59:59.999999", "1970-01-01 00:00:00", "1999-12-31 00:00:00"},
      {"2020-01-01 00:00:00+00", "2020-01-01 00:00:00.123456+00", "infinity", "-infinity",
       "0001-12-31 23:59:59.999999+00 BC", "294276-12-31 00:00:00+00"},
      {"{\"a\": 1}", "[]", "null"}};
  return made;
}

const Texts k_comparisons = {"=", "<>", "<", "<=", ">", ">="};

}  // namespace

std::size_t ClauseGenerator::below(std::size_t n) {
  return static_cast<std::size_t>(combine64(seed_, ++draws_) % n);
}

std::vector<std::optional<std::string>> ClauseGenerator::row() {
  std::vector<std::optional<std::string>> made;
  for (const Texts& texts : cells())
    made.push_back(below(6) == 0 ? std::nullopt : std::optional(one_of(texts)));
  return made;
}

std::string ClauseGenerator::column(std::size_t family) {
  return one_of(families()[family].columns);
}
std::string ClauseGenerator::literal(std::size_t family) {
  return one_of(families()[family].constants);
}

std::string ClauseGenerator::operand(std::size_t family) {
  return below(3) == 0 ? literal(family) : column(family);
}

std::string ClauseGenerator::list(std::size_t family) {
  std::string items;
  for (std::size_t n = 1 + below(4); n > 0; --n)
    items += (items.empty() ? "" : ", ") + (below(6) == 0 ? column(family) : literal(family));
  return "(" + items + ")";
}

std::string ClauseGenerator::pattern() {
  static const Texts patterns = {
      "'a%'", "'%b'",  "'_'",  "'a_b'",        "'a\\%b'",       "'a\\\\b'", "'%'",
      "''",   "'AB%'", "'__'", "'%\xc3\xa9%'", "'\xc3\x89'",    "'%a%b%'",  "'ab  '",
      "NULL", "v",     "c",    "'a%'::text",   "'ab '::bpchar", "'\\a%'"};
  return one_of(patterns);
}

std::string ClauseGenerator::leaf() {
  const std::size_t family = below(families().size());
  const std::size_t other = below(25) == 0 ? below(families().size()) : family;
  const std::string left = operand(family);
  switch (below(10)) {
    case 0:
      return left + (below(2) == 0 ? " IS NULL" : " IS NOT NULL");
    case 1:
      return left + " IS DISTINCT FROM " + operand(other);
    case 2:
      return left + " IS NOT DISTINCT FROM " + operand(other);
    case 3:
      return left + (below(2) == 0 ? " IN " : " NOT IN ") + list(other);
    case 4: {
      static const Texts kinds = {" BETWEEN ", " NOT BETWEEN ", " BETWEEN SYMMETRIC ",
                                  " NOT BETWEEN SYMMETRIC "};
      return left + one_of(kinds) + operand(other) + " AND " + operand(family);
    }
    case 5: {
      static const Texts kinds = {" LIKE ", " NOT LIKE ", " ILIKE ", " NOT ILIKE "};
      return operand(1) + one_of(kinds) + pattern();
    }
    case 6:
      return below(3) == 0 && opaque_ == OpaqueColumn::in_the_relation ? "j IS NULL" : "b";
    default:
      return left + " " + one_of(k_comparisons) + " " + operand(other);
  }
}

std::string ClauseGenerator::boolean(std::size_t depth) {
  if (depth == 0) return leaf();
  switch (below(6)) {
    case 0:
      return "NOT (" + boolean(depth - 1) + ")";
    case 1: {
      static const Texts tests = {" IS TRUE",    " IS NOT TRUE",    " IS FALSE", " IS NOT FALSE",
                                  " IS UNKNOWN", " IS NOT UNKNOWN", " IS NULL"};
      return "(" + boolean(depth - 1) + ")" + one_of(tests);
    }
    case 2:
      return "(" + boolean(depth - 1) + ") = (" + boolean(depth - 1) + ")";
    case 3:
      return "(" + boolean(depth - 1) + ") AND " + leaf() + " AND (" + boolean(depth - 1) + ")";
    default:
      return "(" + boolean(depth - 1) + (below(2) == 0 ? ") AND (" : ") OR (") +
             boolean(depth - 1) + ")";
  }
}

}  // namespace holdfast::where::test
