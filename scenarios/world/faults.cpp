#include "scenarios/world/faults.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::scenarios {
namespace {

constexpr Duration k_disk_full_for = std::chrono::milliseconds(300);
constexpr Duration k_no_victim_delay = std::chrono::milliseconds(50);
constexpr Duration k_slot_look = std::chrono::milliseconds(20);
constexpr Duration k_stall_unit = std::chrono::milliseconds(400);
/// The longest stall, and what follows from it.
constexpr Duration k_felt = std::chrono::seconds(12);

/// How long a shape is poisoned, if not to the end, and if nobody knows whose it is.
constexpr Duration k_poisoned_for = std::chrono::seconds(4);
/// How long a fault waits for a call to whom it means.
constexpr Duration k_call_patience = std::chrono::seconds(8);
/// Between a request's look at how far the stream is and its look at its shape.
constexpr std::string_view k_look_label = "request.position_read";
/// Of the tables that requests look at.
constexpr std::array<std::string_view, 4> k_table_owners = {"shape_status_owner", "status_monitor",
                                                            "inspector", "shape_log_collector"};

bool changes_the_disk(sim::OperationKind kind) {
  return kind == sim::OperationKind::write || kind == sim::OperationKind::create ||
         kind == sim::OperationKind::truncate;
}

/// The fault's victim has this path; or this role, in whatever instance.
bool is_called(const std::string& path, const PlannedFault& fault) {
  return path == fault.victim || path.ends_with("/" + fault.victim);
}

}  // namespace

void FaultDriver::begin() {
  pending_ = plan_.faults.size();
  for (const PlannedFault& fault : plan_.faults)
    executor_.after(fault.at, "/world/faults", "fault.due", [this, &fault] {
      if (fault.moment != Moment::any_time && !healed_) return wait_for_moment(fault);
      pending_--;
      if (!healed_) inject(fault);
    });
}

void FaultDriver::wait_for_moment(const PlannedFault& fault) {
  aims_.emplace_back(&fault, Aim(fault.moment, fault.pick >> 32, plan_.knobs));
  executor_.after(k_patience, "/world/faults", "fault.anyway", [this, &fault] {
    if (std::erase_if(aims_, [&](const auto& aim) { return aim.first == &fault; }) == 0) return;
    pending_--;
    if (!healed_) inject(fault);
  });
}

void FaultDriver::observe(const sim::StepInfo& step) {
  if (poison_.observe(step)) note_poison();
  for (auto it = aims_.begin(); it != aims_.end();) {
    if (!it->second.take(step.label.text)) {
      ++it;
      continue;
    }
    const PlannedFault& fault = *it->first;
    it = aims_.erase(it);
    pending_--;
    if (!healed_) inject(fault, step.path);
  }
  if (calls_ != nullptr) act_on_calls();
  if (vanishing_ != nullptr && step.label.text == k_look_label) hit_table(step);
}

void FaultDriver::heal() {
  healed_ = true;
  server_.heal();
  if (calls_ != nullptr) calls_->give_up();
  vanishing_ = nullptr;
  errors_due_ = 0;
  full_until_ = {};
}

void FaultDriver::note_hit(const PlannedFault& fault, std::string victim) {
  hits_.push_back({static_cast<std::size_t>(&fault - plan_.faults.data()), executor_.steps(),
                   executor_.now(), std::move(victim)});
  oracle_.expiry_order().disturbed(executor_.now() + k_felt);
}

void FaultDriver::inject(const PlannedFault& fault, std::string_view in_step) {
  switch (fault.kind) {
    case FaultKind::kill_process:
    case FaultKind::exit_process:
    case FaultKind::shutdown_process:
    case FaultKind::stall_process:
      return hit_process(fault, in_step);
    case FaultKind::postgres_disconnect:
      counters_.count(fault.kind, postgres_.connected_backends() > 0);
      note_hit(fault, {});
      return postgres_.disconnect_all();
    case FaultKind::postgres_crash:
      note_hit(fault, {});
      return counters_.count(fault.kind, postgres_.crash_and_restart() > 0);
    case FaultKind::slot_recreated:
      note_hit(fault, {});
      return recreate_slot(fault);
    case FaultKind::slot_lost:
    case FaultKind::publication_dropped:
      note_hit(fault, {});
      return lose_the_stream(fault);
    case FaultKind::poisoned_shape:
      note_hit(fault, {});
      return poison(fault);
    case FaultKind::postgres_silent:
      note_hit(fault, {});
      return server_.fall_silent(fault.pick);
    case FaultKind::postgres_half_open:
      note_hit(fault, {});
      return server_.half_open();
    case FaultKind::postgres_shutdown:
      note_hit(fault, {});
      return server_.shut_down(fault.pick);
    case FaultKind::slot_back:
      note_hit(fault, {});
      return server_.take_slot_back();
    case FaultKind::timeline_change:
      note_hit(fault, {});
      return server_.fail_over(fault.pick);
    case FaultKind::keepalive_flood:
      note_hit(fault, {});
      return server_.flood(fault.pick);
    case FaultKind::slow_queries:
      note_hit(fault, {});
      return server_.slow_down(fault.pick);
    case FaultKind::callee_dies_before:
    case FaultKind::callee_dies_during:
    case FaultKind::callee_dies_after:
    case FaultKind::reply_lost:
    case FaultKind::name_vacant:
      return hit_call(fault);
    case FaultKind::table_vanishes:
      counters_.count(fault.kind, false);
      vanishing_ = &fault;
      return;
    case FaultKind::disk_error:
      counters_.count(fault.kind, false);
      note_hit(fault, {});
      errors_due_ = 1;
      failing_ = fault.pick % 2 == 1   ? Failing::sync
                 : fault.pick % 4 == 2 ? Failing::read
                                       : Failing::write_or_sync;
      return;
    case FaultKind::disk_full:
      counters_.count(fault.kind, false);
      note_hit(fault, {});
      full_until_ = executor_.now() + k_disk_full_for;
      return;
  }
}

