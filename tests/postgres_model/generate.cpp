#include "tests/postgres_model/generate.hpp"

namespace holdfast::test {

using namespace sim::postgres;  // NOLINT: generators of its values
using Texts = std::vector<std::string>;

namespace {

const Texts& texts_of(TypeId type) {
  static const std::map<TypeId, Texts> k_texts{
      {TypeId::boolean, {"t", "f", "true", "FALSE", " yes ", "off", "1", "0"}},
      {TypeId::int2, {"0", "1", "-1", " 7 ", "32767", "-32768", "007", "+3"}},
      {TypeId::int4, {"0", "1", "2", "-5", "2147483647", "-2147483648"}},
      {TypeId::int8, {"0", "1", "9223372036854775807", "-9223372036854775808", "3000000000"}},
      {TypeId::float4,
       {"0", "-0", "1", "0.1", "1e6", "123456.7", "1e-5", "0.0001", "NaN", "-Infinity", "3.4e38",
        "16777216"}},
      {TypeId::float8,
       {"0", "0.1", "0.3", "1e15", "123456789012345", "1e14", "1e-4", "1e-5", "NaN", "inf", "-inf",
        "1.7976931348623157e308", "5e-324", "-0", "2.5"}},
      {TypeId::numeric,
       {"0", "0.0", "1.50", "1.5", "-1", "1e3", "1.5e-3", ".5", "5.", "00012.340", "NaN",
        "Infinity", "-Infinity", "123456789012345678901234567890.123456789", "0.30000000000000001",
        "-0.0"}},
      {TypeId::text,
       {"", "a", "B", "ab", "a%b", "a_b", "a\\b", "it's", "NULL", "é", "aéb", "x\ny", "\"q\"",
        " lead", "zz"}},
      {TypeId::varchar, {"", "a", "ab", "ABC", "é", "a b"}},
      {TypeId::bpchar, {"", "a", "ab", "ab  ", "B", "\xc3\xa9", "a b", " a", "7"}},
      {TypeId::uuid,
       {"00000000-0000-0000-0000-000000000000", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
        "{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "ffffffffffffffffffffffffffffffff"}},
      {TypeId::date,
       {"2020-01-01", "2024-02-29", "1999-12-31", "0044-03-15 BC", "infinity", "-infinity", "epoch",
        "10000-01-01", "2020-1-2"}},
      {TypeId::timestamp,
       {"2020-01-01", "2020-01-02 00:00:00.123456", "2020-01-02T10:30", "1999-12-31 23:59:59.9",
        "infinity", "2020-01-02 10:00:00+05", "0044-03-15 01:02:03 BC", "2020-01-01 24:00:00"}},
      {TypeId::timestamptz,
       {"2020-01-01", "2020-01-02 00:00:00+00", "2020-01-02 00:00:00.5+05:30", "-infinity",
        "2020-01-02 10:00:00Z", "1999-12-31 23:59:59.999999-08", "0044-03-15 01:02:03+00 BC"}},
  };
  return k_texts.at(type);
}

const Texts& bad_texts() {
  static const Texts k_bad{"", "x", "1,5", "99999999999999999999", "2020-13-01", "1 2", "-"};
  return k_bad;
}

ColumnText generate_cell(Dice& dice, const Column& column) {
  if (!column.not_null && column.key_position == 0 && dice.chance(20))
    return {column.name, std::nullopt};
  return {column.name, generate_text(dice, column.type)};
}

std::string small_key(Dice& dice) {
  return std::to_string(dice.roll(10));
}

/// An equality on the table's whole key.
std::vector<ColumnText> key_condition(Dice& dice, const TableDefinition& table) {
  std::vector<ColumnText> where;
  for (const Column& column : table.columns)
    if (column.key_position != 0) where.emplace_back(column.name, small_key(dice));
  return where;
}

}  // namespace

TableDefinition wide_table() {
  TableDefinition table;
  table.name = {"public", "wide"};
  table.columns = {{"id", TypeId::int4, true, 1, 0},       {"b", TypeId::boolean, false, 0, 0},
                   {"i2", TypeId::int2, false, 0, 0},      {"i4", TypeId::int4, false, 0, 0},
                   {"i8", TypeId::int8, false, 0, 0},      {"f4", TypeId::float4, false, 0, 0},
                   {"f8", TypeId::float8, false, 0, 0},    {"n", TypeId::numeric, false, 0, 0},
                   {"t", TypeId::text, false, 0, 0},       {"v", TypeId::varchar, false, 0, 0},
                   {"u", TypeId::uuid, false, 0, 0},       {"d", TypeId::date, false, 0, 0},
                   {"ts", TypeId::timestamp, false, 0, 0}, {"tz", TypeId::timestamptz, false, 0, 0},
                   {"c", TypeId::bpchar, false, 0, 0}};
  return table;
}

TableDefinition side_table() {
  TableDefinition table;
  table.name = {"public", "Side \"item\""};
  table.columns = {{"b", TypeId::text, true, 2, 0},
                   {"a", TypeId::numeric, true, 1, 0},
                   {"must", TypeId::int4, true, 0, 0}};
  return table;
}

std::string create_sql(const TableDefinition& table) {
  std::string columns;
  std::vector<std::string> key(2);
  for (const Column& column : table.columns) {
    columns += quote_identifier(column.name) + " " + std::string(name_of(column.type)) +
               (column.not_null ? " NOT NULL, " : ", ");
    if (column.key_position != 0) key[column.key_position - 1U] = quote_identifier(column.name);
  }
  return "CREATE TABLE " + quote_relation(table.name) + " (" + columns + "PRIMARY KEY (" + key[0] +
         (key[1].empty() ? "" : ", " + key[1]) + "))";
}

std::string generate_text(Dice& dice, TypeId type) {
  if (dice.chance(2)) return dice.pick(bad_texts());
  return dice.pick(texts_of(type));
}

Statement generate_statement(Dice& dice) {
  const TableDefinition table = dice.chance(75) ? wide_table() : side_table();
  Statement statement;
  statement.table = table.name;
  const std::uint64_t kind = dice.roll(100);
  if (kind < 40) {
    statement.kind = StatementKind::insert;
    for (const Column& column : table.columns) {
      if (column.key_position != 0)
        statement.set.emplace_back(column.name, small_key(dice));
      else if (column.not_null ? !dice.chance(3) : dice.chance(40))
        statement.set.push_back(generate_cell(dice, column));
    }
  } else if (kind < 75) {
    statement.kind = StatementKind::update;
    while (statement.set.empty())
      for (const Column& column : table.columns)
        if (column.key_position == 0 && dice.chance(15))
          statement.set.push_back(generate_cell(dice, column));
    const bool moves_key = dice.chance(15);
    if (moves_key) statement.set.emplace_back(table.columns.front().name, small_key(dice));
    if (!dice.chance(10) || moves_key) statement.where = key_condition(dice, table);
  } else if (kind < 96) {
    statement.kind = StatementKind::erase;
    if (!dice.chance(5)) statement.where = key_condition(dice, table);
  } else {
    statement.kind = StatementKind::truncate;
    if (dice.chance(40))
      statement.also.push_back(table.name == wide_table().name ? side_table().name
                                                               : wide_table().name);
  }
  return statement;
}

namespace {

std::string literal(Dice& dice, TypeId type) {
  if (dice.chance(4)) return "NULL";
  const std::string text = quote_literal(generate_text(dice, type));
  if (dice.chance(30)) return text + "::" + std::string(name_of(type));
  return text;
}

std::string number(Dice& dice) {
  static const Texts k_numbers{"0",   "1",  "-1",  "2",     "0.5",        "1.50",
                               "1e3", "-7", "0.3", "32768", "3000000000", "99999999999999999999"};
  return dice.pick(k_numbers);
}

std::string operand(Dice& dice, const Column& column) {
  const bool is_number = family(column.type) == TypeFamily::number;
  if (is_number && dice.chance(40)) return number(dice);
  return literal(dice, column.type);
}

std::string list(Dice& dice, const Column& column) {
  std::string text = operand(dice, column);
  for (std::uint64_t more = dice.roll(3); more > 0; --more) text += ", " + operand(dice, column);
  return text;
}

std::string pattern(Dice& dice) {
  static const Texts k_patterns{"'%'",   "'a%'",  "'_'",      "'a_b'", "'a\\%b'", "'%b'",
                                "'A%'",  "''",    "'a\\\\b'", "'__'",  "'%é%'",   "'a%b%'",
                                "'%\\'", "'x_y'", "'%_\\'",   "'a\\'", "'%_%'",   "NULL"};
  return dice.pick(k_patterns);
}

std::string test_of(Dice& dice, const Column& column) {
  static const Texts k_comparisons{"=", "<>", "<", "<=", ">", ">=", "!="};
  const std::string name = column.name;
  switch (dice.roll(10)) {
    case 0:
      return name + (dice.chance(50) ? " IS NULL" : " IS NOT NULL");
    case 1:
      return name + (dice.chance(50) ? " IN (" : " NOT IN (") + list(dice, column) + ")";
    case 2: {
      static const Texts k_between{" BETWEEN ", " NOT BETWEEN ", " BETWEEN SYMMETRIC "};
      std::string text = name + dice.pick(k_between) + operand(dice, column);
      return text + " AND " + operand(dice, column);
    }
    case 3:
      return name + (dice.chance(50) ? " IS DISTINCT FROM " : " IS NOT DISTINCT FROM ") +
             operand(dice, column);
    case 4: {
      std::string text = name + " " + dice.pick(k_comparisons);
      text += dice.chance(50) ? " ANY (ARRAY[" : " ALL (ARRAY[";
      return text + list(dice, column) + "]::" + std::string(name_of(column.type)) + "[])";
    }
    default: {
      std::string text = name + " " + dice.pick(k_comparisons) + " ";
      return text + operand(dice, column);
    }
  }
}

std::string special_test(Dice& dice) {
  static const Texts k_tests{"i4 + i2 > i8 - 1",
                             "n * 2 >= n + 1",
                             "f8 = f4",
                             "n = f8",
                             "i4 = n",
                             "d = ts",
                             "ts <= tz",
                             "d < tz",
                             "t = v",
                             "c = t",
                             "c <> v",
                             "c || 'x' = 'abx'",
                             "length(c) = 2",
                             "lower(c) = 'b'",
                             "c::text = 'ab'",
                             "t LIKE c",
                             "c IN (v, 'ab ')",
                             "lower(t) = v",
                             "length(t) > 1",
                             "upper(v) = 'ABC'",
                             "t || v = 'ab'",
                             "id / 2 = 1",
                             "id % 2 = 0",
                             "i4 / i2 = 1",
                             "coalesce(t, v) = ''",
                             "greatest(i4, i8) > 1",
                             "least(n, 1) < 1",
                             "(id, i4) = (1, 0)",
                             "(id, t) IN ((1, 'a'), (2, NULL))",
                             "b::text = 'true'",
                             "i4::int2 = 1",
                             "f8::int4 > 0",
                             "ts::date = d",
                             "i4::text = '0'",
                             "t::int4 = 1",
                             "n::float8 = f8",
                             "f8::float4 = f4",
                             "f8::numeric = n",
                             "f4::numeric::text = '0.1'",
                             "f4::float8::text LIKE '0.1%'",
                             "b IN (v, 'ab  ', 'b'::varchar, 'ab  '::text)",
                             "f8 NOT IN ('NaN'::numeric, 0.1::float4, 0)",
                             "id IN (SELECT i4 FROM wide WHERE b)",
                             "i4 NOT IN (SELECT i2 FROM wide)",
                             "(id, i4) IN (SELECT i4, id FROM wide)",
                             "id IN (VALUES (1), (3))",
                             "i2 = ANY ('{0,1,NULL}')",
                             "i2 <> ALL ('{0,7}'::int2[])",
                             "id = 'x'",
                             "nosuch = 1",
                             "t > 1",
                             "b",
                             "NOT b",
                             "NULL::bool",
                             "-i4 < 0",
                             "tz = '2020-01-02'",
                             "u::text LIKE 'a%'",
                             "v NOT LIKE 'a%' OR v IS NULL",
                             "id > 3000000000",
                             "t COLLATE \"C\" < 'b'"};
  return dice.pick(k_tests);
}

}  // namespace

std::string generate_condition(Dice& dice, unsigned depth) {
  if (depth > 0 && dice.chance(60)) {
    switch (dice.roll(4)) {
      case 0:
        return "NOT (" + generate_condition(dice, depth - 1) + ")";
      case 1: {
        static const Texts k_tests{" IS TRUE",      " IS NOT TRUE", " IS FALSE",
                                   " IS NOT FALSE", " IS UNKNOWN",  " IS NOT UNKNOWN"};
        std::string text = "(" + generate_condition(dice, depth - 1) + ")";
        return text + dice.pick(k_tests);
      }
      default: {
        std::string text = "(" + generate_condition(dice, depth - 1);
        text += dice.chance(50) ? " AND " : " OR ";
        return text + generate_condition(dice, depth - 1) + ")";
      }
    }
  }
  if (dice.chance(15)) return special_test(dice);
  const TableDefinition table = wide_table();
  const Column& column = dice.pick(table.columns);
  if (family(column.type) == TypeFamily::string && dice.chance(40)) {
    static const Texts k_likes{" LIKE ", " ILIKE ", " NOT LIKE ", " NOT ILIKE "};
    std::string text = column.name + dice.pick(k_likes);
    return text + pattern(dice);
  }
  return test_of(dice, column);
}

}  // namespace holdfast::test
