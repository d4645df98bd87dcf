// From a parse tree to nodes and canonical SQL: names, types, implicit casts, operators. Refuses
// what it does not know, in upstream's words (where-clauses.md §5–§11). Used once per clause, then
// thrown away. Recurses as deep as the tree, which ParsedClause bounds.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/postgres/catalog.hpp"
#include "core/where/clause_tree.hpp"
#include "core/where/compiled_expression.hpp"
#include "core/where/condition.hpp"
#include "core/where/typed.hpp"

namespace holdfast::where {

class Compiler {
 public:
  template <class T>
  using Compiled = Result<T, WhereError>;

  Compiler(const postgres::RelationInfo& relation,
           const std::map<unsigned, std::string>& parameters, const Relations* subquery_relations,
           Expression& into)
      : relation_(relation),
        parameters_(parameters),
        subquery_relations_(subquery_relations),
        into_(into) {}

  /// Stands for a membership test in canonical SQL until the whole is known: no clause holds it.
  static constexpr char k_membership_mark = '\0';

  /// Compiles the whole clause; the expression's root is then its last node. The canonical SQL,
  /// with a mark in place of each membership test.
  Compiled<std::string> clause(const Message& node);
  /// The same with the tests spelled out.
  std::string spelled_out(std::string_view marked) const;
  /// Distinct ones, in the order of their first mention.
  const std::vector<Subquery>& subqueries() const { return subqueries_; }

 private:
  // compiler.cpp: the kinds of nodes.
  Compiled<Typed> expression(const Message& node);
  Compiled<Typed> constant(const Message& node);
  Compiled<Typed> column(const Message& node);
  Compiled<Typed> parameter(const Message& node);
  Compiled<Typed> logic(const Message& node);
  Compiled<Typed> negation(const Message& node);
  Compiled<Typed> null_test(const Message& node);
  Compiled<Typed> boolean_test(const Message& node);
  Compiled<Typed> collation(const Message& node);

  // compiler_operators.cpp: what A_Expr can be.
  Compiled<Typed> operation(const Message& node);
  Compiled<Typed> plain_operator(const Message& node, std::string_view name);
  Compiled<Typed> sign(const Message& node, std::string_view name);
  Compiled<Typed> pattern(const Message& node, std::string_view name);
  Compiled<Typed> distinct(const Message& node, Comparison comparison);
  Compiled<Typed> membership(const Message& node, std::string_view name);
  Compiled<Typed> between(const Message& node, std::int64_t kind);
  /// One comparison of two parts as a node; the parts get their types, the caller prints them.
  Compiled<std::uint32_t> compare(Typed& left, Typed& right, Comparison comparison, int location);
  Compiled<std::uint32_t> compare_as(Typed& left, Typed& right, Type type, Comparison comparison,
                                     int location);
  Compiled<std::uint32_t> constant_members(Typed& left, std::vector<Typed*>& items, int location);

  // compiler_subqueries.cpp
  Compiled<Typed> in_subquery(const Message& node);
  Compiled<std::vector<Typed>> left_side(const Message& node, int location);
  Compiled<Subquery> subquery(const Message& select, int location, std::vector<Typed>& left);
  Compiled<const postgres::RelationInfo*> subquery_relation(const Message& select, int location);

  // compiler_casts.cpp
  Compiled<Typed> cast(const Message& node);
  Compiled<Type> cast_target(const Message& type_name);
  /// Gives an untyped literal or parameter the type that its context asks for.
  Compiled<void> give_type(Typed& part, Type type);
  Compiled<Operand> operand(Typed& part, Type type);
  Compiled<std::uint32_t> truth(Typed& part);

  std::uint32_t add(Operation operation, std::uint8_t detail, ValueClass value_class,
                    std::uint32_t first, std::uint32_t count);
  std::uint32_t add_parent(Operation operation, std::uint8_t detail,
                           const std::vector<std::uint32_t>& children);
  std::uint32_t add_null_test(const Typed& part);
  static Typed truth_of(std::uint32_t node, std::string sql, Precedence precedence, int location);
  static Failure<WhereError> at(int location, const std::string& message);
  static int location_of(const Message& node, std::uint32_t field);

  const postgres::RelationInfo& relation_;
  const std::map<unsigned, std::string>& parameters_;
  const Relations* subquery_relations_;       ///< nullptr: subqueries are refused
  std::map<unsigned, Type> parameter_types_;  ///< fixed by the first use (§6.3)
  std::vector<Subquery> subqueries_;
  std::vector<std::string> membership_sql_;  ///< of each test, in the order of the text
  Expression& into_;
};

}  // namespace holdfast::where
