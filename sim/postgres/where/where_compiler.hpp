// Turns Postgres' parse tree into typed expressions. One use per condition; internal.
#pragma once

#include "sim/postgres/where/expression.hpp"
#include "sim/postgres/where/parse_tree.hpp"

namespace holdfast::sim::postgres {

class WhereCompiler {
 public:
  WhereCompiler(const TableVersion& table, const TableLookup& lookup)
      : table_(table), lookup_(lookup) {}

  /// The WHERE of a SelectStmt. Throws Raised.
  std::shared_ptr<const WhereClause> compile(const TreeNode& where);

 private:
  /// A row of expressions, or a single one.
  using Terms = std::vector<ExpressionRef>;

  ExpressionRef expression(const TreeNode& node);
  ExpressionRef boolean(const TreeNode& node);
  ExpressionRef constant(const TreeMessage& body);
  ExpressionRef column(const TreeMessage& body);
  ExpressionRef junction(const TreeMessage& body);
  ExpressionRef operation(const TreeMessage& body);
  ExpressionRef plain_operator(const std::string& name, const TreeMessage& body);
  ExpressionRef unary_operator(const std::string& name, ExpressionRef term);
  ExpressionRef in_list(const TreeMessage& body);
  Terms in_scalars(const TreeNode& left, const std::vector<TreeMessage>& items);
  ExpressionRef between(const TreeMessage& body);
  ExpressionRef any_or_all(const TreeMessage& body);
  ExpressionRef null_test(const TreeMessage& body);
  ExpressionRef boolean_test(const TreeMessage& body);
  ExpressionRef cast(const TreeMessage& body);
  ExpressionRef call(const TreeMessage& body);
  ExpressionRef choice(Choice choice, const std::vector<TreeMessage>& args);
  ExpressionRef sub_link(const TreeMessage& body);
  ExpressionRef in_values(Terms left, const TreeMessage& select);
  ExpressionRef in_unnest(Terms left, const TreeMessage& select, const TreeMessage& range);
  /// REQUIRES: the rows' cells are constants.
  ExpressionRef in_constants(Terms left, std::vector<Terms> rows);

  Terms row(const TreeNode& node);
  /// The elements of ARRAY[…] or of an array literal that is cast; nullopt: a NULL array.
  std::optional<Terms> array(const TreeNode& node, TypeId element);

  ExpressionRef compare(const std::string& name, ExpressionRef left, ExpressionRef right);
  ExpressionRef equal_rows(Terms left, Terms right);

  const TableVersion& table_;
  const TableLookup& lookup_;
  std::vector<SubSelect> subselects_;
  unsigned columns_ = 0;  ///< references so far
  unsigned depth_ = 0;
  unsigned deepest_ = 0;
};

}  // namespace holdfast::sim::postgres
