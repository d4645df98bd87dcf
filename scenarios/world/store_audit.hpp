// StoreAudit: what a store's tables must not hold once all removals had their time: anything of a
// shape that does not live (engine.md L-14, steps that are repeated at boot). It looks by SQL on a
// mount of its own, beside the instances, and knows of the store what formats.md says.
#pragma once

#include <memory>
#include <string>

#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"

namespace holdfast::scenarios {

class StoreAudit {
 public:
  static constexpr const char* k_property = "L-14 removed_data_goes";

  StoreAudit(sim::SimulatedExecutor& executor, sim::SimDisk& disk);

  /// Looks every second, until nothing is left or `limit` is over. What is left then; empty:
  /// nothing. Runs the world meanwhile. REQUIRES: an instance leads.
  std::string wait_until_clean(const std::string& directory, Duration limit);

 private:
  std::string look(const std::string& directory);

  sim::SimulatedExecutor& executor_;
  std::unique_ptr<sim::Mount> mount_;
  sim::SimulatedWorker worker_;
};

}  // namespace holdfast::scenarios
