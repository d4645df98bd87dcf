// Faults at calls (noproc and its kin): the callee of one call dies before, while or after it
// handles it, its reply is lost, or its name is vacant for a while. Looks on as the runtime's
// observer and remembers; whoever drives the run asks between steps what is due and does it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/runtime/runtime.hpp"
#include "scenarios/plans/plan.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

bool is_call_fault(FaultKind kind);

class CallFaults final : public runtime::RuntimeObserver {
 public:
  /// Tells `next` everything, too. nullptr: nobody else looks on.
  explicit CallFaults(runtime::RuntimeObserver* next) : next_(next) {}

  /// What came of a fault: whom it hit (a path), and whether it had an effect.
  struct Outcome {
    const PlannedFault* fault = nullptr;
    std::string victim;
    bool effect = false;
  };

  /// Waits for a call to the process that the fault means. False: nobody was called yet.
  bool arm(const PlannedFault& fault);
  /// No fault waits any longer.
  void give_up() { armed_.clear(); }
  bool waits_for(const PlannedFault& fault) const;
  void give_up(const PlannedFault& fault);
  /// Does what is due. To be called between steps. Answers what has come of which faults.
  std::vector<Outcome> act(sim::SimulatedExecutor& executor);

  void started(const runtime::ProcessRecord& process) override;
  void ended(const runtime::ProcessRecord& process, const runtime::ExitReason& reason) override;
  void queued(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) override;
  void taken(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) override;
  void answered(const runtime::ProcessRecord& caller, const runtime::ExitReason* failure) override;
  void interrupted(const runtime::ProcessRecord& process,
                   const runtime::ExitReason& reason) override;
  void table_used(const std::string& name, runtime::TableUse use) override;

 private:
  enum class Stage : std::uint8_t { waiting, handling, due, vacant, done };
  struct Armed {
    const PlannedFault* fault;
    std::string name;       ///< of the callee; empty: the plan names a path
    std::string path = {};  ///< empty: not known yet
    Stage stage = Stage::waiting;
    unsigned calls_to_pass = 0;
    std::map<std::string, unsigned> passed = {};  ///< by path
    unsigned steps_to_go = 0;
    runtime::Runtime* runtime = nullptr;
    runtime::ProcessId callee = {};
    runtime::ProcessId parent = {};
    runtime::ProcessId caller = {};
    std::uint64_t call = 0;
    Instant until = {};  ///< vacant
    bool met = false;    ///< vacant: somebody called in vain
  };
  const std::string& draw_name(std::uint64_t pick) const;
  /// Whether it waits for this call; then it knows it from now on.
  static bool takes(Armed& armed, const runtime::ProcessRecord& receiver,
                    const runtime::Envelope& message);
  static void strike(Armed& armed, sim::SimulatedExecutor& executor);

  runtime::RuntimeObserver* next_;
  std::set<std::string> called_;    ///< registered names that were called once
  std::deque<std::string> lately_;  ///< who was called last, the same one several times
  std::vector<Armed> armed_;
};

}  // namespace holdfast::scenarios
