// The half of where_compiler.hpp for IN over a sub-select or a VALUES list.
#include <algorithm>

#include "sim/postgres/typing.hpp"
#include "sim/postgres/where_compiler.hpp"

namespace holdfast::sim::postgres {

ExpressionRef WhereCompiler::sub_link(const TreeMessage& body) {
  constexpr std::uint64_t k_any = 3;
  if (body.number(2) != k_any || body.has(5)) unsupported("a sub-select other than IN");
  Terms left = row(TreeNode(body.child(4)));
  const TreeMessage select = TreeNode(body.child(6)).body;
  if (select.has(10)) return in_values(std::move(left), select);

  const auto from = select.children(4);
  const TreeNode range(from.size() == 1 ? from.front() : TreeMessage());
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
  subselects_.push_back(std::move(subselect));
  return make_membership(std::move(left), subselects_.size() - 1);
}

ExpressionRef WhereCompiler::in_values(Terms left, const TreeMessage& select) {
  std::vector<TypeId> types;
  for (const ExpressionRef& term : left) types.push_back(unified(term->type()));
  SubSelectRows rows;
  for (const TreeMessage& one : select.children(10)) {
    const auto cells = TreeNode(one).body.children(1);
    if (cells.size() != left.size()) raise("42601", "subquery has too many or too few columns");
    std::vector<Value> values;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const ExpressionRef cell = coerce(expression(TreeNode(cells[i])), types[i]);
      if (family(cell->type()) != family(types[i])) no_operator("=", types[i], cell->type());
      if (!cell->constant()) unsupported("VALUES that are not constant");
      values.push_back(constant_value(*cell));
    }
    rows.rows.push_back(std::move(values));
  }
  return make_constant_membership(std::move(left), std::move(rows));
}

}  // namespace holdfast::sim::postgres
