// The liveness phase in one place: once the workload is over, this ends, that is repaired, and this
// goes on. Only then may convergence be demanded, and then it is.
#pragma once

#include <cstdint>
#include <functional>

#include "scenarios/actors.hpp"
#include "scenarios/world/faults.hpp"

namespace holdfast::scenarios {

struct LivenessPhase {
  FaultDriver& faults;
  Stage& stage;

  /// Frozen from here on: writers, removals, probes and restarts have ended (the phase begins when
  /// they have); no fault that is still planned happens.
  /// Healed: what was broken for a while works again: the disk takes writes, the server runs and
  /// answers in its usual time. What a fault has left behind is for the engine to get over: stalled
  /// processes wake up by themselves, and dead sessions keep their locks until the server's own
  /// time-outs.
  /// Goes on: clients, without lag and patience, leaving and starting afresh (`final_commit` tells
  /// them); the caching proxy; the schedule; latencies.
  /// `commit_last` makes the last commit, which every client must come to see; it may let pass the
  /// time before it that the engine needs to notice what nobody tells it.
  void begin(const std::function<std::uint64_t()>& commit_last) {
    faults.heal();
    stage.final_commit = commit_last();
  }
};

}  // namespace holdfast::scenarios
