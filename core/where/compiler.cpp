#include "core/where/compiler.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include "core/where/literal.hpp"

namespace holdfast::where {
namespace {

constexpr int k_clause_location = 0;

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

constexpr std::pair<TruthTest, std::string_view> k_truth_tests[] = {
    {TruthTest::is_true, "IS TRUE"},       {TruthTest::is_not_true, "IS NOT TRUE"},
    {TruthTest::is_false, "IS FALSE"},     {TruthTest::is_not_false, "IS NOT FALSE"},
    {TruthTest::is_unknown, "IS UNKNOWN"}, {TruthTest::is_not_unknown, "IS NOT UNKNOWN"}};

}  // namespace

int Compiler::location_of(const Message& node, std::uint32_t field) {
  const auto location = static_cast<int>(node.number(field)) - ParsedClause::k_prefix_size;
  return location < 0 ? 0 : location;
}

Failure<WhereError> Compiler::at(int location, const std::string& message) {
  return Failure{WhereError{"At location " + std::to_string(location) + ": " + message}};
}

std::uint32_t Compiler::add(Operation operation, std::uint8_t detail, ValueClass value_class,
                            std::uint32_t first, std::uint32_t count) {
  into_.nodes.push_back({operation, detail, value_class, first, count});
  return static_cast<std::uint32_t>(into_.nodes.size() - 1);
}

std::uint32_t Compiler::add_parent(Operation operation, std::uint8_t detail,
                                   const std::vector<std::uint32_t>& children) {
  const auto first = static_cast<std::uint32_t>(into_.children.size());
  into_.children.insert(into_.children.end(), children.begin(), children.end());
  return add(operation, detail, ValueClass::boolean, first,
             static_cast<std::uint32_t>(children.size()));
}

Typed Compiler::truth_of(std::uint32_t node, std::string sql, Precedence precedence, int location) {
  Typed part;
  part.form = Typed::Form::truth;
  part.type = Type::boolean;
  part.node = node;
  part.sql = std::move(sql);
  part.precedence = precedence;
  part.location = location;
  return part;
}

Compiler::Compiled<std::string> Compiler::clause(const Message& node) {
  auto whole = expression(node);
  if (!whole) return whole.failure();
  if (whole->type != Type::boolean)
    return Failure{WhereError{"WHERE clause must return a boolean"}};
  const auto root = truth(*whole);
  if (!root) return root.failure();
  if (*root + 1 != into_.nodes.size()) (void)add_parent(Operation::all_of, 0, {*root});
  return std::move(whole->sql);
}

Compiler::Compiled<Typed> Compiler::expression(const Message& node) {
  const std::uint32_t kind = node.kind();
  const Message inner = node.node();
  switch (static_cast<NodeKind>(kind)) {
    case NodeKind::a_const:
      return constant(inner);
    case NodeKind::column_ref:
      return column(inner);
    case NodeKind::param_ref:
      return parameter(inner);
    case NodeKind::bool_expr:
      return logic(inner);
    case NodeKind::a_expr:
      return operation(inner);
    case NodeKind::null_test:
      return null_test(inner);
    case NodeKind::boolean_test:
      return boolean_test(inner);
    case NodeKind::type_cast:
      return cast(inner);
    case NodeKind::collate_clause:
      return collation(inner);
    case NodeKind::func_call: {
      std::vector<std::string> names;
      for (const Message& name : inner.messages(1)) names.emplace_back(name.node().text(1));
      if (names.size() > 1 && names.front() == "pg_catalog") names.erase(names.begin());
      return at(location_of(inner, 11), "unknown or unsupported function " + join(names, ".") +
                                            "/" + std::to_string(inner.messages(2).size()));
    }
    case NodeKind::sub_link:
      if (inner.number(2) == 3 && !inner.has(5))  // ANY_SUBLINK without an operator: IN (SELECT …)
        return in_subquery(inner);
      return at(location_of(inner, 7),
                "only `value IN (SELECT ...)` sublinks are supported right now");
    case NodeKind::range_var:
    case NodeKind::row_expr:
    case NodeKind::string:
    case NodeKind::list:
      break;
  }
  return at(k_clause_location, std::string(node_name(kind)) + " is not supported in this context");
}

Compiler::Compiled<Typed> Compiler::constant(const Message& node) {
  Typed part;
  part.location = location_of(node, 11);
  if (node.number(10) != 0) {
    part.null = true;
    part.sql = "NULL";
  } else if (node.has(1)) {
    part.type = Type::int4;
    part.value = std::to_string(static_cast<std::int32_t>(node.message(1).number(1)));
    part.sql = part.value;
  } else if (node.has(2)) {
    // Whatever is no 32-bit integer: larger integers and everything with a point or an exponent.
    part.sql = std::string(node.message(2).text(1));
    std::int64_t integer = 0;
    const char* const end = part.sql.data() + part.sql.size();
    const auto [stop, error] = std::from_chars(part.sql.data(), end, integer);
    part.type = error == std::errc{} && stop == end ? Type::int8 : Type::numeric;
    const auto value = read_literal(part.type, part.sql);
    if (!value) return at(part.location, "invalid syntax for type numeric: " + part.sql);
    part.value = *value;
  } else if (node.has(3)) {
    part.type = Type::boolean;
    part.value = node.message(3).number(1) != 0 ? "t" : "f";
    part.sql = part.value == "t" ? "true" : "false";
  } else if (node.has(4)) {
    part.value = std::string(node.message(4).text(1));
    part.sql = quote_literal(part.value);
  } else {
    return at(part.location, "BitString values are not supported");
  }
  if (part.sql.starts_with('-')) part.precedence = Precedence::sign;
  return part;
}

Compiler::Compiled<Typed> Compiler::column(const Message& node) {
  const int location = location_of(node, 2);
  const std::vector<Message> fields = node.messages(1);
  std::vector<std::string> names;
  for (const Message& field : fields) {
    if (field.kind() != static_cast<std::uint32_t>(NodeKind::string))
      return at(location,
                std::string(node_name(field.kind())) + " is not supported in this context");
    names.emplace_back(field.node().text(1));
  }
  if (names.size() == 1) {
    for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
      if (relation_.columns[i].name != names.front()) continue;
      Typed part;
      part.form = Typed::Form::column;
      part.type = part.column_type = type_of_column(relation_.columns[i]);
      part.column = static_cast<std::uint16_t>(i);
      part.location = location;
      part.sql = quote_identifier(names.front());
      return part;
    }
  }
  return at(location, "unknown reference " + join(names, "."));
}

