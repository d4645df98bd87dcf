#include "core/runtime/supervisor.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace holdfast::runtime {
namespace {

bool is_orderly(const ExitReason& reason) {
  return reason.kind == ExitKind::normal || reason.kind == ExitKind::shutdown;
}

}  // namespace

struct Supervisor::Child {
  ChildSpec spec;
  std::uint64_t order = 0;  ///< of start; the key in State::children
  bool dynamic = false;
  ProcessId process;  ///< invalid: not running
};

struct Supervisor::State {
  SupervisorSpec spec;
  std::uint64_t next_order = 0;
  std::map<std::uint64_t, Child> children;
  std::map<std::pair<std::string, std::string>, std::uint64_t> by_name;
  std::map<ProcessId, std::uint64_t> by_process;
  std::deque<Instant> restarts;
};

Supervisor::Supervisor(SupervisorSpec spec) : state_(std::make_unique<State>()) {
  state_->spec = std::move(spec);
}

Supervisor::~Supervisor() = default;

ChildSpec Supervisor::child(std::string role, std::string name,
                            std::function<SupervisorSpec()> spec, Restart restart) {
  ChildSpec child;
  child.role = std::move(role);
  child.registered_name = std::move(name);
  child.make = [spec = std::move(spec)] { return std::make_unique<Supervisor>(spec()); };
  child.restart = restart;
  child.shutdown_limit = Duration::max();
  return child;
}

void Supervisor::init() {
  trap_exits();
  for (ChildSpec& spec : std::exchange(state_->spec.children, {})) {
    Child& child = add(std::move(spec));
    const Result<ProcessId, ExitReason> started = start(child);
    if (started) continue;
    const std::string role = child.spec.role;
    stop_in_reverse(0);
    exit(ExitReason::crash("failed to start " + role + ": " + started.error().to_string()));
  }
}

void Supervisor::terminate(const ExitReason&) {
  stop_together();
  stop_in_reverse(0);
}

void Supervisor::on_linked_exit(ProcessId process, const ExitReason& reason) {
  const auto found = state_->by_process.find(process);
  if (found == state_->by_process.end()) return;  // stopped by this supervisor, or no child
  Child& child = state_->children.at(found->second);
  state_->by_process.erase(found);
  child.process = {};
  const Restart rule = child.spec.restart;
  if (rule == Restart::permanent || (rule == Restart::transient && !is_orderly(reason))) {
    restart(child.order);
    return;
  }
  const bool significant = child.spec.significant;
  if (rule == Restart::temporary || child.dynamic) forget(child);
  if (significant) exit(ExitReason::shutdown());
}

// -- handlers -------------------------------------------------------------------------------------

Result<ProcessId, ExitReason> Supervisor::start_child(ChildSpec spec) {
  const auto known = state_->by_name.find({spec.role, spec.key});
  if (known != state_->by_name.end()) {
    Child& child = state_->children.at(known->second);
    if (child.process.valid()) return child.process;
    return start(child);
  }
  Child& child = add(std::move(spec));
  child.dynamic = true;
  Result<ProcessId, ExitReason> started = start(child);
  if (!started) forget(child);
  return started;
}

bool Supervisor::terminate_child(std::string role, std::string key) {
  const auto known = state_->by_name.find({role, key});
  if (known == state_->by_name.end()) return false;
  Child& child = state_->children.at(known->second);
  stop(child);
  forget(child);
  return true;
}

std::optional<ProcessId> Supervisor::child_of(std::string role, std::string key) {
  const auto known = state_->by_name.find({role, key});
  if (known == state_->by_name.end()) return std::nullopt;
  const ProcessId process = state_->children.at(known->second).process;
  return process.valid() ? std::optional(process) : std::nullopt;
}

std::size_t Supervisor::count_children() {
  return state_->by_process.size();
}

// -- bookkeeping ----------------------------------------------------------------------------------

Supervisor::Child& Supervisor::add(ChildSpec spec) {
  const std::uint64_t order = ++state_->next_order;
  const bool added = state_->by_name.try_emplace({spec.role, spec.key}, order).second;
  ASSERT(added, "no two children of a supervisor have one role and key");
  Child& child = state_->children[order];
  child.spec = std::move(spec);
  child.order = order;
  return child;
}

void Supervisor::forget(Child& child) {
  ASSERT(!child.process.valid(), "only a child that has ended is forgotten");
  state_->by_name.erase({child.spec.role, child.spec.key});
  state_->children.erase(child.order);
}

