// How processes end: exit signals on their way in, and what everybody else is told.
#include <algorithm>
#include <utility>

#include "core/runtime/lifecycle_messages.hpp"
#include "core/runtime/process_record.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {

void Runtime::kill(ProcessId process) {
  send_exit(process, ExitReason::killed());
}

void Runtime::mark_killed(ProcessRecord& record) {
  if (options_.observer != nullptr) options_.observer->interrupted(record, ExitReason::killed());
  record.kill_pending = true;
  record.wake();
  nudge(record);
}

void Runtime::kill_now(ProcessRecord& record) {
  mark_killed(record);
  executor_.forget(record);
  run(record);
}

void Runtime::exit_request(ProcessRecord& record, const ExitReason& reason) {
  if (reason.kind == ExitKind::killed) {
    // Between steps nobody is in the middle of anything, so the kill need not wait for its turn.
    if (FiberTask::current() == nullptr) return kill_now(record);
    return mark_killed(record);
  }
  if (record.phase == Phase::terminating) return;
  if (record.traps_exits) return push(record, LifecycleMessages::end(reason));
  if (record.exit_pending) return;
  if (options_.observer != nullptr) options_.observer->interrupted(record, reason);
  record.exit_pending = reason;
  record.wake();
  nudge(record);
}

void Runtime::linked_exit(ProcessRecord& record, ProcessId from, const ExitReason& reason) {
  if (!record.links.contains(from)) return;  // unlinked meanwhile
  if (record.phase == Phase::terminating) return;
  const bool parent_ended = from == record.parent;
  if (record.traps_exits && !parent_ended)
    return push(record, LifecycleMessages::linked_exit(from, reason));
  record.links.erase(from);
  if (record.traps_exits) return push(record, LifecycleMessages::end(reason));
  if (reason.kind == ExitKind::normal || record.exit_pending) return;
  if (options_.observer != nullptr) options_.observer->interrupted(record, reason);
  record.exit_pending = reason;
  record.wake();
  nudge(record);
}

void Runtime::tell_others(ProcessRecord& record, const ExitReason& reason) {
  while (record.first_pending != nullptr) {
    PendingCall& call = *record.first_pending;
    record.first_pending = call.next;
    if (call.next != nullptr) call.next->previous = nullptr;
    call.callee = nullptr;
    fail_call(call.caller, call.call_id, reason);
  }
  record.last_pending = nullptr;
  for (const auto& [monitor, watcher] : record.monitored_by) {
    Signal signal;
    signal.kind = SignalKind::down;
    signal.to = watcher;
    signal.from = record.id;
    signal.reference = monitor.value;
    signal.reason = reason;
    send(std::move(signal));
  }
  for (const auto& [monitor, monitored] : record.monitors) {
    Signal signal;
    signal.kind = SignalKind::demonitor;
    signal.to = monitored.target;
    signal.from = record.id;
    signal.reference = monitor.value;
    send(std::move(signal));
  }
  for (const ProcessId linked : record.links) {
    Signal signal;
    signal.kind = SignalKind::linked_exit;
    signal.to = linked;
    signal.from = record.id;
    signal.reason = reason;
    send(std::move(signal));
  }
}

void Runtime::finish(ProcessRecord& record, const ExitReason& reason) {
  const auto found = records_.find(record.id.value);
  ASSERT(found != records_.end(), "a process ends once");
  // A starter is told by its spawn(), not by the link as well.
  const bool failed_start = record.phase == Phase::starting;
  record.phase = Phase::dead;
  if (!record.name_taken && !record.options.registered_name.empty())
    directory_->unregister_name(record.options.registered_name, record.id);
  for (const auto& table : record.tables) {
    directory_->remove_table(*table);
    table->end();
  }
  if (options_.observer != nullptr) options_.observer->ended(record, reason);
  if (failed_start) {
    record.links.erase(record.parent);
    Signal unlink;
    unlink.kind = SignalKind::unlink;
    unlink.to = record.parent;
    unlink.from = record.id;
    if (record.parent.valid()) send(std::move(unlink));
  }
  const std::unique_ptr<ProcessRecord> ended = std::move(found->second);
  records_.erase(found);
  ++counters_.ended;
  counters_.live = records_.size();
  executor_.forget(record);
  tell_others(record, reason);
  for (const EndObserver& observer : record.observers) observer(reason);
}

void Runtime::destroy_all() {
  ASSERT(FiberTask::current() == nullptr, "an instance is destroyed from outside");
  if (destroyed_) return;
  destroyed_ = true;
  std::vector<ProcessRecord*> all;
  for (const auto& [id, record] : records_) all.push_back(record.get());
  std::sort(all.begin(), all.end(),
            [](const ProcessRecord* a, const ProcessRecord* b) { return a->id < b->id; });
  for (ProcessRecord* const record : all) {
    for (const auto& table : record->tables) {
      directory_->remove_table(*table);
      table->end();
    }
    if (!record->options.registered_name.empty())
      directory_->unregister_name(record->options.registered_name, record->id);
    record->kill_pending = true;
    record->wake();
    executor_.forget(*record);
    if (record->on_fiber()) record->run_fiber(executor_.fibers());
    ASSERT(!record->on_fiber(), "a killed process unwinds in one step");
    for (PendingCall* call = record->first_pending; call != nullptr; call = call->next)
      call->callee = nullptr;
    record->first_pending = record->last_pending = nullptr;
  }
  for (ProcessRecord* const record : all) {
    if (options_.observer != nullptr) options_.observer->ended(*record, ExitReason::killed());
    record->phase = Phase::dead;
    records_.erase(record->id.value);
  }
  counters_.ended += all.size();
  counters_.live = 0;
}

}  // namespace holdfast::runtime
