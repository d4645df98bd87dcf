// Carries out the plan's faults between steps, and counts which had a victim.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "oracle/oracle.hpp"
#include "scenarios/faults/call_faults.hpp"
#include "scenarios/faults/server_faults.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/world/aim.hpp"
#include "scenarios/world/cluster.hpp"
#include "scenarios/world/poison.hpp"
#include "sim/disk/operation.hpp"

namespace holdfast::scenarios {

/// When a fault of the plan happened, and to whom.
struct FaultHit {
  std::size_t fault = 0;  ///< index in the plan
  std::uint64_t step = 0;
  Instant at;
  std::string victim;  ///< path of a process; empty: not one process
};

class FaultDriver final : public sim::DiskFaults {
 public:
  FaultDriver(sim::SimulatedExecutor& executor, sim::postgres::PostgresModel& postgres,
              oracle::Oracle& oracle, Cluster& cluster, const Plan& plan, CallFaults* calls)
      : executor_(executor),
        postgres_(postgres),
        oracle_(oracle),
        cluster_(cluster),
        plan_(plan),
        calls_(calls) {}

  void begin();
  /// Faults end: what was broken for a while works again, what is still to come does not. A
  /// poisoned shape stays so until cure().
  void heal();
  void cure() { poison_.end(); }
  /// The shape that is poisoned now.
  std::optional<protocol::ShapeHandle> poisoned() const { return poison_.victim(); }
  /// To be called before each step.
  void observe(const sim::StepInfo& step);
  bool done() const { return pending_ == 0; }
  const FaultCounters& counters() const { return counters_; }
  const std::vector<FaultHit>& hits() const { return hits_; }

  sim::FaultDecision decide(const sim::Operation& operation) override;

 private:
  void wait_for_moment(const PlannedFault& fault);
  /// `in_step`: the path of who is about to take a step, if the fault waited for that.
  void inject(const PlannedFault& fault, std::string_view in_step = {});
  void hit_process(const PlannedFault& fault, std::string_view in_step);
  void recreate_slot(const PlannedFault& fault);
  /// What the engine streams by is gone: it has to make it again, and to end all shapes.
  void lose_the_stream(const PlannedFault& fault);
  /// One row of a table that no shape is of; false: the server takes no writes now.
  bool write_elsewhere();
  void poison(const PlannedFault& fault);
  void note_poison();
  void hit_call(const PlannedFault& fault);
  void act_on_calls();
  /// Kills who owns what this request has begun to look at.
  void hit_table(const sim::StepInfo& step);
  /// The cause is over once a session streams from a slot that is not the old one.
  void look_for_new_slot(std::size_t cause, postgres::Lsn old, FaultKind kind);
  void note_hit(const PlannedFault& fault, std::string victim);

  sim::SimulatedExecutor& executor_;
  sim::postgres::PostgresModel& postgres_;
  oracle::Oracle& oracle_;
  Cluster& cluster_;
  const Plan& plan_;
  FaultCounters counters_;
  std::vector<FaultHit> hits_;
  std::vector<std::pair<const PlannedFault*, Aim>> aims_;
  ServerFaults server_{executor_, postgres_, oracle_, counters_};
  CallFaults* calls_;                        ///< nullptr: the plan has none
  const PlannedFault* vanishing_ = nullptr;  ///< table_vanishes: it waits for a request's look
  std::size_t pending_ = 0;
  Poison poison_;
  bool healed_ = false;
  unsigned errors_due_ = 0;
  enum class Failing : std::uint8_t { write_or_sync, sync, read };
  Failing failing_ = Failing::write_or_sync;
  bool fails(sim::OperationKind kind) const;
  Instant full_until_;
};

}  // namespace holdfast::scenarios
