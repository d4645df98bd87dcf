#include "core/stack/status_monitor.hpp"

#include <algorithm>

namespace holdfast::stack {
namespace {

StackStatus status_of(const std::vector<std::pair<Condition, runtime::ProcessId>>& rows) {
  const auto holds = [&](Condition condition) {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const auto& row) { return row.first == condition; });
  };
  const bool metadata = holds(Condition::shape_metadata_ready);
  const bool connection_up = holds(Condition::replication_client_ready) &&
                             holds(Condition::connection_pool_ready) &&
                             holds(Condition::integrity_checked);
  const bool shapes_up =
      metadata && holds(Condition::collector_ready) && holds(Condition::processes_ready);
  StackStatus status;
  status.catalogue_current = holds(Condition::catalogue_current) && holds(Condition::lock_acquired);
  if (connection_up && shapes_up) {
    status.readiness = Readiness::active;
    status.service = ServiceStatus::active;
  } else if (metadata) {
    status.readiness = Readiness::read_only;
    if (!holds(Condition::lock_acquired)) status.service = ServiceStatus::waiting;
  }
  return status;
}

}  // namespace

StackStatus read_status(runtime::Runtime& runtime) {
  const auto rows = runtime::TableRef(runtime, tables::conditions).rows();
  return rows.found() ? status_of(rows.value()) : StackStatus{};
}

void StatusMonitor::init() {
  conditions_ = std::make_unique<runtime::OwnedTable<Condition, runtime::ProcessId>>(
      *this, tables::conditions);
}

void StatusMonitor::set(Condition condition, runtime::ProcessId process) {
  if (conditions_->find(condition) != process) monitors_.emplace(monitor(process), condition);
  conditions_->put(condition, process);
  answer_waiters();
}

void StatusMonitor::clear(Condition condition) {
  conditions_->erase(condition);
}

void StatusMonitor::on_down(runtime::MonitorRef ref, runtime::ProcessId process,
                            const runtime::ExitReason&) {
  const auto found = monitors_.find(ref);
  if (found == monitors_.end()) return;
  // A successor may have set the condition already: only the dead one's row goes.
  const auto holder = conditions_->find(found->second);
  if (holder && *holder == process) conditions_->erase(found->second);
  monitors_.erase(found);
}

void StatusMonitor::wait_until(runtime::Reply<Readiness> reply, Readiness wanted,
                               Instant deadline) {
  const Readiness ready = read_status(runtime()).readiness;
  if (ready >= wanted) return reply.send(ready);
  while (!waiting_.empty() && waiting_.front().deadline < now()) waiting_.pop_front();
  waiting_.push_back({std::move(reply), wanted, deadline});
}

void StatusMonitor::answer_waiters() {
  const Readiness ready = read_status(runtime()).readiness;
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
