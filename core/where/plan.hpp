// The disjunctive normal form of a clause with subqueries (engine.md §3.1): NOT is pushed down to
// the literals, each occurrence of a literal has a position. Tags, active conditions and moves are
// counted in positions. Immutable; a function of the compiled expression.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/result.hpp"
#include "core/where/compiled_expression.hpp"
#include "core/where/condition.hpp"

namespace holdfast::where {

struct Position {
  std::uint32_t node = 0;  ///< of the expression
  bool negated = false;
  std::optional<std::size_t> dependency;  ///< of a membership test
  std::vector<std::uint16_t> columns;     ///< its left side
};

struct DependencyUse {
  bool negated = false;  ///< one polarity for all its positions
  std::vector<std::size_t> positions;
  std::vector<std::size_t> disjuncts;
};

struct Plan {
  static constexpr std::size_t k_max_disjuncts = 100;

  std::vector<Position> positions;                  ///< in the order of the text
  std::vector<std::vector<std::size_t>> disjuncts;  ///< ascending positions
  std::vector<DependencyUse> dependencies;

  /// Refuses what cannot be planned, with the texts of where-clauses.md §12.3.
  static Result<Plan, WhereError> make(const Expression& expression, std::size_t dependencies);
};

}  // namespace holdfast::where
