#include "scenarios/faults/call_faults.hpp"

#include <algorithm>
#include <iterator>

#include "core/runtime/message.hpp"
#include "core/runtime/process_record.hpp"

namespace holdfast::scenarios {
namespace {

using runtime::Envelope;
using runtime::ExitReason;
using runtime::ProcessRecord;

/// The program itself: its death is a restart, which the plan has elsewhere.
constexpr std::string_view k_program = "keeper";
constexpr unsigned k_most_calls_to_pass = 4;
/// Steps into the handling of a call at which its callee dies at the latest.
constexpr unsigned k_most_steps_in = 6;
constexpr std::uint64_t k_most_vacant_ms = 60;
constexpr std::size_t k_lately = 32;  ///< calls

}  // namespace

bool is_call_fault(FaultKind kind) {
  return kind == FaultKind::callee_dies_before || kind == FaultKind::callee_dies_during ||
         kind == FaultKind::callee_dies_after || kind == FaultKind::reply_lost ||
         kind == FaultKind::name_vacant;
}

bool CallFaults::arm(const PlannedFault& fault) {
  if (called_.empty()) return false;
  Armed armed{.fault = &fault, .name = {}, .path = fault.victim};
  armed.calls_to_pass = static_cast<unsigned>(fault.pick / 64 % k_most_calls_to_pass);
  armed.steps_to_go = static_cast<unsigned>(fault.pick / 1'024 % k_most_steps_in);
  if (fault.victim.empty()) armed.name = draw_name(fault.pick);
  armed_.push_back(std::move(armed));
  return true;
}

const std::string& CallFaults::draw_name(std::uint64_t pick) const {
  // Half are drawn from all names, half from those who are called often now.
  if (pick / 8'192 % 2 == 0) return lately_[pick % lately_.size()];
  return *std::next(called_.begin(), static_cast<std::ptrdiff_t>(pick % called_.size()));
}

bool CallFaults::waits_for(const PlannedFault& fault) const {
  return std::any_of(armed_.begin(), armed_.end(),
                     [&](const Armed& armed) { return armed.fault == &fault; });
}

void CallFaults::give_up(const PlannedFault& fault) {
  std::erase_if(armed_, [&](const Armed& armed) { return armed.fault == &fault; });
}

std::vector<CallFaults::Outcome> CallFaults::act(sim::SimulatedExecutor& executor) {
  std::vector<Outcome> outcomes;
  for (Armed& armed : armed_) {
    if (armed.stage == Stage::handling && (armed.fault->kind == FaultKind::callee_dies_during ||
                                           armed.fault->kind == FaultKind::reply_lost)) {
      if (armed.steps_to_go-- == 0) armed.stage = Stage::due;
    }
    if (armed.stage == Stage::due) {
      armed.stage = Stage::done;  // what it does is told to this observer, too
      strike(armed, executor);
      if (armed.stage == Stage::done) outcomes.push_back({armed.fault, armed.path, true});
    } else if (armed.stage == Stage::vacant && executor.now() >= armed.until) {
      outcomes.push_back({armed.fault, armed.path, armed.met});
    }
  }
  for (const Outcome& outcome : outcomes) give_up(*outcome.fault);
  return outcomes;
}

void CallFaults::strike(Armed& armed, sim::SimulatedExecutor& executor) {
  runtime::Runtime& runtime = *armed.runtime;
  if (armed.fault->kind == FaultKind::reply_lost) {
    // As its deadline would: the callee may still answer, to nobody.
    runtime::Signal signal;
    signal.kind = runtime::SignalKind::reply;
    signal.to = armed.caller;
    signal.reference = armed.call;
    signal.reason = ExitReason::timeout();
    return runtime.apply(std::move(signal));
  }
  if (armed.fault->kind == FaultKind::name_vacant) {
    const Duration vacant =
        std::chrono::milliseconds(1 + armed.fault->pick / 1'024 % k_most_vacant_ms);
    if (armed.parent.valid() && runtime.alive(armed.parent))
      executor.stall(runtime, armed.parent, vacant);
    armed.until = executor.now() + vacant;
    armed.stage = Stage::vacant;
  }
  if (runtime.alive(armed.callee)) runtime.kill(armed.callee);
}

bool CallFaults::takes(Armed& armed, const ProcessRecord& receiver, const Envelope& message) {
  if (armed.stage != Stage::waiting) return false;
  if (!armed.name.empty() && receiver.options.registered_name != armed.name) return false;
  const std::string path = receiver.path();
  // Counted by path and true to the first, so that a run that is told the path hits the same call.
  if (!armed.path.empty() && path != armed.path) return false;
  if (armed.passed[path]++ < armed.calls_to_pass) return false;
  armed.path = path;
  armed.runtime = &receiver.home;
  armed.callee = receiver.id;
  armed.parent = receiver.parent;
  armed.caller = message.call.caller();
  armed.call = message.call.call_id();
  return true;
}

void CallFaults::queued(const ProcessRecord& receiver, const Envelope& message) {
  if (next_ != nullptr) next_->queued(receiver, message);
  const std::string& name = receiver.options.registered_name;
  if (!message.call || name.empty() || name == k_program) return;
  called_.insert(name);
  lately_.push_back(name);
  if (lately_.size() > k_lately) lately_.pop_front();
  for (Armed& armed : armed_) {
    const bool at_arrival = armed.fault->kind == FaultKind::callee_dies_before ||
                            armed.fault->kind == FaultKind::name_vacant;
    if (at_arrival && takes(armed, receiver, message)) armed.stage = Stage::due;
  }
}

void CallFaults::taken(const ProcessRecord& receiver, const Envelope& message) {
  if (next_ != nullptr) next_->taken(receiver, message);
  if (!message.call || receiver.options.registered_name == k_program) return;
  for (Armed& armed : armed_) {
    const bool at_handling = armed.fault->kind == FaultKind::callee_dies_during ||
                             armed.fault->kind == FaultKind::callee_dies_after ||
                             armed.fault->kind == FaultKind::reply_lost;
    if (at_handling && takes(armed, receiver, message)) armed.stage = Stage::handling;
  }
}

void CallFaults::answered(const ProcessRecord& caller, const ExitReason* failure) {
  if (next_ != nullptr) next_->answered(caller, failure);
  for (Armed& armed : armed_) {
    if (armed.stage == Stage::vacant && armed.runtime == &caller.home && failure != nullptr &&
        failure->kind == runtime::ExitKind::noproc)
      armed.met = true;
    const bool its_own = armed.stage == Stage::handling && armed.runtime == &caller.home &&
                         caller.id == armed.caller && caller.call.id == armed.call;
    if (!its_own) continue;
    // The others came too late for this call, and wait for the next.
    armed.stage = armed.fault->kind == FaultKind::callee_dies_after && failure == nullptr
                      ? Stage::due
                      : Stage::waiting;
  }
}

void CallFaults::started(const ProcessRecord& process) {
  if (next_ != nullptr) next_->started(process);
}
void CallFaults::ended(const ProcessRecord& process, const ExitReason& reason) {
  if (next_ != nullptr) next_->ended(process, reason);
  for (Armed& armed : armed_)
    if ((armed.stage == Stage::handling || armed.stage == Stage::due) &&
        armed.runtime == &process.home && armed.callee == process.id)
      armed.stage = Stage::waiting;  // it died of something else
}
void CallFaults::interrupted(const ProcessRecord& process, const ExitReason& reason) {
  if (next_ != nullptr) next_->interrupted(process, reason);
}
void CallFaults::table_used(const std::string& name, runtime::TableUse use) {
  if (next_ != nullptr) next_->table_used(name, use);
}

}  // namespace holdfast::scenarios
