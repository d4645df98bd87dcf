// What a row of a shape with subqueries carries besides its values (engine.md §3.2, http-api.md
// §24): by position of the plan the hash of its left side and whether the literal holds. Values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/where/plan.hpp"

namespace holdfast::shape {

struct RowMarks {
  std::vector<std::string> hashes;  ///< "1" where the position is no membership test
  std::vector<bool> active;         ///< after negation
  bool operator==(const RowMarks&) const = default;
};

/// One of the rows that a move concerns: those with this hash at this position.
struct MovePattern {
  std::size_t position = 0;
  std::string hash;
  auto operator<=>(const MovePattern&) const = default;
};

/// Whether a row with these conditions is in the shape: some disjunct has all of its positions.
inline bool included(const where::Plan& plan, const std::vector<bool>& active) {
  return std::any_of(plan.disjuncts.begin(), plan.disjuncts.end(), [&](const auto& positions) {
    return std::all_of(positions.begin(), positions.end(),
                       [&](std::size_t position) { return active[position]; });
  });
}

/// One tag a disjunct: a slot for each position, joined by '/'.
std::vector<std::string> tags(const where::Plan& plan, const std::vector<std::string>& hashes);

}  // namespace holdfast::shape
