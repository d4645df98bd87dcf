// The half of where_compiler.hpp for IN over a sub-select or a VALUES list.
#include <algorithm>

#include "sim/postgres/where/typing.hpp"
#include "sim/postgres/where/where_compiler.hpp"

namespace holdfast::sim::postgres {

ExpressionRef WhereCompiler::sub_link(const TreeMessage& body) {
  constexpr std::uint64_t k_any = 3;
  if (body.number(2) != k_any || body.has(5)) unsupported("a sub-select other than IN");
  Terms left = row(TreeNode(body.child(4)));
  const TreeMessage select = TreeNode(body.child(6)).body;
  if (select.has(10)) return in_values(std::move(left), select);

  const auto from = select.children(4);
  const TreeNode range(from.size() == 1 ? from.front() : TreeMessage());
  if (range.kind == NodeKind::range_function) return in_unnest(std::move(left), select, range.body);
  if (range.kind != NodeKind::range_var) unsupported("a sub-select without exactly one table");
  std::string schema = range.body.text(2);
  if (schema.empty()) schema = "public";
  SubSelect subselect;
  subselect.table = {schema, range.body.text(3)};
  const TableVersionRef inner = lookup_(subselect.table);
  if (!inner)
    raise("42P01", "relation \"" + schema + "." + subselect.table.table + "\" does not exist");
  for (const TreeMessage& target : select.children(3)) {
    const TreeNode value(TreeNode(target).body.child(3));
    if (value.kind != NodeKind::column_ref) unsupported("a sub-select's computed column");
    const std::string name = last_name(value.body.children(1));
    const int at = inner->find_column(name);
    if (at < 0) raise("42703", "column \"" + name + "\" does not exist");
    subselect.slots.push_back(inner->columns[static_cast<std::size_t>(at)].slot);
    subselect.types.push_back(inner->columns[static_cast<std::size_t>(at)].type);
  }
  if (left.size() != subselect.slots.size())
    raise("42601", "subquery has too many or too few columns");
  for (std::size_t i = 0; i < left.size(); ++i) {
    left[i] = coerce(std::move(left[i]), unified(subselect.types[i]));
    if (family(left[i]->type()) != family(subselect.types[i]))
      no_operator("=", left[i]->type(), subselect.types[i]);
  }
  if (select.has(5)) {
    WhereCompiler compiler(*inner, lookup_);
    subselect.condition = compiler.compile(TreeNode(select.child(5)));
    deepest_ = std::max(deepest_, depth_ + compiler.deepest_);
  }
  ExpressionRef test = make_membership(std::move(left), subselects_.size());
  subselect.test = test.get();
  subselects_.push_back(std::move(subselect));
  return test;
}

ExpressionRef WhereCompiler::in_constants(Terms left, std::vector<Terms> rows) {
  RowSet set;
  for (Terms& cells : rows) {
    if (cells.size() != left.size()) raise("42601", "subquery has too many or too few columns");
    std::vector<Value> values;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const TypeId type = unified(left[i]->type());
      const ExpressionRef cell = coerce(std::move(cells[i]), type);
      if (family(cell->type()) != family(type)) no_operator("=", type, cell->type());
      if (!cell->constant()) unsupported("rows that are not constant");
      values.push_back(constant_value(*cell));
    }
    set.add(std::move(values));
  }
  return make_constant_membership(std::move(left), std::move(set));
}

ExpressionRef WhereCompiler::in_values(Terms left, const TreeMessage& select) {
  std::vector<Terms> rows;
  for (const TreeMessage& one : select.children(10)) {
    Terms& cells = rows.emplace_back();
    for (const TreeMessage& cell : TreeNode(one).body.children(1))
      cells.push_back(expression(TreeNode(cell)));
  }
  return in_constants(std::move(left), std::move(rows));
}

/// `SELECT * FROM unnest(array, …)`: the n-th row has the n-th element of each array, NULL where
/// one has ended.
ExpressionRef WhereCompiler::in_unnest(Terms left, const TreeMessage& select,
                                       const TreeMessage& range) {
  const auto targets = select.children(3);
  const auto functions = range.children(4);
  if (targets.size() != 1 || functions.size() != 1 || select.has(5))
    unsupported("this sub-select of a function");
  const TreeNode target(TreeNode(targets.front()).body.child(3));
  const auto fields = target.body.children(1);
  const bool star = target.kind == NodeKind::column_ref && fields.size() == 1 &&
                    TreeNode(fields.front()).kind == NodeKind::a_star;
  const TreeNode call(TreeNode(functions.front()).body.children(1).at(0));
  if (!star || call.kind != NodeKind::func_call || last_name(call.body.children(1)) != "unnest")
    unsupported("a function in FROM other than unnest, or columns of it");
  const auto arrays = call.body.children(2);
  if (arrays.size() != left.size()) raise("42601", "subquery has too many or too few columns");

  std::vector<Terms> columns;
  std::vector<TypeId> types;
  std::size_t length = 0;
  for (const TreeMessage& argument : arrays) {
    const TreeNode node(argument);
    const auto type = type_of_name(last_name(node.body.child(2).children(1)));
    if (node.kind != NodeKind::type_cast || !type) unsupported("unnest of an array without a cast");
    auto elements = array(node, *type);
    columns.push_back(elements ? std::move(*elements) : Terms());
    types.push_back(*type);
    length = std::max(length, columns.back().size());
  }
  std::vector<Terms> rows(length);
  for (std::size_t column = 0; column < columns.size(); ++column)
    for (std::size_t i = 0; i < length; ++i)
      rows[i].push_back(i < columns[column].size() ? std::move(columns[column][i])
                                                   : make_constant(Value::null_of(types[column])));
  return in_constants(std::move(left), std::move(rows));
}

}  // namespace holdfast::sim::postgres
