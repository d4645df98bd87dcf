// The end of a history in which nothing is broken any more, and nobody can blame a fault: a commit
// reaches every held request that it concerns at once, and a held request ends at its time
// (http-api.md §15). Some histories let one process of the engine die before a commit: then the
// commit has longer, but far less than a held request, so that a wake-up which was lost shows. Some
// requests are slow between their look at the shape and the wait for a change of it.
#pragma once

#include <vector>

#include "oracle/oracle.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/model_truth.hpp"
#include "scenarios/world/cluster.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

class CalmEnd {
 public:
  CalmEnd(sim::SimulatedExecutor& executor, ModelTruth& truth, const Stage& stage,
          const Cluster& cluster, const std::vector<ClientProcess*>& clients)
      : executor_(executor), truth_(truth), stage_(stage), cluster_(cluster), clients_(clients) {}

  /// REQUIRES: faults are over and every client has converged.
  /// The first `deaths` of the commits come after the death of a process.
  void run(unsigned commits, unsigned deaths);
  /// To be called before each step.
  void observe(const sim::StepInfo& step);

 private:
  std::uint64_t commit(unsigned number);
  /// Ends one process of the engine, and waits for a while.
  void let_one_die(unsigned number);
  std::uint64_t draw(const char* site, unsigned number) const;
  void expect_all_told(std::uint64_t before, std::uint64_t commit, Duration within);
  void expect_holds_to_end();
  void pass(Duration time);

  sim::SimulatedExecutor& executor_;
  ModelTruth& truth_;
  const Stage& stage_;
  const Cluster& cluster_;
  const std::vector<ClientProcess*>& clients_;
  unsigned looks_ = 0;
};

}  // namespace holdfast::scenarios
