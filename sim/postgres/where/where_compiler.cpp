#include "sim/postgres/where/where_compiler.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "sim/postgres/values/array_literal.hpp"
#include "sim/postgres/where/typing.hpp"

namespace holdfast::sim::postgres {
namespace {

/// pg_query.proto's A_Expr_Kind.
enum class OperationKind : std::uint64_t {
  plain = 1,
  any = 2,
  all = 3,
  distinct = 4,
  not_distinct = 5,
  in = 7,
  like = 8,
  ilike = 9,
  between = 11,
  not_between = 12,
  between_symmetric = 13,
  not_between_symmetric = 14,
};

template <class... Refs>
std::vector<ExpressionRef> list(Refs... refs) {
  std::vector<ExpressionRef> all;
  (all.push_back(std::move(refs)), ...);
  return all;
}

}  // namespace

std::shared_ptr<const WhereClause> WhereCompiler::compile(const TreeNode& where) {
  ExpressionRef root = boolean(where);
  std::shared_ptr<WhereClause> condition(new WhereClause());
  condition->root_ = std::move(root);
  condition->subselects_ = std::move(subselects_);
  condition->depth_ = deepest_;
  return condition;
}

ExpressionRef WhereCompiler::expression(const TreeNode& node) {
  deepest_ = std::max(deepest_, ++depth_);
  ExpressionRef made = [&]() -> ExpressionRef {
    switch (node.kind) {
      case NodeKind::a_const:
        return constant(node.body);
      case NodeKind::column_ref:
        return column(node.body);
      case NodeKind::bool_expr:
        return junction(node.body);
      case NodeKind::a_expr:
        return operation(node.body);
      case NodeKind::null_test:
        return null_test(node.body);
      case NodeKind::boolean_test:
        return boolean_test(node.body);
      case NodeKind::type_cast:
        return cast(node.body);
      case NodeKind::func_call:
        return call(node.body);
      case NodeKind::coalesce_expr:
        return choice(Choice::first_not_null, node.body.children(4));
      case NodeKind::min_max_expr:
        return choice(node.body.number(5) == 1 ? Choice::greatest : Choice::least,
                      node.body.children(6));
      case NodeKind::sub_link:
        return sub_link(node.body);
      case NodeKind::collate_clause:
        if (last_name(node.body.children(2)) != "C") unsupported("a collation other than C");
        return expression(TreeNode(node.body.child(1)));
      case NodeKind::none:
      case NodeKind::range_var:
      case NodeKind::row_expr:
      case NodeKind::select_stmt:
      case NodeKind::range_function:
      case NodeKind::a_star:
      case NodeKind::a_array_expr:
      case NodeKind::res_target:
      case NodeKind::string:
      case NodeKind::list:
        break;
    }
    unsupported("node " + std::to_string(static_cast<unsigned>(node.kind)) + " here");
  }();
  --depth_;
  return made;
}

ExpressionRef WhereCompiler::boolean(const TreeNode& node) {
  ExpressionRef term = coerce(expression(node), TypeId::boolean);
  if (term->type() != TypeId::boolean)
    raise("42804", "argument must be type boolean, not type " + std::string(name_of(term->type())));
  return term;
}

ExpressionRef WhereCompiler::constant(const TreeMessage& body) {
  if (body.number(10) != 0) return make_constant(Value::null_of(TypeId::unknown));
  if (body.has(1))
    return make_constant(
        Value::of_integer(TypeId::int4, static_cast<std::int32_t>(body.child(1).number(1))));
  if (body.has(3)) return make_constant(Value::of_boolean(body.child(3).number(1) != 0));
  if (body.has(4)) return make_constant(Value::of_text(TypeId::unknown, body.child(4).text(1)));
  if (!body.has(2)) unsupported("bit strings");
  const std::string digits = body.child(2).text(1);
  auto integer = read_value(TypeId::int8, digits);
  if (integer) return make_constant(std::move(*integer));
  auto decimal = read_value(TypeId::numeric, digits);
  if (!decimal) throw Raised{decimal.error()};
  return make_constant(std::move(*decimal));
}

ExpressionRef WhereCompiler::column(const TreeMessage& body) {
  const auto fields = body.children(1);
  const bool qualified =
      fields.size() == 2 && TreeNode(fields.front()).body.text(1) == table_.name.table;
  if (fields.size() != 1 && !qualified) unsupported("this column reference");
  const std::string name = last_name(fields);
  const int at = table_.find_column(name);
  if (at < 0) raise("42703", "column \"" + name + "\" does not exist");
  const Column& found = table_.columns[static_cast<std::size_t>(at)];
  ++columns_;
  return make_column(found.type, found.slot);
}

ExpressionRef WhereCompiler::junction(const TreeMessage& body) {
  Terms terms;
  for (const TreeMessage& arg : body.children(3)) terms.push_back(boolean(TreeNode(arg)));
  switch (body.number(2)) {
    case 1:
      return make_and(std::move(terms));
    case 2:
      return make_or(std::move(terms));
    case 3:
      return make_not(std::move(terms.front()));
    default:
      unsupported("this boolean operator");
  }
}

ExpressionRef WhereCompiler::operation(const TreeMessage& body) {
  const std::string name = last_name(body.children(2));
  switch (static_cast<OperationKind>(body.number(1))) {
    case OperationKind::plain:
    case OperationKind::like:
    case OperationKind::ilike:
      return plain_operator(name, body);
    case OperationKind::any:
    case OperationKind::all:
      return any_or_all(body);
    case OperationKind::distinct:
    case OperationKind::not_distinct: {
      ExpressionRef left = expression(TreeNode(body.child(3)));
      ExpressionRef right = expression(TreeNode(body.child(4)));
      unify(left, right);
      if (family(left->type()) != family(right->type()))
        no_operator("=", left->type(), right->type());
      ExpressionRef distinct = make_distinct(std::move(left), std::move(right));
      return body.number(1) == 4 ? std::move(distinct) : make_not(std::move(distinct));
    }
    case OperationKind::in:
      return in_list(body);
    case OperationKind::between:
    case OperationKind::not_between:
    case OperationKind::between_symmetric:
    case OperationKind::not_between_symmetric:
      return between(body);
  }
  unsupported("operator \"" + name + "\" in this form");
}

ExpressionRef WhereCompiler::plain_operator(const std::string& name, const TreeMessage& body) {
  if (!body.has(3)) return unary_operator(name, expression(TreeNode(body.child(4))));
  const TreeNode left_node(body.child(3));
  const TreeNode right_node(body.child(4));
  if (left_node.kind == NodeKind::row_expr) {
    if (name != "=" && name != "<>") unsupported("ordering of rows");
    Terms left = row(left_node);
    ExpressionRef same = equal_rows(std::move(left), row(right_node));
    return name == "=" ? std::move(same) : make_not(std::move(same));
  }
  // One after the other: which of two errors is raised must not depend on the compiler.
  ExpressionRef left = expression(left_node);
  return compare(name, std::move(left), expression(right_node));
}

ExpressionRef WhereCompiler::unary_operator(const std::string& name, ExpressionRef term) {
  if (name == "+" && family(term->type()) == TypeFamily::number) return term;
  if (name != "-" || family(term->type()) != TypeFamily::number)
    unsupported("unary operator " + name);
  const TypeId type = term->type();
  ExpressionRef zero = make_cast(make_constant(Value::of_integer(TypeId::int2, 0)), type);
  return make_arithmetic('-', std::move(zero), std::move(term));
}

ExpressionRef WhereCompiler::compare(const std::string& name, ExpressionRef left,
                                     ExpressionRef right) {
  if (name == "~~" || name == "!~~" || name == "~~*" || name == "!~~*")
    return like_operator(name, std::move(left), std::move(right));
  if (name == "||")
    return make_concatenation(text_operand(std::move(left), name),
                              text_operand(std::move(right), name));
  unify(left, right);
  if (const auto comparison = comparison_of(name)) {
    if (family(left->type()) != family(right->type()))
      no_operator(name, left->type(), right->type());
    return make_comparison(*comparison, std::move(left), std::move(right));
  }
  const bool arithmetic =
      name.size() == 1 && std::string_view("+-*/%").find(name) != std::string::npos;
  if (arithmetic && family(left->type()) == TypeFamily::number &&
      family(right->type()) == TypeFamily::number)
    return make_arithmetic(name.front(), std::move(left), std::move(right));
  unsupported("operator " + name + " on " + std::string(name_of(left->type())) + " and " +
              std::string(name_of(right->type())));
}

WhereCompiler::Terms WhereCompiler::row(const TreeNode& node) {
  Terms terms;
  if (node.kind == NodeKind::row_expr)
    for (const TreeMessage& arg : node.body.children(2)) terms.push_back(expression(TreeNode(arg)));
  else
    terms.push_back(expression(node));
  return terms;
}

ExpressionRef WhereCompiler::equal_rows(Terms left, Terms right) {
  if (left.size() != right.size()) raise("42601", "unequal number of entries in row expressions");
  Terms all;
  for (std::size_t i = 0; i < left.size(); ++i)
    all.push_back(compare("=", std::move(left[i]), std::move(right[i])));
  return make_and(std::move(all));
}

ExpressionRef WhereCompiler::in_list(const TreeMessage& body) {
  const TreeNode left(body.child(3));
  const auto items = TreeNode(body.child(4)).body.children(1);
  Terms any = left.kind == NodeKind::row_expr ? Terms() : in_scalars(left, items);
  if (any.empty()) {
    for (const TreeMessage& item : items) {
      Terms subject = row(left);
      any.push_back(equal_rows(std::move(subject), row(TreeNode(item))));
    }
  }
  ExpressionRef in = make_or(std::move(any));
  return last_name(body.children(2)) == "=" ? std::move(in) : make_not(std::move(in));
}

/// Two or more items without columns become an array if their types have one in common; the others
/// are compared one by one.
WhereCompiler::Terms WhereCompiler::in_scalars(const TreeNode& left,
                                               const std::vector<TreeMessage>& items) {
  Terms values;
  Terms others;
  std::vector<TypeId> types{expression(left)->type()};
  for (const TreeMessage& item : items) {
    const unsigned columns = columns_;
    ExpressionRef term = expression(TreeNode(item));
    if (columns_ == columns) types.push_back(term->type());
    (columns_ == columns ? values : others).push_back(std::move(term));
  }
  Terms any;
  const auto type = common_type(types);
  if (values.size() < 2 || !type) {
    for (const TreeMessage& item : items) {
      ExpressionRef subject = expression(left);
      any.push_back(compare("=", std::move(subject), expression(TreeNode(item))));
    }
    return any;
  }
  for (ExpressionRef& value : values) value = convert(std::move(value), *type);
  for (Terms* terms : {&values, &others})
    for (ExpressionRef& term : *terms)
      any.push_back(compare("=", expression(left), std::move(term)));
  return any;
}

ExpressionRef WhereCompiler::between(const TreeMessage& body) {
  const auto kind = static_cast<OperationKind>(body.number(1));
  const TreeNode subject(body.child(3));
  const auto bounds = TreeNode(body.child(4)).body.children(1);
  ASSERT(bounds.size() == 2, "BETWEEN has two bounds");
  const auto within = [&](std::size_t low, std::size_t high) {
    ExpressionRef first = expression(subject);
    ExpressionRef above = compare(">=", std::move(first), expression(TreeNode(bounds[low])));
    ExpressionRef second = expression(subject);
    ExpressionRef below = compare("<=", std::move(second), expression(TreeNode(bounds[high])));
    return make_and(list(std::move(above), std::move(below)));
  };
  const bool symmetric =
      kind == OperationKind::between_symmetric || kind == OperationKind::not_between_symmetric;
  ExpressionRef inside = symmetric ? make_or(list(within(0, 1), within(1, 0))) : within(0, 1);
  const bool negated =
      kind == OperationKind::not_between || kind == OperationKind::not_between_symmetric;
  return negated ? make_not(std::move(inside)) : std::move(inside);
}

std::optional<WhereCompiler::Terms> WhereCompiler::array(const TreeNode& node, TypeId element) {
  Terms terms;
  switch (node.kind) {
    case NodeKind::a_array_expr:
      for (const TreeMessage& one : node.body.children(1)) {
        const TreeNode inner(one);
        if (inner.kind == NodeKind::a_array_expr) unsupported("arrays of arrays");
        terms.push_back(coerce(expression(inner), element));
      }
      return terms;
    case NodeKind::type_cast: {
      const TreeMessage type_name = node.body.child(2);
      const auto type = type_of_name(last_name(type_name.children(1)));
      if (!type_name.has(7) || !type) unsupported("this cast where an array is expected");
      auto elements = array(TreeNode(node.body.child(1)), *type);
      if (!elements) return std::nullopt;
      for (ExpressionRef& term : *elements)
        if (term->type() != *type) term = make_cast(std::move(term), *type);
      return elements;
    }
    case NodeKind::a_const: {
      if (node.body.number(10) != 0) return std::nullopt;
      const auto texts = read_array_literal(node.body.child(4).text(1));
      if (!texts) throw Raised{texts.error()};
      for (const auto& text : *texts) {
        Value literal =
            text ? Value::of_text(TypeId::unknown, *text) : Value::null_of(TypeId::unknown);
        terms.push_back(coerce(make_constant(std::move(literal)), element));
      }
      return terms;
    }
    default:
      unsupported("this expression where an array is expected");
  }
}

ExpressionRef WhereCompiler::any_or_all(const TreeMessage& body) {
  const std::string name = last_name(body.children(2));
  const TreeNode left(body.child(3));
  const TypeId element = unified(expression(left)->type());
  auto elements =
      array(TreeNode(body.child(4)), element == TypeId::unknown ? TypeId::text : element);
  if (!elements) return make_constant(Value::null_of(TypeId::boolean));
  const bool set = name == "=" && body.number(1) == 2 &&
                   std::all_of(elements->begin(), elements->end(), [&](const ExpressionRef& one) {
                     return one->constant() && unified(one->type()) == element;
                   });
  if (set) {
    std::vector<Terms> rows;
    for (ExpressionRef& one : *elements) rows.emplace_back().push_back(std::move(one));
    return in_constants(row(left), std::move(rows));
  }
  Terms tests;
  for (ExpressionRef& one : *elements)
    tests.push_back(compare(name, expression(left), std::move(one)));
  return body.number(1) == 2 ? make_or(std::move(tests)) : make_and(std::move(tests));
}

ExpressionRef WhereCompiler::null_test(const TreeMessage& body) {
  const auto question = body.number(3) == 1 ? NullQuestion::is_null : NullQuestion::is_not_null;
  return make_null_test(question, row(TreeNode(body.child(2))));
}

ExpressionRef WhereCompiler::boolean_test(const TreeMessage& body) {
  ExpressionRef term = boolean(TreeNode(body.child(2)));
  const std::uint64_t kind = body.number(3);
  const Truth wanted = kind <= 2 ? Truth::yes : kind <= 4 ? Truth::no : Truth::unknown;
  ExpressionRef test = make_truth_test(wanted, std::move(term));
  return kind % 2 == 1 ? std::move(test) : make_not(std::move(test));
}

ExpressionRef WhereCompiler::cast(const TreeMessage& body) {
  const TreeMessage type_name = body.child(2);
  const std::string name = last_name(type_name.children(1));
  const auto type = type_of_name(name);
  if (!type || type_name.has(7)) unsupported("a cast to " + name);
  if (type_name.has(5)) unsupported("type modifiers of " + name);
  ExpressionRef term = expression(TreeNode(body.child(1)));
  if (term->type() == TypeId::unknown) return coerce(std::move(term), *type);
  if (term->type() == *type) return term;
  return make_cast(std::move(term), *type);
}

ExpressionRef WhereCompiler::call(const TreeMessage& body) {
  const std::string name = last_name(body.children(1));
  const auto args = body.children(2);
  const auto text_argument = [&] {
    if (args.size() != 1) raise("42883", "function " + name + " takes one argument");
    return text_operand(expression(TreeNode(args.front())), name);
  };
  if (name == "lower") return make_text_function(TextFunction::lower, text_argument());
  if (name == "upper") return make_text_function(TextFunction::upper, text_argument());
  if (name == "length" || name == "char_length")
    return make_text_function(TextFunction::length, text_argument());
  if (name == "like" && args.size() == 2) {
    ExpressionRef text = expression(TreeNode(args[0]));
    return like_operator("~~", std::move(text), expression(TreeNode(args[1])));
  }
  unsupported("function " + name);
}

ExpressionRef WhereCompiler::choice(Choice choice, const std::vector<TreeMessage>& args) {
  Terms terms;
  for (const TreeMessage& arg : args) terms.push_back(expression(TreeNode(arg)));
  std::vector<TypeId> types;
  for (const ExpressionRef& term : terms) types.push_back(term->type());
  const auto type = common_type(types);
  if (!type) raise("42804", "types cannot be matched");
  for (ExpressionRef& term : terms) term = convert(std::move(term), *type);
  return make_choice(choice, *type, std::move(terms));
}

}  // namespace holdfast::sim::postgres
