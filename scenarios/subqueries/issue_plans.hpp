// One scenario for each of the six bugs that the public restart test found in shapes with
// subqueries (engine.md §7.1): histories that have what the bug needs, and little else, so that the
// naive code is found soon and the repro says which bug it is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

struct IssueScenario {
  std::string_view name;
  std::string_view bug;  ///< of engine.md §7.1
  /// Makes a plan of shapes with subqueries one that has what the bug needs.
  void (*steer)(Plan& plan, const Draws& draws);
};

std::span<const IssueScenario> issue_scenarios();
Plan make_issue_plan(const IssueScenario& scenario, std::uint64_t seed);

}  // namespace holdfast::scenarios