void FaultDriver::poison(const PlannedFault& fault) {
  counters_.count(fault.kind, false);
  poison_.begin();
  const bool to_the_end = fault.pick % 2 == 1;
  executor_.after(k_poisoned_for, "/world/faults", "fault.poison_over", [this, to_the_end] {
    // Nobody waits to the end for what cannot be told from the rest.
    const auto victim = poison_.victim();
    if (!to_the_end || !victim || !oracle_.ledger().spec_of(*victim)) poison_.end();
  });
}

void FaultDriver::note_poison() {
  counters_.consequential[static_cast<std::size_t>(FaultKind::poisoned_shape)]++;
  oracle_.record({oracle::Cause::poisoned, poison_.victim()->text, executor_.now()});
}

void FaultDriver::recreate_slot(const PlannedFault& fault) {
  const std::string name = stack::StackOptions{}.slot;
  const auto old = postgres_.slot(name);
  counters_.count(fault.kind, false);
  if (!old) return;
  const std::size_t cause = oracle_.record({oracle::Cause::slot_recreated, name, executor_.now()});
  postgres_.disconnect_all();
  const bool dropped = postgres_.drop_slot(name);
  ASSERT(dropped, "nobody streams, so the slot can be dropped");
  // Who makes a slot waits for whoever writes; then the engine comes first.
  const auto transactions = postgres_.transactions();
  const bool written = std::any_of(transactions.begin(), transactions.end(), [](const auto* one) {
    return one->running() && one->xid.value != 0;
  });
  if (fault.pick % 2 == 1 && !written) postgres_.make_slot(name);
  look_for_new_slot(cause, old->created_at, fault.kind);
}

void FaultDriver::lose_the_stream(const PlannedFault& fault) {
  const std::string slot = stack::StackOptions{}.slot;
  const std::string publication = stack::StackOptions{}.publication;
  const bool is_slot = fault.kind == FaultKind::slot_lost;
  const auto old = postgres_.slot(slot);
  // A publication that somebody else keeps is theirs to make again.
  const bool can_lose =
      is_slot ? old && !old->invalidated
              : old && postgres_.has_publication(publication) && plan_.knobs.manual_publishing == 0;
  counters_.count(fault.kind, false);
  if (!can_lose) return;
  const std::size_t cause = oracle_.record({oracle::Cause::slot_recreated, slot, executor_.now()});
  if (is_slot)
    postgres_.invalidate_slot(slot);
  else
    postgres_.drop_publication(publication);
  // Somebody makes it again, after a write that the slot can then never get past.
  if (!is_slot && fault.pick % 2 == 1 && write_elsewhere())
    postgres_.create_publication(publication);
  look_for_new_slot(cause, old->created_at, fault.kind);
}

bool FaultDriver::write_elsewhere() {
  const postgres::RelationName name{"public", "elsewhere"};
  if (!postgres_.describe(name))
    postgres_.create_table({name, {{.name = "id", .type = sim::postgres::TypeId::int8}}});
  const sim::postgres::Session session = postgres_.begin();
  sim::postgres::Statement insert;
  insert.table = name;
  insert.set = {{"id", "1"}};
  if (postgres_.execute(session, insert).outcome != sim::postgres::ExecuteOutcome::ok) return false;
  postgres_.log_commit(session, sim::postgres::Synchronous::on);
  postgres_.show_commit(session);
  return true;
}

