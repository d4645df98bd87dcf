#include "core/stack/connection/status_monitor.hpp"

namespace holdfast::stack {
namespace {

StackStatus status_of(const std::map<Condition, runtime::ProcessId>& conditions) {
  const auto holds = [&](Condition condition) { return conditions.contains(condition); };
  const bool metadata = holds(Condition::shape_metadata_ready);
  const bool connection_up = holds(Condition::replication_client_ready) &&
                             holds(Condition::connection_pool_ready) &&
                             holds(Condition::integrity_checked);
  const bool shapes_up =
      metadata && holds(Condition::collector_ready) && holds(Condition::processes_ready);
  StackStatus status;
  status.has_led = holds(Condition::catalogue_current);
  status.catalogue_current = status.has_led && holds(Condition::lock_acquired);
  if (connection_up && shapes_up) {
    status.readiness = Readiness::active;
    status.service = ServiceStatus::active;
  } else if (metadata) {
    status.readiness = Readiness::read_only;
    // Who cannot reach Postgres does not know of the lock, and is starting (http-api.md §3).
    if (holds(Condition::asks_for_lock) && !holds(Condition::lock_acquired))
      status.service = ServiceStatus::waiting;
  }
  return status;
}

}  // namespace

StackStatus read_status(runtime::Runtime& runtime) {
  const auto row = runtime::TableRef(runtime, tables::status).find(0);
  return row.found() ? row.value() : StackStatus{};
}

void StatusMonitor::init() {
  status_ = std::make_unique<runtime::OwnedTable<std::uint8_t, StackStatus>>(*this, tables::status);
}

void StatusMonitor::set(Condition condition, runtime::ProcessId process) {
  const auto [held, added] = conditions_.try_emplace(condition, process);
  if (!added && held->second == process) return;
  held->second = process;
  monitors_.emplace(monitor(process), condition);
  conditions_changed();
}

void StatusMonitor::clear(Condition condition) {
  if (conditions_.erase(condition) > 0) conditions_changed();
}

void StatusMonitor::explain(std::string waits_for) {
  waits_for_ = std::move(waits_for);
  conditions_changed();
}

void StatusMonitor::on_down(runtime::MonitorRef ref, runtime::ProcessId process,
                            const runtime::ExitReason&) {
  const auto found = monitors_.find(ref);
  if (found == monitors_.end()) return;
  // A successor may have set the condition already: only the dead one's row goes.
  const auto held = conditions_.find(found->second);
  monitors_.erase(found);
  if (held == conditions_.end() || held->second != process) return;
  conditions_.erase(held);
  conditions_changed();
}

void StatusMonitor::wait_until(runtime::Reply<Readiness> reply, Readiness wanted,
                               Instant deadline) {
  const Readiness ready = read_status(runtime()).readiness;
  if (ready >= wanted) return reply.send(ready);
  while (!waiting_.empty() && waiting_.front().deadline < now()) waiting_.pop_front();
  waiting_.push_back({std::move(reply), wanted, deadline});
}

void StatusMonitor::conditions_changed() {
  StackStatus status = status_of(conditions_);
  if (status.service == ServiceStatus::active) waits_for_.clear();
  status.waits_for = waits_for_;
  status_->put(0, status);
  const Readiness ready = status.readiness;
  std::deque<Waiting> still;
  for (Waiting& waiting : waiting_) {
    if (ready >= waiting.wanted)
      waiting.reply.send(ready);
    else
      still.push_back(std::move(waiting));
  }
  waiting_ = std::move(still);
}

}  // namespace holdfast::stack
