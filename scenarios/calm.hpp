// The end of a history in which nothing is broken any more, and nobody can blame a fault: a commit
// reaches every held request that it concerns at once, and a held request ends at its time
// (http-api.md §15).
#pragma once

#include <vector>

#include "oracle/oracle.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/model_truth.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

class CalmEnd {
 public:
  CalmEnd(sim::SimulatedExecutor& executor, ModelTruth& truth, const Stage& stage,
          const std::vector<ClientProcess*>& clients)
      : executor_(executor), truth_(truth), stage_(stage), clients_(clients) {}

  /// REQUIRES: faults are over and every client has converged.
  void run(unsigned commits);

 private:
  std::uint64_t commit(unsigned number);
  void expect_all_told(std::uint64_t before, std::uint64_t commit);
  void expect_holds_to_end();
  void pass(Duration time);

  sim::SimulatedExecutor& executor_;
  ModelTruth& truth_;
  const Stage& stage_;
  const std::vector<ClientProcess*>& clients_;
};

}  // namespace holdfast::scenarios
