// One run: a plan carried out in a simulated world under the oracle's eyes, from empty disk to
// convergence. The same plan and options give the same report, trace hash included, in every build.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/marks.hpp"
#include "oracle/violation.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/clients/prober.hpp"
#include "scenarios/clients/trouble.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/subqueries/sights.hpp"
#include "scenarios/timeline/recorder.hpp"
#include "scenarios/world/cluster.hpp"
#include "scenarios/world/faults.hpp"
#include "scenarios/world/weakened.hpp"
#include "sim/postgres/where/condition_trees.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

/// A run takes some 10,000 steps; more than this is a live-lock.
inline constexpr std::uint64_t k_most_steps = 20'000'000;

/// What runs one after the other, in one process, use again: making it anew costs a run more than
/// its scheduling does. No run sees from it that there was another.
struct Reused {
  sim::Stacks stacks;
  sim::postgres::ConditionTrees condition_trees;
};

struct RunOptions {
  Weakened weakened = {};
  /// Every step and note as a line; empty: none.
  std::function<void(const std::string&)> trace = {};
  /// Records the run for a timeline; outlives it. nullptr: nobody does.
  timeline::Recorder* recorder = nullptr;
  bool keep_every_step = false;     ///< so that two runs can be compared step by step
  bool stop_when_violated = false;  ///< the first violation is all that is wanted
  bool record_schedule = false;     ///< so that the run can be replayed over FIFO
  std::uint64_t most_steps = k_most_steps;
  /// Called before this step is taken, for whoever wants to look at it in a debugger.
  std::optional<std::uint64_t> stop_at = {};
  std::function<void()> at_stop = {};
  /// For tests that break the server's behaviour where `core` has no branch to switch off.
  std::function<void(sim::postgres::ModelOptions&)> adjust_postgres = {};
  Reused* reused = nullptr;  ///< nullptr: made for this run
};

struct RunReport {
  std::uint64_t seed = 0;
  std::vector<oracle::Violation> violations;
  Hash128 trace_hash;
  std::uint64_t steps = 0;
  std::uint64_t requests = 0;
  std::uint64_t compared_markers = 0;
  std::uint64_t legitimate_conflicts = 0;
  std::uint64_t spurious_conflicts = 0;
  Duration virtual_time{};
  bool continuing_client_crossed = false;
  RestartCounters restarts;
  FaultCounters faults;
  ClientTroubleCounters client_trouble;
  ProbeCounters probes;
  SightCounters sights;
  WorkloadCounters workload;
  std::array<std::uint64_t, Marks::k_capacity> marks{};
  std::vector<std::string> last_lines;  ///< of the trace, if something was found
  std::vector<Hash128> checkpoints;
  std::vector<Hash128> every_step;
  std::vector<sim::ScheduleDecision> decisions;  ///< with record_schedule: where it left FIFO
  /// Decisions of the plan that did not apply: their point was not reached, or had no such task.
  std::vector<sim::ScheduleDecision> inapplicable;
  std::vector<RestartBegun> restarts_begun;
  std::vector<FaultHit> fault_hits;

  bool failed() const { return !violations.empty(); }
};

RunReport run_plan(const Plan& plan, const RunOptions& options = {});

}  // namespace holdfast::scenarios
