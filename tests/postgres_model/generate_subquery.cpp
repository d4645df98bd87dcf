#include "tests/postgres_model/generate_subquery.hpp"

namespace holdfast::test {

using namespace sim::postgres;  // NOLINT: generators of its values

namespace {

std::string type_name(const Column& column) {
  return std::string(name_of(column.type));
}

/// Texts that the type reads, most of them in the table too.
std::string array(Dice& dice, const Column& column) {
  const bool literal = dice.chance(50);
  std::string items;
  for (std::uint64_t more = dice.roll(5); more > 0; --more) {
    if (!items.empty()) items += ",";
    const std::string text = generate_text(dice, column.type);
    if (dice.chance(15)) {
      items += "NULL";
    } else if (literal) {
      items += '"';
      for (const char c : text) items += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
      items += '"';
    } else {
      items += quote_literal(text);
    }
  }
  const std::string array = literal ? quote_literal("{" + items + "}") : "ARRAY[" + items + "]";
  return array + "::" + type_name(column) + "[]";
}

const Column& any_column(Dice& dice) {
  static const TableDefinition k_wide = wide_table();
  return dice.pick(k_wide.columns);
}

/// A column that compares with `column`, often of another type.
const Column& comparable(Dice& dice, const Column& column) {
  while (true) {
    const Column& other = any_column(dice);
    if (family(other.type) == family(column.type)) return other;
  }
}

std::string membership(Dice& dice, unsigned depth) {
  const bool pair = dice.chance(35);
  const Column& first = any_column(dice);
  const Column& second = any_column(dice);
  const std::string left = pair ? "(" + first.name + ", " + second.name + ")" : first.name;
  if (dice.chance(25))
    return pair ? left + " IN (SELECT * FROM unnest(" + array(dice, first) + ", " +
                      array(dice, second) + "))"
                : left + " = ANY (" + array(dice, first) + ")";
  std::string select = comparable(dice, first).name;
  if (pair) select += ", " + comparable(dice, second).name;
  std::string text =
      left + (dice.chance(40) ? " NOT IN (SELECT " : " IN (SELECT ") + select + " FROM wide";
  // Few of its rows, so that a NULL among them does not decide everything.
  text +=
      " WHERE id " + std::string(dice.chance(50) ? "< " : ">= ") + std::to_string(dice.roll(60));
  if (dice.chance(60)) text += " AND " + generate_subquery_condition(dice, depth);
  return text + ")";
}

}  // namespace

std::string generate_subquery_condition(Dice& dice, unsigned depth) {
  const std::uint64_t form = dice.roll(10);
  if (depth == 0) return generate_condition(dice, 0);
  if (form < 5) return membership(dice, depth - 1);
  const std::string inner = generate_subquery_condition(dice, depth - 1);
  if (form == 5) return "NOT (" + inner + ")";
  if (form == 6) return "coalesce(" + inner + ", false)";
  return "(" + inner + (dice.chance(50) ? " AND " : " OR ") +
         generate_subquery_condition(dice, depth - 1) + ")";
}

}  // namespace holdfast::test
