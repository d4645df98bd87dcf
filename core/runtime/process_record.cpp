#include "core/runtime/process_record.hpp"

#include <exception>
#include <utility>

#include "core/runtime/executor.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::runtime {

ProcessRecord::ProcessRecord(Runtime& runtime, Executor& its_executor, SpawnRequest request)
    : FiberTask(std::move(request.path), its_executor),
      home(runtime),
      id(request.id),
      parent(request.parent),
      options(std::move(request.options)),
      make(std::move(request.make)),
      started(std::move(request.started)) {}

ProcessRecord::~ProcessRecord() {
  executor().forget(*this);
}

void ProcessRecord::run_step() {
  home.run(*this);
}

Label ProcessRecord::next_label() const {
  if (kill_pending) return Label::of("kill");
  if (exit_pending && phase != Phase::terminating) return Label::of("exit");
  if (on_fiber()) return wait_label();
  if (starting()) return Label::of("init");
  return mailbox.empty() ? Label::of("nothing") : mailbox.front().label();
}

void ProcessRecord::check_interrupt() {
  ASSERT(!unwinding, "a kill is not swallowed, and nothing suspends while it unwinds");
  if (kill_pending || (exit_pending && phase != Phase::terminating)) {
    unwinding = true;
    throw Unwind{};
  }
}

/// Every way out of a handler becomes an exit reason here and nowhere else.
template <class F>
std::optional<ExitReason> ProcessRecord::guarded(F&& step) noexcept {
  const bool was_unwinding = unwinding;
  ASSERT(!was_unwinding, "a process starts a step with nothing to unwind");
  std::optional<ExitReason> reason;
  try {
    step();
  } catch (const Unwind&) {
    unwinding = false;
    return kill_pending ? ExitReason::killed() : *exit_pending;
  } catch (const ExitRequest& request) {
    reason = request.reason;
  } catch (const ProcessExit& exit) {
    reason = ExitReason::crash("callee exited: " + exit.reason.to_string());
  } catch (const std::exception& error) {
    reason = ExitReason::crash(error.what());
  } catch (...) {
    reason = ExitReason::crash("unknown exception");
  }
  ASSERT(!unwinding, "catch (...) in a handler does not swallow a kill");
  return reason;
}

void ProcessRecord::start() {
  if (name_taken)
    throw ExitRequest{ExitReason::crash("name already registered: " + options.registered_name)};
  object = make();
  make = nullptr;
  object->record_ = this;
  object->init();
  phase = Phase::serving;
  started.answer(std::make_unique<TypedReply<void>>());
}

void ProcessRecord::serve_one() {
  if (exit_pending) throw ExitRequest{*exit_pending};
  if (starting()) {
    start();
  } else {
    const std::unique_ptr<Envelope> message = mailbox.pop();
    if (message->timer != 0 && timers.erase(message->timer) == 0) return;  // cancelled meanwhile
    if (home.options().observer != nullptr) home.options().observer->taken(*this, *message);
    message->handle(*object);
  }
}

void ProcessRecord::body() noexcept {
  std::optional<ExitReason> reason = guarded([this] { serve_one(); });
  if (!reason) reason = std::exchange(exit_after, std::nullopt);
  if (!reason) {
    for (CallHandle& dropped : std::exchange(dropped_replies, {})) {
      const ProcessId caller = dropped.caller();
      const std::uint64_t call_id = dropped.call_id();
      dropped.forget();
      home.fail_call(caller, call_id, ExitReason::crash("reply_dropped"));
    }
    return;
  }
  if (!kill_pending && phase == Phase::serving) {
    phase = Phase::terminating;
    const std::optional<ExitReason> worse = guarded([&] { object->terminate(*reason); });
    if (worse) reason = worse;
  }
  outcome = std::move(reason);
}

void ProcessRecord::Timer::fire() {
  // Stays in `timers` until handled, so that cancel() reaches it in the mailbox too.
  owner.home.push(owner, std::move(envelope));
}

}  // namespace holdfast::runtime