Compiler::Compiled<Typed> Compiler::parameter(const Message& node) {
  const auto number = static_cast<unsigned>(node.number(1));
  Typed part;
  part.location = location_of(node, 2);
  const auto given = parameters_.find(number);
  if (given == parameters_.end())
    return at(part.location, "parameter $" + std::to_string(number) + " was not provided");
  part.value = given->second;
  part.parameter = number;
  part.sql = quote_literal(part.value);
  if (const auto known = parameter_types_.find(number); known != parameter_types_.end())
    if (const auto typed = give_type(part, known->second); !typed) return typed.failure();
  return part;
}

Compiler::Compiled<Typed> Compiler::logic(const Message& node) {
  if (node.number(2) == 3) return negation(node);
  const bool all = node.number(2) == 1;
  const Precedence precedence = all ? Precedence::all_of : Precedence::any_of;
  const Operation operation = all ? Operation::all_of : Operation::any_of;
  std::vector<std::uint32_t> children;
  std::vector<std::string> texts;
  for (const Message& argument : node.messages(3)) {
    auto part = expression(argument);
    if (!part) return part;
    const auto child = truth(*part);
    if (!child) return child.failure();
    // `a AND (b AND c)` and `a AND b AND c` are one list.
    if (part->precedence == precedence) {
      const Node nested = into_.nodes[*child];
      children.insert(children.end(), into_.children.begin() + nested.first,
                      into_.children.begin() + nested.first + nested.count);
      texts.push_back(part->sql);
    } else {
      children.push_back(*child);
      // Spelled with parentheses although AND binds tighter than OR: "(a AND b) OR c" (§14).
      texts.push_back(part->precedence < Precedence::negation ? '(' + part->sql + ')' : part->sql);
    }
  }
  return truth_of(add_parent(operation, 0, children), join(texts, all ? " AND " : " OR "),
                  precedence, location_of(node, 4));
}

Compiler::Compiled<Typed> Compiler::negation(const Message& node) {
  auto part = expression(node.messages(3).front());
  if (!part) return part;
  const auto child = truth(*part);
  if (!child) return child.failure();
  return truth_of(add_parent(Operation::negate, 0, {*child}),
                  "NOT " + inside(*part, Precedence::negation), Precedence::negation,
                  location_of(node, 4));
}

std::uint32_t Compiler::add_null_test(const Typed& part) {
  if (part.form == Typed::Form::column)
    return add(Operation::is_null, 0, ValueClass::boolean, part.column, 0);
  if (part.form == Typed::Form::constant)
    return add(Operation::constant, static_cast<std::uint8_t>(part.null ? Truth::yes : Truth::no),
               ValueClass::boolean, 0, 0);
  return add_parent(Operation::truth_test, static_cast<std::uint8_t>(TruthTest::is_unknown),
                    {part.node});
}

Compiler::Compiled<Typed> Compiler::null_test(const Message& node) {
  auto part = expression(node.message(2));
  if (!part) return part;
  if (part->parameter != 0 && part->untyped())
    if (const auto typed = give_type(*part, Type::text); !typed) return typed.failure();
  const bool positive = node.number(3) == 1;
  std::uint32_t test = add_null_test(*part);
  if (!positive) test = add_parent(Operation::negate, 0, {test});
  return truth_of(test,
                  inside(*part, Precedence::comparison) + (positive ? " IS NULL" : " IS NOT NULL"),
                  Precedence::is_test, location_of(node, 5));
}

Compiler::Compiled<Typed> Compiler::boolean_test(const Message& node) {
  auto part = expression(node.message(2));
  if (!part) return part;
  const auto kind = static_cast<std::size_t>(node.number(3) - 1);
  ASSERT(kind < std::size(k_truth_tests), "a boolean test is one of six");
  const auto& [test, words] = k_truth_tests[kind];
  if (part->type != Type::boolean && !part->untyped())
    return at(part->location, "argument of " + std::string(words) + " must be bool, not " +
                                  std::string(type_name(part->type)));
  const auto child = truth(*part);
  if (!child) return child.failure();
  return truth_of(add_parent(Operation::truth_test, static_cast<std::uint8_t>(test), {*child}),
                  inside(*part, Precedence::comparison) + ' ' + std::string(words),
                  Precedence::is_test, location_of(node, 4));
}

// Only the collation that the canonical form itself writes, so that the form can be read back.
Compiler::Compiled<Typed> Compiler::collation(const Message& node) {
  const std::vector<Message> names = node.messages(2);
  auto part = expression(node.message(1));
  if (!part) return part;
  if (names.size() != 1 || names.front().node().text(1) != "C" ||
      (!is_string(part->type) && !part->untyped()))
    return at(location_of(node, 3), "CollateClause is not supported in this context");
  return part;
}

}  // namespace holdfast::where
