// What the grammar calls A_Expr: comparisons, LIKE, IN, BETWEEN, IS DISTINCT FROM.
#include <array>
#include <utility>

#include "core/where/compiler.hpp"
#include "core/where/decimal.hpp"
#include "core/where/like.hpp"
#include "core/where/literal.hpp"

namespace holdfast::where {
namespace {

/// Values of A_Expr_Kind.
enum class ExpressionKind : std::int64_t {
  plain = 1,
  any = 2,
  all = 3,
  distinct = 4,
  not_distinct = 5,
  null_if = 6,
  in = 7,
  like = 8,
  ilike = 9,
  similar = 10,
  between = 11,
  not_between = 12,
  between_symmetric = 13,
  not_between_symmetric = 14,
};

constexpr std::array<std::string_view, 15> k_kind_names = {
    "A_EXPR_KIND_UNDEFINED", "AEXPR_OP",          "AEXPR_OP_ANY",
    "AEXPR_OP_ALL",          "AEXPR_DISTINCT",    "AEXPR_NOT_DISTINCT",
    "AEXPR_NULLIF",          "AEXPR_IN",          "AEXPR_LIKE",
    "AEXPR_ILIKE",           "AEXPR_SIMILAR",     "AEXPR_BETWEEN",
    "AEXPR_NOT_BETWEEN",     "AEXPR_BETWEEN_SYM", "AEXPR_NOT_BETWEEN_SYM"};

struct ComparisonName {
  std::string_view name;
  Comparison comparison;
};
constexpr std::array k_comparisons = {
    ComparisonName{"=", Comparison::equal},   ComparisonName{"<>", Comparison::not_equal},
    ComparisonName{"<", Comparison::less},    ComparisonName{"<=", Comparison::less_or_equal},
    ComparisonName{">", Comparison::greater}, ComparisonName{">=", Comparison::greater_or_equal}};

bool is_ordering(Comparison comparison) {
  return comparison != Comparison::equal && comparison != Comparison::not_equal &&
         comparison != Comparison::distinct && comparison != Comparison::not_distinct;
}

/// Order of texts is byte order here, so Postgres is told to use the same (where-clauses.md §8.1
/// c).
std::string collated(const Typed& part, bool needed, Precedence outer) {
  return needed ? inside(part, Precedence::sign) + " COLLATE \"C\"" : inside(part, outer);
}

bool may_be_text(const Typed& left, const Typed& right) {
  return is_string(left.type) || is_string(right.type);
}

/// A literal without a type takes one in each comparison on its own; a parameter keeps its first.
Typed& on_its_own(Typed& part, Typed& copy) {
  if (!part.untyped() || part.parameter != 0) return part;
  copy = part;
  return copy;
}

std::string operator_name(const Message& node) {
  std::string name;
  for (const Message& part : node.messages(2)) {
    if (!name.empty()) name += '.';
    name += part.node().text(1);
  }
  return name;
}

}  // namespace

Compiler::Compiled<Typed> Compiler::operation(const Message& node) {
  const std::string name = operator_name(node);
  const auto kind = static_cast<ExpressionKind>(node.number(1));
  switch (kind) {
    case ExpressionKind::plain:
      return plain_operator(node, name);
    case ExpressionKind::like:
    case ExpressionKind::ilike:
      return pattern(node, name);
    case ExpressionKind::distinct:
      return distinct(node, Comparison::distinct);
    case ExpressionKind::not_distinct:
      return distinct(node, Comparison::not_distinct);
    case ExpressionKind::in:
      return membership(node, name);
    case ExpressionKind::between:
    case ExpressionKind::not_between:
    case ExpressionKind::between_symmetric:
    case ExpressionKind::not_between_symmetric:
      return between(node, node.number(1));
    case ExpressionKind::any:
    case ExpressionKind::all:
    case ExpressionKind::null_if:
    case ExpressionKind::similar:
      break;
  }
  const auto number = static_cast<std::size_t>(node.number(1));
  const std::string_view kind_name = k_kind_names[number < k_kind_names.size() ? number : 0];
  return at(location_of(node, 5), "expression \"" + name + "\" of :" + std::string(kind_name) +
                                      " is not currently supported");
}

Compiler::Compiled<Typed> Compiler::plain_operator(const Message& node, std::string_view name) {
  if (name == "~~" || name == "!~~" || name == "~~*" || name == "!~~*") return pattern(node, name);
  const int location = location_of(node, 5);
  if (!node.has(3)) return sign(node, name);
  for (const auto& [spelling, comparison] : k_comparisons) {
    if (spelling != name) continue;
    auto left = expression(node.message(3));
    if (!left) return left;
    auto right = expression(node.message(4));
    if (!right) return right;
    const auto compared = compare(*left, *right, comparison, location);
    if (!compared) return compared.failure();
    const bool collate = is_ordering(comparison) && may_be_text(*left, *right);
    return truth_of(*compared,
                    collated(*left, collate, Precedence::comparison) + ' ' + std::string(name) +
                        ' ' + inside(*right, Precedence::comparison),
                    Precedence::comparison, location);
  }
  return at(location, "unknown binary operator \"" + std::string(name) + "\"");
}

// A sign before a constant that the grammar did not fold into it: `- '5'::int8`, `+ 5`.
Compiler::Compiled<Typed> Compiler::sign(const Message& node, std::string_view name) {
  const int location = location_of(node, 5);
  if (name != "-" && name != "+")
    return at(location, "unknown unary operator \"" + std::string(name) + "\"");
  auto part = expression(node.message(4));
  if (!part) return part;
  if (part->form != Typed::Form::constant || category(part->type) != Category::numeric)
    return at(location, "unknown unary operator \"" + std::string(name) + "\"");
  if (name == "-" && !part->null && part->value != "NaN") {
    const bool negative = part->value.starts_with('-');
    const bool zero = part->value.find_first_of("123456789I") == std::string::npos;
    const std::string value = negative ? part->value.substr(1) : '-' + part->value;
    if (!zero) {
      const auto checked = read_literal(part->type, value);
      if (!checked) return at(0, "Failed to apply function to constant arguments");
      part->value = *checked;
    }
  }
  part->sql = std::string(name) + ' ' + inside(*part, Precedence::sign);
  part->precedence = Precedence::sign;
  part->location = location;
  return part;
}

Compiler::Compiled<Typed> Compiler::pattern(const Message& node, std::string_view name) {
  const int location = location_of(node, 5);
  auto left = expression(node.message(3));
  if (!left) return left;
  auto right = expression(node.message(4));
  if (!right) return right;
  const bool negative = name.starts_with('!');
  const bool folded = name.ends_with('*');
  for (Typed* part : {&*left, &*right}) {
    if (part->untyped())
      if (const auto typed = give_type(*part, Type::text); !typed) return typed.failure();
    if (!is_string(part->type)) return at(location, "Could not select an operator overload");
  }
  // Unlike every comparison, LIKE sees the padding of a bpchar on its left.
  auto text = operand(*left, left->type == Type::bpchar ? Type::bpchar : Type::text);
  if (!text) return text.failure();
  if (left->type == Type::bpchar) text->loader = Loader::text;
  auto with = operand(*right, Type::text);
  if (!with) return with.failure();
  if (with->source == Operand::Source::constant && ends_with_escape(with->text))
    return at(right->location, "LIKE pattern must not end with escape character");
  const auto first = static_cast<std::uint32_t>(into_.operands.size());
  into_.operands.push_back(std::move(*text));
  into_.operands.push_back(std::move(*with));
  std::uint32_t matched = add(Operation::like, folded ? 1 : 0, ValueClass::text, first, 0);
  if (negative) matched = add_parent(Operation::negate, 0, {matched});
  return truth_of(matched,
                  collated(*left, folded, Precedence::pattern) + (negative ? " NOT" : "") +
                      (folded ? " ILIKE " : " LIKE ") + inside(*right, Precedence::pattern),
                  Precedence::pattern, location);
}

Compiler::Compiled<Typed> Compiler::distinct(const Message& node, Comparison comparison) {
  const int location = location_of(node, 5);
  auto left = expression(node.message(3));
  if (!left) return left;
  auto right = expression(node.message(4));
  if (!right) return right;
  const auto is_bare_null = [](const Typed& part) { return part.null && part.untyped(); };
  std::uint32_t compared = 0;
  if (is_bare_null(*left) || is_bare_null(*right)) {
    compared = add_null_test(is_bare_null(*left) ? *right : *left);
    if (comparison == Comparison::distinct) compared = add_parent(Operation::negate, 0, {compared});
  } else {
    const auto made = compare(*left, *right, comparison, location);
    if (!made) return made.failure();
    compared = *made;
  }
  return truth_of(
      compared,
      inside(*left, Precedence::comparison) +
          (comparison == Comparison::distinct ? " IS DISTINCT FROM " : " IS NOT DISTINCT FROM ") +
          inside(*right, Precedence::comparison),
      Precedence::is_test, location);
}

Compiler::Compiled<std::uint32_t> Compiler::compare(Typed& left, Typed& right,
                                                    Comparison comparison, int location) {
  const auto type = comparison_type(left.type, right.type);
  if (!type) return at(location, "Could not select an operator overload");
  return compare_as(left, right, *type, comparison, location);
}

Compiler::Compiled<std::uint32_t> Compiler::compare_as(Typed& left, Typed& right, Type type,
                                                       Comparison comparison, int location) {
  if (left.form == Typed::Form::truth || right.form == Typed::Form::truth) {
    if (type != Type::boolean) return at(location, "Could not select an operator overload");
    const auto a = truth(left);
    if (!a) return a;
    const auto b = truth(right);
    if (!b) return b;
    return add_parent(Operation::compare_truth, static_cast<std::uint8_t>(comparison), {*a, *b});
  }
  auto a = operand(left, type);
  if (!a) return a.failure();
  auto b = operand(right, type);
  if (!b) return b.failure();
  const auto first = static_cast<std::uint32_t>(into_.operands.size());
  into_.operands.push_back(std::move(*a));
  into_.operands.push_back(std::move(*b));
  const auto own = own_loader(type);
  ASSERT(own, "a type that compares has a loader");
  return add(Operation::compare, static_cast<std::uint8_t>(comparison), class_of(*own), first, 0);
}

// IN as Postgres transforms it: two or more items without columns become an array of one type,
// which is compared as a whole; every other item is a comparison of its own.
Compiler::Compiled<Typed> Compiler::membership(const Message& node, std::string_view name) {
  const int location = location_of(node, 5);
  auto left = expression(node.message(3));
  if (!left) return left;
  std::vector<Typed> items;
  for (const Message& item : node.message(4).node().messages(1)) {
    auto part = expression(item);
    if (!part) return part;
    items.push_back(std::move(*part));
  }
  std::vector<Typed*> constants;
  std::vector<Typed*> others;
  for (Typed& item : items)
    (item.form == Typed::Form::constant ? constants : others).push_back(&item);
  std::vector<std::uint32_t> tests;
  std::vector<Type> types = {left->type};
  for (const Typed* item : constants) types.push_back(item->type);
  const auto shared = constants.size() > 1 ? common_type(types) : std::nullopt;
  if (shared && *shared != Type::opaque && left->form != Typed::Form::truth) {
    for (Typed* item : constants)
      if (item->untyped())
        if (const auto typed = give_type(*item, *shared); !typed) return typed.failure();
    for (Typed* item : constants) {
      if (item->type == *shared || item->null) continue;
      const auto value = cast_constant(item->type, *shared, item->value);
      if (!value || !*value) return at(0, "Failed to apply function to constant arguments");
      item->value = **value;
      item->type = *shared;
    }
    Typed copy;
    const auto found = constant_members(on_its_own(*left, copy), constants, location);
    if (!found) return found.failure();
    tests.push_back(*found);
  } else {
    others.insert(others.begin(), constants.begin(), constants.end());
  }
  for (Typed* item : others) {
    Typed copy;
    const auto compared = compare(on_its_own(*left, copy), *item, Comparison::equal, location);
    if (!compared) return compared.failure();
    tests.push_back(*compared);
  }
  std::string sql;
  for (const Typed& item : items) sql += (sql.empty() ? "" : ", ") + item.sql;
  const bool negative = name == "<>";
  std::uint32_t result =
      tests.size() == 1 ? tests.front() : add_parent(Operation::any_of, 0, tests);
  if (negative) result = add_parent(Operation::negate, 0, {result});
  return truth_of(
      result, inside(*left, Precedence::pattern) + (negative ? " NOT IN (" : " IN (") + sql + ')',
      Precedence::pattern, location);
}

Compiler::Compiled<std::uint32_t> Compiler::constant_members(Typed& left,
                                                             std::vector<Typed*>& items,
                                                             int location) {
  const auto type = comparison_type(left.type, items.front()->type);
  if (!type) return at(location, "Could not select an operator overload");
  auto value = operand(left, *type);
  if (!value) return value.failure();
  std::vector<Operand> list;
  for (Typed* item : items) {
    auto made = operand(*item, *type);
    if (!made) return made.failure();
    if (made->source == Operand::Source::constant) list.push_back(std::move(*made));
  }
  const auto first = static_cast<std::uint32_t>(into_.operands.size());
  into_.operands.push_back(std::move(*value));
  for (Operand& item : list) into_.operands.push_back(std::move(item));
  const auto own = own_loader(*type);
  ASSERT(own, "a type that compares has a loader");
  return add(Operation::member, list.size() < items.size() ? 1 : 0, class_of(*own), first,
             static_cast<std::uint32_t>(list.size()));
}

Compiler::Compiled<Typed> Compiler::between(const Message& node, std::int64_t kind) {
  const int location = location_of(node, 5);
  const bool symmetric = kind >= static_cast<std::int64_t>(ExpressionKind::between_symmetric);
  const bool negative = kind == static_cast<std::int64_t>(ExpressionKind::not_between) ||
                        kind == static_cast<std::int64_t>(ExpressionKind::not_between_symmetric);
  auto value = expression(node.message(3));
  if (!value) return value;
  const std::vector<Message> bounds = node.message(4).node().messages(1);
  ASSERT(bounds.size() == 2, "BETWEEN has two bounds");
  auto low = expression(bounds.front());
  if (!low) return low;
  auto high = expression(bounds.back());
  if (!high) return high;
  std::vector<std::uint32_t> ranges;
  bool collate = false;
  const auto test = [&](Typed& bound, Comparison comparison) {
    Typed value_copy;
    Typed bound_copy;
    Typed& own_value = on_its_own(*value, value_copy);
    Typed& own_bound = on_its_own(bound, bound_copy);
    auto compared = compare(own_value, own_bound, comparison, location);
    collate = collate || may_be_text(own_value, own_bound);
    return compared;
  };
  std::pair<Typed*, Typed*> pair(&*low, &*high);
  for (int turn = 0; turn < (symmetric ? 2 : 1); ++turn, std::swap(pair.first, pair.second)) {
    const auto above = test(*pair.first, Comparison::greater_or_equal);
    if (!above) return above.failure();
    const auto below = test(*pair.second, Comparison::less_or_equal);
    if (!below) return below.failure();
    ranges.push_back(add_parent(Operation::all_of, 0, {*above, *below}));
  }
  std::uint32_t result = symmetric ? add_parent(Operation::any_of, 0, ranges) : ranges.front();
  if (negative) result = add_parent(Operation::negate, 0, {result});
  return truth_of(result,
                  collated(*value, collate, Precedence::pattern) + (negative ? " NOT" : "") +
                      (symmetric ? " BETWEEN SYMMETRIC " : " BETWEEN ") +
                      inside(*low, Precedence::pattern) + " AND " +
                      inside(*high, Precedence::pattern),
                  Precedence::pattern, location);
}

}  // namespace holdfast::where