void FaultDriver::look_for_new_slot(std::size_t cause, postgres::Lsn old, FaultKind kind) {
  const auto slot = postgres_.slot(stack::StackOptions{}.slot);
  if (slot && slot->created_at != old && slot->active_pid) {
    counters_.had_effect(kind);
    return oracle_.over(cause, executor_.now());
  }
  executor_.after(k_slot_look, "/world/faults", "fault.slot_look",
                  [this, cause, old, kind] { look_for_new_slot(cause, old, kind); });
}

// -- calls ----------------------------------------------------------------------------------------

void FaultDriver::hit_call(const PlannedFault& fault) {
  ASSERT(calls_ != nullptr, "who plans faults of calls has somebody look at them");
  counters_.count(fault.kind, false);
  if (!calls_->arm(fault)) return;
  pending_++;
  executor_.after(k_call_patience, "/world/faults", "fault.no_call", [this, &fault] {
    if (!calls_->waits_for(fault)) return;
    calls_->give_up(fault);
    pending_--;
  });
}

void FaultDriver::act_on_calls() {
  for (const CallFaults::Outcome& outcome : calls_->act(executor_)) {
    note_hit(*outcome.fault, outcome.victim);
    if (outcome.effect) counters_.had_effect(outcome.fault->kind);
    pending_--;
  }
}

void FaultDriver::hit_table(const sim::StepInfo& step) {
  const PlannedFault& fault = *std::exchange(vanishing_, nullptr);
  const runtime::ProcessId owner =
      step.instance->whereis(k_table_owners[fault.pick % k_table_owners.size()]);
  if (!owner.valid() || !step.instance->alive(owner)) return;
  note_hit(fault, {});
  step.instance->kill(owner);
  counters_.had_effect(fault.kind);
}

void FaultDriver::hit_process(const PlannedFault& fault, std::string_view in_step) {
  struct Victim {
    Instance* instance;
    runtime::ProcessId process;
    bool request;
    std::string path;
  };
  std::vector<Victim> victims;
  for (Instance* instance : cluster_.living())
    for (const runtime::ProcessInfo& process : instance->runtime().processes())
      // The keeper is the program itself: its death is a restart, which the plan has elsewhere.
      if (process.registered_name != "keeper")
        victims.push_back({instance, process.id,
                           process.path.find("/request[") != std::string::npos, process.path});
  if (victims.empty()) {  // between two instances: the fault waits for one
    pending_++;
    executor_.after(k_no_victim_delay, "/world/faults", "fault.due", [this, &fault] {
      pending_--;
      if (!healed_) inject(fault);
    });
    return;
  }
  if (!fault.victim.empty())
    std::erase_if(victims, [&](const Victim& victim) { return !is_called(victim.path, fault); });
  // Of the faults that waited for a moment half hit the process whose moment it is.
  const auto is_of_step = [&](const Victim& victim) { return victim.path == in_step; };
  const bool aimed = fault.victim.empty() && (fault.pick >> 40) % 2 == 1 &&
                     std::any_of(victims.begin(), victims.end(), is_of_step);
  if (aimed) std::erase_if(victims, [&](const Victim& victim) { return !is_of_step(victim); });
  counters_.count(fault.kind, !victims.empty());
  if (victims.empty()) return;
  const Victim victim = victims[fault.pick % victims.size()];
  note_hit(fault, victim.path);
  runtime::Runtime& runtime = victim.instance->runtime();
  // A request that crashes by itself is a 500 by contract (I-57), so requests are killed instead.
  if (fault.kind == FaultKind::kill_process ||
      (fault.kind == FaultKind::exit_process && victim.request))
    runtime.kill(victim.process);
  else if (fault.kind == FaultKind::exit_process)
    runtime.send_exit(victim.process, runtime::ExitReason::crash("injected"));
  else if (fault.kind == FaultKind::shutdown_process)
    runtime.send_exit(victim.process, runtime::ExitReason::shutdown());
  else
    executor_.stall(runtime, victim.process,
                    k_stall_unit * static_cast<int>(1 + fault.pick / 7 % 20));
}

bool FaultDriver::fails(sim::OperationKind kind) const {
  if (failing_ == Failing::read) return kind == sim::OperationKind::read;
  return kind == sim::OperationKind::sync ||
         (kind == sim::OperationKind::write && failing_ == Failing::write_or_sync);
}

sim::FaultDecision FaultDriver::decide(const sim::Operation& operation) {
  sim::FaultDecision decision;
  if (errors_due_ > 0 && fails(operation.kind)) {
    errors_due_--;
    counters_.had_effect(FaultKind::disk_error);
    decision.failure = env::DiskFailure::io;
  } else if (executor_.now() < full_until_ && changes_the_disk(operation.kind)) {
    counters_.had_effect(FaultKind::disk_full);
    decision.failure = env::DiskFailure::no_space;
  }
  return decision;
}

}  // namespace holdfast::scenarios
