// The plans of `holdfast-sim live`: what a real server, a real Postgres and real processes can be
// put through. The simulation runs the same plans as the scenario "live", so that both worlds can
// be compared.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scenarios/plan.hpp"

namespace holdfast::scenarios {

inline constexpr std::string_view k_live_scenario = "live";

struct LiveSize {
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
