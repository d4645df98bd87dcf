#include "sim/postgres/where/where_clause.hpp"

#include <optional>

#include "sim/postgres/where/big_stack.hpp"
#include "sim/postgres/where/where_compiler.hpp"

namespace holdfast::sim::postgres {
namespace {

using Compiled = SqlResult<std::shared_ptr<const WhereClause>>;

/// On the big stack: nothing is thrown out of here.
Compiled compile_here(const std::string& tree, const TableVersion& table,
                      const TableLookup& lookup) {
  try {
    return WhereCompiler(table, lookup).compile(TreeNode(select_of(tree).child(5)));
  } catch (const Raised& raised) {
    return Failure<SqlError>{raised.error};
  }
}

}  // namespace

WhereClause::WhereClause() = default;
WhereClause::~WhereClause() = default;

SqlResult<ConditionTree> WhereClause::parse(const std::string& text, BigStack& stack) {
  std::optional<SqlResult<std::string>> tree;
  stack.run([&] { tree.emplace(parse_condition(text)); });
  if (!*tree) return tree->failure();
  return std::make_shared<const std::string>(std::move(**tree));
}

Compiled WhereClause::compile(const ConditionTree& tree, const TableVersion& table,
                              const TableLookup& lookup, BigStack& stack) {
  std::optional<Compiled> result;
  stack.run([&] { result.emplace(compile_here(*tree, table, lookup)); });
  return std::move(*result);
}

SqlResult<Truth> WhereClause::evaluate(const Row& row, const std::vector<RowSet>& results) const {
  try {
    return root_->test({row, results});
  } catch (const Raised& raised) {
    return Failure<SqlError>{raised.error};
  }
}

SqlResult<Truth> WhereClause::evaluate_if(const Row& row, const std::vector<Truth>& tests) const {
  const std::vector<RowSet> none;
  try {
    return root_->test({row, none, &tests});
  } catch (const Raised& raised) {
    return Failure<SqlError>{raised.error};
  }
}

SqlResult<std::vector<Value>> WhereClause::left_of_test(std::size_t test, const Row& row) const {
  try {
    return left_of(*subselects_[test].test, row);
  } catch (const Raised& raised) {
    return Failure<SqlError>{raised.error};
  }
}

}  // namespace holdfast::sim::postgres
