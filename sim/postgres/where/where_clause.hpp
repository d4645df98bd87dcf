// A WHERE clause as the simulated server evaluates it: parsed by Postgres' grammar (libpg_query),
// typed and interpreted by code that shares nothing with core/where, so that the two can contradict
// each other. Parsing and deep evaluation run on a private stack: callers may be on a 64 KiB fiber.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/postgres/storage/transactions.hpp"
#include "sim/postgres/where/membership.hpp"

namespace holdfast::sim::postgres {

class BigStack;
class Expression;
class WhereClause;

/// A condition's text as Postgres' grammar reads it. A pure function of the text.
using ConditionTree = std::shared_ptr<const std::string>;

/// `(SELECT columns FROM table [WHERE …])` inside a condition, not correlated.
struct SubSelect {
  RelationName table;
  std::vector<std::uint16_t> slots;  ///< of the selected columns
  std::vector<TypeId> types;
  std::shared_ptr<const WhereClause> condition;  ///< nullptr: all rows
  const Expression* test = nullptr;              ///< in the clause that has the sub-select
};

using TableLookup = std::function<TableVersionRef(const RelationName&)>;

class WhereClause {
 public:
  ~WhereClause();
  /// `text` as after WHERE. Errors as Postgres would give them (42601).
  static SqlResult<ConditionTree> parse(const std::string& text, BigStack& stack);
  /// Errors as Postgres would give them (42703, 22P02, 42883), or 0A000 for what the model does not
  /// interpret.
  static SqlResult<std::shared_ptr<const WhereClause>> compile(const ConditionTree& tree,
                                                               const TableVersion& table,
                                                               const TableLookup& lookup,
                                                               BigStack& stack);

  const std::vector<SubSelect>& subselects() const { return subselects_; }
  /// `results`: the rows of each of subselects() under whatever visibility the caller evaluates. A
  /// failing operation (division by zero) is an error.
  SqlResult<Truth> evaluate(const Row& row, const std::vector<RowSet>& results) const;
  /// As if each membership test said this, by subselects().
  SqlResult<Truth> evaluate_if(const Row& row, const std::vector<Truth>& tests) const;
  /// The left side of the test of subselects()[test].
  SqlResult<std::vector<Value>> left_of_test(std::size_t test, const Row& row) const;
  /// Whether evaluating needs more stack than a fiber has.
  bool deep() const { return depth_ > 40; }

 private:
  friend class WhereCompiler;
  WhereClause();
  std::unique_ptr<const Expression> root_;
  std::vector<SubSelect> subselects_;
  unsigned depth_ = 0;
};

}  // namespace holdfast::sim::postgres