Result<ProcessId, ExitReason> Supervisor::start(Child& child) {
  try {
    child.process = spawn_erased({.role = child.spec.role,
                                  .key = child.spec.key,
                                  .registered_name = child.spec.registered_name,
                                  .link_to_parent = true},
                                 child.spec.make);
  } catch (const ProcessExit& failed) {
    return Failure<ExitReason>{failed.reason};
  }
  state_->by_process[child.process] = child.order;
  return child.process;
}

// -- stop -----------------------------------------------------------------------------------------

void Supervisor::stop(Child& child) {
  if (!child.process.valid()) return;
  const ProcessId process = child.process;
  const MonitorRef end = watch_end(process);
  std::optional<ExitReason> ended;
  if (child.spec.shutdown_limit > Duration::zero()) {
    send_exit(process, ExitReason::shutdown());
    const bool for_ever = child.spec.shutdown_limit >= Instant::never() - now();
    ended = await_end(end, for_ever ? Instant::never() : now() + child.spec.shutdown_limit);
  }
  if (!ended) {
    send_exit(process, ExitReason::killed());
    await_end(end, Instant::never());
  }
  state_->by_process.erase(process);
  child.process = {};
}

/// All children that were added later, at the same time: 10,000 slow ones take one limit, not
/// 10,000.
void Supervisor::stop_together() {
  struct Stopping {
    Instant deadline;
    MonitorRef end;
    ProcessId process;
  };
  std::vector<Stopping> stopping;
  for (auto entry = state_->children.rbegin(); entry != state_->children.rend(); ++entry) {
    Child& child = entry->second;
    if (!child.dynamic || !child.process.valid()) continue;
    const Duration limit = child.spec.shutdown_limit;
    const bool for_ever = limit >= Instant::never() - now();
    stopping.push_back({.deadline = for_ever ? Instant::never() : now() + limit,
                        .end = watch_end(child.process),
                        .process = child.process});
    send_exit(child.process,
              limit > Duration::zero() ? ExitReason::shutdown() : ExitReason::killed());
  }
  std::stable_sort(stopping.begin(), stopping.end(),
                   [](const Stopping& a, const Stopping& b) { return a.deadline < b.deadline; });
  for (const Stopping& each : stopping) {
    if (!await_end(each.end, each.deadline)) {
      send_exit(each.process, ExitReason::killed());
      await_end(each.end, Instant::never());
    }
    Child& child = state_->children.at(state_->by_process.at(each.process));
    state_->by_process.erase(each.process);
    child.process = {};
    forget(child);
  }
}

void Supervisor::stop_in_reverse(std::uint64_t first_order) {
  std::vector<std::uint64_t> orders;
  for (auto entry = state_->children.rbegin(); entry != state_->children.rend(); ++entry)
    if (entry->first >= first_order) orders.push_back(entry->first);
  for (const std::uint64_t order : orders) stop(state_->children.at(order));
}

// -- restart --------------------------------------------------------------------------------------

void Supervisor::count_restart() {
  std::deque<Instant>& restarts = state_->restarts;
  restarts.push_back(now());
  while (now() - restarts.front() > state_->spec.period) restarts.pop_front();
  if (restarts.size() > state_->spec.intensity) exit(ExitReason::shutdown());
}

void Supervisor::restart(std::uint64_t order) {
  count_restart();
  switch (state_->spec.strategy) {
    case Strategy::one_for_one: {
      if (!start(state_->children.at(order)))
        cast<&Supervisor::retry>(Ref<Supervisor>{self()}, order);
      return;
    }
    case Strategy::one_for_all:
      return start_again(0);
    case Strategy::rest_for_one:
      return start_again(order);
  }
}

void Supervisor::start_again(std::uint64_t first_order) {
  stop_in_reverse(first_order);
  std::vector<std::uint64_t> orders;
  for (auto& [order, child] : state_->children)
    if (order >= first_order) orders.push_back(order);
  for (const std::uint64_t order : orders) {
    Child& child = state_->children.at(order);
    if (child.spec.restart == Restart::temporary) {
      forget(child);
    } else if (!start(child)) {
      cast<&Supervisor::retry>(Ref<Supervisor>{self()}, order);
      return;
    }
  }
}

void Supervisor::retry(std::uint64_t order) {
  const auto found = state_->children.find(order);
  if (found != state_->children.end() && !found->second.process.valid()) restart(order);
}

}  // namespace holdfast::runtime
