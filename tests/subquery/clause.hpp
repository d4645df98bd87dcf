// Where clauses with subqueries as trees, evaluated by a definition of SQL's logic that shares
// nothing with the engine's. For the property test of outer shapes.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/subquery/database.hpp"

namespace holdfast::subquery::test {

/// 0 no, 1 unknown, 2 yes: AND is the least, OR the greatest, NOT the mirror.
using Kleene = int;

using Value = std::vector<std::optional<std::string>>;  ///< canonical texts
using ValueSets = std::vector<std::set<Value>>;         ///< by dependency

/// "1.50" and "1.5" are one number.
std::string canonical(std::string text);
Kleene contains(const std::set<Value>& set, const Value& value);

/// One `left IN (SELECT link FROM table …)` that clauses are made of.
struct Source {
  std::string sql;
  std::vector<std::size_t> left;  ///< cells of the row
};

struct Clause {
  enum class Kind { all, any, negation, equals, in };
  Kind kind = Kind::in;
  std::vector<Clause> parts;
  std::size_t source = 0;      ///< in
  std::size_t dependency = 0;  ///< in: the index that the engine gives it
  std::string constant;        ///< equals: column c

  std::string sql(const std::vector<Source>& sources) const;
  Kleene holds(const Cells& row, const std::vector<Source>& sources, const ValueSets& sets) const;
  /// The literals in the order of the text, negated as they are under all their NOTs.
  void literals(const Cells& row, const std::vector<Source>& sources, const ValueSets& sets,
                bool negated, std::vector<bool>& active, std::vector<const Clause*>& leaves) const;
};

Value left_value(const Cells& row, const Source& source);

/// Over at most `sources` of them, each with one polarity.
Clause random_clause(Dice& dice, const std::vector<Source>& sources);

}  // namespace holdfast::subquery::test
