// The plans of `holdfast-sim live`: what a real server, a real Postgres and real processes can be
// put through. The simulation runs the same plans as the scenarios "live" and "live_…", so that
// both worlds can be compared.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scenarios/plans/plan.hpp"
#include "scenarios/subqueries/subquery_workload.hpp"

namespace holdfast::scenarios {

/// Whose tables and shapes a live run has.
struct LiveScenario {
  std::string_view name;               ///< to the user of live mode
  std::string_view simulated;          ///< of the same plans in the simulation
  std::optional<SubqueryWorld> world;  ///< none: plain shapes
};
std::span<const LiveScenario> live_scenarios();
/// nullptr: there is none of this name.
const LiveScenario* find_live_scenario(std::string_view name);

struct LiveSize {
  const LiveScenario* scenario = find_live_scenario("plain");
  std::uint64_t shapes = 20;
  std::uint64_t batches = 10;
  std::uint64_t transactions_per_batch = 10;
  std::uint64_t mutations_per_transaction = 5;
  std::uint64_t restart_every = 2;  ///< batches; 0: no restart
  std::vector<RestartKind> kinds = {RestartKind::graceful, RestartKind::brutal,
                                    RestartKind::rolling, RestartKind::frozen};

  std::uint64_t restarts() const { return restart_every == 0 ? 0 : batches / restart_every; }
  /// The batch, from 0, during which a restart begins.
  std::uint64_t batch_of_restart(std::uint64_t restart) const {
    return (restart + 1) * restart_every - 1;
  }
};

/// Half of the writers commit asynchronously. REQUIRES: `size.kinds` has no power_loss and is empty
/// only without restarts.
Plan make_live_plan(std::uint64_t seed, const LiveSize& size);

}  // namespace holdfast::scenarios
