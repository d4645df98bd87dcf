// What reaches a shard: signals and steps. How processes end is in runtime_exit.cpp.
#include "core/runtime/runtime.hpp"

#include <algorithm>

#include "core/runtime/lifecycle_messages.hpp"
#include "core/runtime/process_record.hpp"

namespace holdfast::runtime {
namespace {

std::string child_path(const std::string& parent, const SpawnOptions& options,
                       std::uint64_t generation) {
  std::string path = parent + "/" + options.role;
  if (!options.key.empty()) path.append("[").append(options.key).append("]");
  if (generation > 0) path.append("#").append(std::to_string(generation + 1));
  return path;
}

}  // namespace

Runtime::Runtime(RuntimeOptions options, Executor& executor, std::shared_ptr<Directory> directory,
                 Router* router)
    : options_(std::move(options)),
      executor_(executor),
      directory_(std::move(directory)),
      router_(router) {
  ASSERT(options_.shard < 256, "a process id has eight bits for its shard");
}

Runtime::~Runtime() {
  destroy_all();
}

ProcessRecord* Runtime::find(ProcessId process) const {
  const auto found = records_.find(process.value);
  return found == records_.end() ? nullptr : found->second.get();
}

// -- from outside ---------------------------------------------------------------------------------

void Runtime::from_outside(Signal signal) {
  if (router_ == nullptr) {
    apply(std::move(signal));
  } else {
    const unsigned shard = shard_of(signal.to);
    router_->route(shard, std::move(signal));
  }
}

ProcessId Runtime::start_root(SpawnOptions options, ProcessFactory make) {
  ASSERT(!destroyed_, "a destroyed instance starts nothing");
  const unsigned shard = router_ == nullptr ? options_.shard : router_->shard_for({}, options);
  auto request = std::make_unique<SpawnRequest>();
  request->id = directory_->new_process_id(shard);
  request->path = child_path("/" + options_.root, options,
                             directory_->next_root_generation(options.role, options.key));
  request->options = std::move(options);
  request->make = std::move(make);
  Signal signal;
  signal.kind = SignalKind::spawn;
  signal.to = request->id;
  signal.request = std::move(request);
  const ProcessId id = signal.to;
  from_outside(std::move(signal));
  return id;
}

void Runtime::send_exit(ProcessId process, ExitReason reason) {
  Signal signal;
  signal.kind = SignalKind::exit_request;
  signal.to = process;
  signal.reason = std::move(reason);
  from_outside(std::move(signal));
}

void Runtime::monitor_outside(ProcessId process, EndObserver observer) {
  Signal signal;
  signal.kind = SignalKind::observe;
  signal.to = process;
  signal.observer = std::move(observer);
  from_outside(std::move(signal));
}

std::string Runtime::path_of(ProcessId process) const {
  const ProcessRecord* const record = find(process);
  return record == nullptr ? std::string() : record->path();
}

std::vector<ProcessInfo> Runtime::processes() const {
  std::vector<ProcessInfo> all;
  all.reserve(records_.size());
  for (const auto& [id, record] : records_) {
    all.push_back({.id = record->id,
                   .parent = record->parent,
                   .path = record->path(),
                   .registered_name = record->options.registered_name,
                   .mailbox_size = record->mailbox.size(),
                   .suspended = record->on_fiber(),
                   .waits_for = record->on_fiber() ? std::string(record->wait_label().text) : "",
                   .callee = record->call.id != 0 ? record->call.callee : ProcessId{}});
  }
  std::sort(all.begin(), all.end(),
            [](const ProcessInfo& a, const ProcessInfo& b) { return a.id < b.id; });
  return all;
}

// -- signals --------------------------------------------------------------------------------------

void Runtime::send(Signal signal) {
  if (is_local(signal.to)) {
    apply(std::move(signal));
  } else {
    const unsigned shard = shard_of(signal.to);
    router_->route(shard, std::move(signal));
  }
}

void Runtime::deliver(ProcessId to, std::unique_ptr<Envelope> envelope) {
  if (!is_local(to)) {
    Signal signal;
    signal.to = to;
    signal.envelope = std::move(envelope);
    return router_->route(shard_of(to), std::move(signal));
  }
  ProcessRecord* const record = find(to);
  if (record != nullptr) {
    if (envelope->call) envelope->call.attach(*record);
    push(*record, std::move(envelope));
  } else if (envelope->call) {
    fail_call(envelope->call.caller(), envelope->call.call_id(), ExitReason::noproc());
  }
}

void Runtime::apply(Signal signal) {
  if (destroyed_) return;
  ProcessRecord* const record = find(signal.to);
  switch (signal.kind) {
    case SignalKind::message:
      return deliver(signal.to, std::move(signal.envelope));
    case SignalKind::reply:
      if (signal.reply != nullptr)
        return complete_call(signal.to, signal.reference, std::move(signal.reply));
      return fail_call(signal.to, signal.reference, signal.reason);
    case SignalKind::exit_request:
      if (record != nullptr) exit_request(*record, signal.reason);
      return;
    case SignalKind::linked_exit:
      if (record != nullptr) linked_exit(*record, signal.from, signal.reason);
      return;
    case SignalKind::down:
      if (record != nullptr) down(*record, {signal.reference}, signal.from, signal.reason);
      return;
    case SignalKind::monitor:
      return add_monitor(signal);
    case SignalKind::demonitor:
      if (record != nullptr) record->monitored_by.erase({signal.reference});
      return;
    case SignalKind::link:
      return add_link(signal);
    case SignalKind::unlink:
      if (record != nullptr) record->links.erase(signal.from);
      return;
    case SignalKind::spawn:
      return start(std::move(*signal.request));
    case SignalKind::observe:
      if (record != nullptr) {
        record->observers.push_back(std::move(signal.observer));
      } else {
        signal.observer(ExitReason::noproc());
      }
      return;
  }
}

void Runtime::push(ProcessRecord& record, std::unique_ptr<Envelope> envelope) {
  ++counters_.messages;
  if (options_.observer != nullptr) options_.observer->queued(record, *envelope);
  record.mailbox.push(std::move(envelope));
  if (record.mailbox.size() > options_.mailbox_limit && !record.exit_pending) {
    record.exit_pending = ExitReason::crash("mailbox_overflow");
    record.wake();
  }
  nudge(record);
}

/// An idle process with work is runnable; one in the middle of a handler gets to it later.
void Runtime::nudge(ProcessRecord& record) {
  if (!record.on_fiber() && FiberTask::current() != &record) executor_.make_runnable(record);
}

void Runtime::add_monitor(const Signal& signal) {
  ProcessRecord* const target = find(signal.to);
  if (target != nullptr) {
    target->monitored_by[{signal.reference}] = signal.from;
    return;
  }
  Signal answer;
  answer.kind = SignalKind::down;
  answer.to = signal.from;
  answer.from = signal.to;
  answer.reference = signal.reference;
  answer.reason = ExitReason::noproc();
  send(std::move(answer));
}

void Runtime::add_link(const Signal& signal) {
  ProcessRecord* const target = find(signal.to);
  if (target != nullptr) {
    target->links.insert(signal.from);
    return;
  }
  Signal answer;
  answer.kind = SignalKind::linked_exit;
  answer.to = signal.from;
  answer.from = signal.to;
  answer.reason = ExitReason::noproc();
  send(std::move(answer));
}

void Runtime::down(ProcessRecord& record, MonitorRef monitor, ProcessId from,
                   const ExitReason& reason) {
  const auto found = record.monitors.find(monitor);
  if (found == record.monitors.end()) return;
  if (!found->second.awaited) {
    push(record, LifecycleMessages::down(monitor, from, reason));
    return;
  }
  found->second.ended = reason;
  if (record.awaiting == monitor.value) record.wake();
}

// -- calls ----------------------------------------------------------------------------------------

void Runtime::complete_call(ProcessId caller, std::uint64_t call_id,
                            std::unique_ptr<ReplyBox> reply) {
  if (!is_local(caller)) {
    Signal signal;
    signal.kind = SignalKind::reply;
    signal.to = caller;
    signal.reference = call_id;
    signal.reply = std::move(reply);
    return router_->route(shard_of(caller), std::move(signal));
  }
  ProcessRecord* const record = find(caller);
  if (record == nullptr || record->call.id != call_id) return;  // late: it has given up
  if (options_.observer != nullptr) options_.observer->answered(*record, nullptr);
  record->call.reply = std::move(reply);
  record->wake();
}

void Runtime::fail_call(ProcessId caller, std::uint64_t call_id, const ExitReason& reason) {
  if (!is_local(caller)) {
    Signal signal;
    signal.kind = SignalKind::reply;
    signal.to = caller;
    signal.reference = call_id;
    signal.reason = reason;
    return router_->route(shard_of(caller), std::move(signal));
  }
  ProcessRecord* const record = find(caller);
  if (record == nullptr || record->call.id != call_id) return;
  if (options_.observer != nullptr) options_.observer->answered(*record, &reason);
  record->call.failure = reason;
  record->wake();
}

// -- start and steps ------------------------------------------------------------------------------

ProcessId Runtime::request_spawn(ProcessRecord* parent, SpawnOptions options, ProcessFactory make,
                                 std::uint64_t call_id) {
  const unsigned shard =
      router_ == nullptr ? options_.shard : router_->shard_for(parent->id, options);
  auto request = std::make_unique<SpawnRequest>();
  const ProcessId child = directory_->new_process_id(shard);
  request->id = child;
  request->parent = parent->id;
  request->path =
      child_path(parent->path(), options, parent->children.next(options.role, options.key));
  request->started = CallHandle(parent->id, call_id);
  if (options.link_to_parent) parent->links.insert(child);
  request->options = std::move(options);
  request->make = std::move(make);
  Signal signal;
  signal.kind = SignalKind::spawn;
  signal.to = child;
  signal.from = parent->id;
  signal.request = std::move(request);
  send(std::move(signal));
  return child;
}

void Runtime::start(SpawnRequest request) {
  const std::string name = request.options.registered_name;
  auto made = std::make_unique<ProcessRecord>(*this, executor_, std::move(request));
  ProcessRecord& record = *made;
  if (record.started) record.started.attach(record);
  if (record.options.link_to_parent && record.parent.valid()) record.links.insert(record.parent);
  if (!name.empty()) record.name_taken = !directory_->register_name(name, record.id);
  records_.emplace(record.id.value, std::move(made));
  ++counters_.spawned;
  counters_.live = records_.size();
  if (options_.observer != nullptr) options_.observer->started(record);
  executor_.make_runnable(record);
}

void Runtime::run(ProcessRecord& record) {
  ++counters_.steps;
  if (!record.on_fiber()) {
    if (record.kill_pending) return finish(record, ExitReason::killed());
    if (!record.has_work()) return;
  }
  record.run_fiber(executor_.fibers());
  if (record.on_fiber()) return;
  if (record.outcome) {
    finish(record, ExitReason(*record.outcome));
  } else if (record.has_work()) {
    executor_.make_runnable(record);
  }
}

}  // namespace holdfast::runtime
