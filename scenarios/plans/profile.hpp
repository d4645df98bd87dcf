// How big the plans of a scenario are, and what may go wrong in them. Values of the generators.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "scenarios/plans/plan.hpp"
#include "scenarios/subqueries/subquery_workload.hpp"

namespace holdfast::scenarios {

struct Profile {
  std::string_view name;
  std::uint64_t tables_max;
  std::uint64_t specs_min, specs_max;
  std::uint64_t batches_min, batches_max;
  std::uint64_t transactions_per_batch;
  std::uint64_t mutations_per_transaction;
  std::uint64_t restarts_min, restarts_max;
  std::uint64_t faults_max;
  unsigned removal_percent;
  unsigned second_client_percent;
  unsigned calm_percent;  ///< of histories that end with the demands of CalmEnd
  /// Whose tables and shapes they are; none: plain shapes, of which `tables_max` is about.
  std::optional<SubqueryWorld> world = {};
  bool every_trouble = false;  ///< the families of database_trouble and client_plans, too
  bool benchmark = false;      ///< every history is of one size, with default knobs
};

/// Of the scenarios that are a size and nothing else.
std::span<const Profile> profiles();
Plan make_plan(const Profile& profile, std::uint64_t seed);

}  // namespace holdfast::scenarios
