// Faults of the Postgres server that last for a while or take several steps: silence, an orderly
// shutdown, a slot that goes back, a fail-over, floods of keepalives, slow queries.
#pragma once

#include <cstdint>
#include <functional>

#include "oracle/oracle.hpp"
#include "scenarios/counted.hpp"
#include "scenarios/plans/plan.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

/// With effect: something was really hit: a process lived, a session was open, an operation failed,
/// a commit that was visible is lost.
using FaultCounters = Counted<FaultKind, k_fault_kinds>;

class ServerFaults {
 public:
  ServerFaults(sim::SimulatedExecutor& executor, sim::postgres::PostgresModel& postgres,
               oracle::Oracle& oracle, FaultCounters& counters)
      : executor_(executor), postgres_(postgres), oracle_(oracle), counters_(counters) {}

  void fall_silent(std::uint64_t pick);
  void half_open();
  void shut_down(std::uint64_t pick);
  void take_slot_back();
  void fail_over(std::uint64_t pick);
  void flood(std::uint64_t pick);
  void slow_down(std::uint64_t pick);
  /// The server runs, and runs as it should.
  void heal();

 private:
  void look_for_the_end(Instant begun, Duration down, bool streamed);
  void start_again();
  void look_for_a_stream(std::size_t cause);
  void after(Duration delay, std::function<void()> step);

  sim::SimulatedExecutor& executor_;
  sim::postgres::PostgresModel& postgres_;
  oracle::Oracle& oracle_;
  FaultCounters& counters_;
  bool down_ = false;  ///< or shutting down
};

}  // namespace holdfast::scenarios
