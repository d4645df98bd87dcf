// What a process does to itself and to others: the untyped half of process.hpp.
#include "core/runtime/process.hpp"

#include <exception>

#include "core/runtime/process_record.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {
namespace {

Instant deadline_after(Instant now, Duration wait) {
  return wait >= Instant::never() - now ? Instant::never() : now + wait;
}

/// Ends the record's call however the wait for it ends, so that a late reply finds nobody.
class CallScope {
 public:
  explicit CallScope(ProcessRecord& record) : record_(record) {}
  ~CallScope() { record_.call = {}; }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  ProcessRecord& record_;
};

Signal between(ProcessId from, ProcessId to, SignalKind kind) {
  Signal signal;
  signal.kind = kind;
  signal.to = to;
  signal.from = from;
  return signal;
}

}  // namespace

ProcessRecord& Process::acting() const {
  ASSERT(record_ != nullptr, "a process acts only after its constructor: in init() or later");
  ASSERT(FiberTask::current() == record_, "a process acts on its own fiber");
  ASSERT(!record_->unwinding && std::uncaught_exceptions() == 0,
         "destructors never suspend, send or draw");
  return *record_;
}

ProcessId Process::self() const {
  ASSERT(record_ != nullptr, "a process knows its id only after its constructor");
  return record_->id;
}

Runtime& Process::runtime() const {
  ASSERT(record_ != nullptr, "a process knows its runtime only after its constructor");
  return record_->home;
}

ProcessId Process::resolve(const std::string& name) const {
  return acting().home.directory().find_name(name);
}

std::unique_ptr<ReplyBox> Process::call_erased(ProcessId callee, std::unique_ptr<Envelope> message,
                                               Duration timeout) {
  ProcessRecord& record = acting();
  ASSERT(callee != record.id, "a process never calls itself: it would wait for ever");
  record.begin_wait(message->label());
  const CallScope scope(record);
  const std::uint64_t call_id = ++record.last_call_id;
  record.call.id = call_id;
  record.call.callee = callee;
  if (callee.valid()) {
    message->from = record.id;
    message->call = CallHandle(record.id, call_id);
    record.home.deliver(callee, std::move(message));
  } else {
    record.home.fail_call(record.id, call_id, ExitReason::noproc());
  }
  record.finish_wait(deadline_after(now(), timeout));
  if (record.call.failure) throw ProcessExit{*record.call.failure, callee};
  if (record.call.reply == nullptr) throw ProcessExit{ExitReason::timeout(), callee};
  return std::move(record.call.reply);
}

void Process::cast_erased(ProcessId receiver, std::unique_ptr<Envelope> message) {
  ProcessRecord& record = acting();
  message->from = record.id;
  if (receiver.valid()) record.home.deliver(receiver, std::move(message));
}

TimerRef Process::send_after_erased(Duration delay, std::unique_ptr<Envelope> message) {
  ProcessRecord& record = acting();
  const std::uint64_t reference = record.home.new_reference();
  auto timer = std::make_unique<ProcessRecord::Timer>(record);
  message->timer = reference;
  timer->envelope = std::move(message);
  record.executor().timers().set(*timer, deadline_after(now(), delay));
  record.timers.emplace(reference, std::move(timer));
  return {reference};
}

void Process::cancel(TimerRef timer) {
  acting().timers.erase(timer.value);
}

MonitorRef Process::monitor(ProcessId target) {
  ProcessRecord& record = acting();
  const MonitorRef monitor{record.home.new_reference()};
  record.monitors[monitor] = {.target = target, .awaited = false, .ended = std::nullopt};
  Signal signal = between(record.id, target, SignalKind::monitor);
  signal.reference = monitor.value;
  record.home.send(std::move(signal));
  return monitor;
}

void Process::demonitor(MonitorRef monitor) {
  ProcessRecord& record = acting();
  const auto found = record.monitors.find(monitor);
  if (found == record.monitors.end()) return;
  Signal signal = between(record.id, found->second.target, SignalKind::demonitor);
  signal.reference = monitor.value;
  record.monitors.erase(found);
  record.home.send(std::move(signal));
}

MonitorRef Process::watch_end(ProcessId target) {
  ProcessRecord& record = acting();
  const MonitorRef monitor{record.home.new_reference()};
  record.monitors[monitor] = {.target = target, .awaited = true, .ended = std::nullopt};
  Signal signal = between(record.id, target, SignalKind::monitor);
  signal.reference = monitor.value;
  record.home.send(std::move(signal));
  return monitor;
}

std::optional<ExitReason> Process::await_end(MonitorRef monitor, Instant deadline) {
  ProcessRecord& record = acting();
  const auto entry = record.monitors.find(monitor);
  ASSERT(entry != record.monitors.end() && entry->second.awaited, "only a watched end is awaited");
  if (!entry->second.ended) {
    record.begin_wait(Label::of("await_end"));
    record.awaiting = monitor.value;
    record.finish_wait(deadline);
    record.awaiting = 0;
  }
  if (!entry->second.ended) return std::nullopt;
  std::optional<ExitReason> reason = std::move(entry->second.ended);
  record.monitors.erase(entry);
  return reason;
}

void Process::link(ProcessId target) {
  ProcessRecord& record = acting();
  ASSERT(target != record.id, "a process is not linked to itself");
  record.links.insert(target);
  record.home.send(between(record.id, target, SignalKind::link));
}

void Process::unlink(ProcessId target) {
  ProcessRecord& record = acting();
  if (record.links.erase(target) > 0)
    record.home.send(between(record.id, target, SignalKind::unlink));
}

void Process::trap_exits() {
  acting().traps_exits = true;
}

ProcessId Process::spawn_erased(SpawnOptions options, ProcessFactory make) {
  ProcessRecord& record = acting();
  record.begin_wait(Label::of("spawn"));
  const CallScope scope(record);
  const std::uint64_t call_id = ++record.last_call_id;
  record.call.id = call_id;
  const ProcessId child =
      record.home.request_spawn(&record, std::move(options), std::move(make), call_id);
  record.call.callee = child;
  record.finish_wait(Instant::never());
  if (record.call.failure) throw ProcessExit{*record.call.failure, child};
  ASSERT(record.call.reply != nullptr, "a child has started or has failed to");
  return child;
}

void Process::send_exit(ProcessId target, ExitReason reason) {
  ProcessRecord& record = acting();
  Signal signal = between(record.id, target, SignalKind::exit_request);
  signal.reason = std::move(reason);
  record.home.send(std::move(signal));
}

void Process::exit(ExitReason reason) {
  acting();
  throw ExitRequest{std::move(reason)};
}

void Process::exit_after_handler(ExitReason reason) { acting().exit_after = std::move(reason); }

Instant Process::now() const {
  return runtime().now();
}

WallTime Process::wall_time() const {
  return runtime().executor().clock().wall_time();
}

void Process::sleep(Duration duration) {
  ProcessRecord& record = acting();
  record.begin_wait(Label::of("sleep"));
  record.finish_wait(deadline_after(now(), duration));
}

void Process::yield_point(const char* label) {
  ProcessRecord& record = acting();
  record.begin_wait(Label::of(label));
  record.wake();
  record.finish_wait(Instant::never());
}

std::uint64_t Process::draw(std::string_view site) {
  ProcessRecord& record = acting();
  const std::uint64_t key = Label::of(site).hash;
  for (auto& [known, next] : record.draws)
    if (known == key) return record.executor().random().draw(record.path_hash(), site, next++);
  record.draws.emplace_back(key, 1);
  return record.executor().random().draw(record.path_hash(), site, 0);
}

}  // namespace holdfast::runtime
