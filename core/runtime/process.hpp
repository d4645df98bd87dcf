// Processes in the vocabulary of Erlang/OTP: mailboxes, call and cast, monitors, links, exits.
// A process is an object; its member functions are its message handlers. A handler runs on a fiber
// borrowed from a pool and may suspend inside (call, sleep, disk, database); one message at a time.
// An idle process owns no stack. The same code runs under the simulated and the threaded executor.
//
// A kill takes effect at the next suspension point: the fiber is unwound, destructors run, handlers
// and terminate() do not. Destructors never suspend, send or draw.
//
// Any other exit (send_exit, a supervisor's shutdown, a linked process's end) depends on
// trap_exits(), as in OTP. Without it: the exit takes effect at the next suspension point too; the
// running handler is unwound, messages still queued are dropped, then terminate() runs. With it: a
// shutdown or send_exit, and the end of the parent, wait their turn in the mailbox, so the running
// handler and earlier messages finish first, then terminate() runs; another linked process's end
// becomes on_linked_exit().
//
// Order is guaranteed per sender–receiver pair and no further (design.md §5).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "core/base/time.hpp"
#include "core/runtime/exit_reason.hpp"
#include "core/runtime/message.hpp"
#include "core/runtime/process_id.hpp"
#include "core/runtime/spawn_options.hpp"

namespace holdfast::runtime {

class Runtime;
struct ProcessRecord;
template <class K, class V>
class OwnedTable;
class Supervisor;

/// Thrown by call() when the callee cannot answer: it was gone (noproc), ended before replying (its
/// own reason), or did not answer in time (timeout). Handled by a named guard or left to end the
/// caller with crash, which its supervisor sees.
struct ProcessExit {
  ExitReason reason;
  ProcessId callee;
};

/// Thrown by exit(): ends the process that throws it with this reason, after terminate().
struct ExitRequest {
  ExitReason reason;
};

/// How long call() waits unless told otherwise: every wait has a deadline.
inline constexpr Duration k_call_timeout = std::chrono::seconds(30);

class Process {
 public:
  virtual ~Process() = default;
  Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  ProcessId self() const;

 protected:
  friend class Runtime;
  friend class Supervisor;
  friend struct ProcessRecord;
  friend struct LifecycleMessages;
  template <class K, class V>
  friend class OwnedTable;

  // -- callbacks, all on the process's own fiber; each may suspend --------------------------------

  /// Runs before the first message. Leaving it by exit() or an exception is a failed start.
  virtual void init() {}
  /// Runs when the process ends in any way but a kill, including a supervisor's shutdown request
  /// (within its limit) and a linked process's end. Not after a failed init().
  virtual void terminate(const ExitReason&) {}
  /// Exactly once per monitor() that was not taken back; noproc if there was no such process.
  virtual void on_down(MonitorRef, ProcessId, const ExitReason&) {}
  /// A linked process ended, and this one traps exits.
  virtual void on_linked_exit(ProcessId, const ExitReason&) {}

 public:
  // Everything from here on acts on behalf of this process: REQUIRES its own fiber. Public so that
  // functions shared by several kinds of process can take a Process&.

  // -- messages -----------------------------------------------------------------------------------

  /// Calls a handler of another process and waits for its reply. `Target` is Ref<P>, or Name<P>
  /// (looked up now). A handler may take Reply<R> as its first parameter and answer later.
  /// SUSPENDS. Throws ProcessExit.
  template <auto Method, class Target, class... Args>
  auto call(const Target& target, Args&&... args) {
    return call_within<Method>(k_call_timeout, target, std::forward<Args>(args)...);
  }
  template <auto Method, class Target, class... Args>
  auto call_within(Duration timeout, const Target& target, Args&&... args);

  /// Sends without waiting. To a missing process: nothing happens.
  template <auto Method, class Target, class... Args>
  void cast(const Target& target, Args&&... args);

  /// A cast to itself after a delay. Cancelled by cancel(), or with the process.
  template <auto Method, class... Args>
  TimerRef send_after(Duration delay, Args&&... args);
  void cancel(TimerRef);

  // -- other processes ----------------------------------------------------------------------------

  MonitorRef monitor(ProcessId);
  /// After this no on_down for it arrives, even if it was already in the mailbox.
  void demonitor(MonitorRef);
  void link(ProcessId);
  void unlink(ProcessId);
  void trap_exits();
  /// Starts a child outside the supervision tree and waits until its init() returned. SUSPENDS.
  /// Throws ProcessExit with the reason of a failed init().
  template <class P, class... Args>
  Ref<P> spawn(SpawnOptions options, Args&&... args);
  /// Asks another process to end with `reason`; ExitKind::killed cannot be refused.
  void send_exit(ProcessId, ExitReason);
  /// Ends this process: unwinds to the runtime, then terminate().
  [[noreturn]] void exit(ExitReason);
  /// Ends this process as exit() does, once the running handler has returned. For processes that
  /// end often: unwinding costs more than most requests.
  void exit_after_handler(ExitReason);

  // -- time, order, randomness --------------------------------------------------------------------

  Instant now() const;
  WallTime wall_time() const;
  /// SUSPENDS.
  void sleep(Duration);
  /// A point of engine.md §9 at which another process may run or this one be killed. SUSPENDS.
  void yield_point(const char* label);
  /// A draw keyed by (process path, site, ordinal of this site in this process).
  std::uint64_t draw(std::string_view site);

  Runtime& runtime() const;

 private:
  /// The record, of a process that may act now: on its own fiber and not being unwound.
  ProcessRecord& acting() const;
  std::unique_ptr<ReplyBox> call_erased(ProcessId callee, std::unique_ptr<Envelope> message,
                                        Duration timeout);
  void cast_erased(ProcessId receiver, std::unique_ptr<Envelope> message);
  TimerRef send_after_erased(Duration delay, std::unique_ptr<Envelope> message);
  ProcessId spawn_erased(SpawnOptions options, ProcessFactory make);
  ProcessId resolve(const std::string& name) const;
  template <class P>
  ProcessId resolve(const Ref<P>& target) const {
    return target.id;
  }
  template <class P>
  ProcessId resolve(const Name<P>& target) const {
    return resolve(target.text);
  }
  /// A monitor whose end await_end() waits for; no on_down() comes of it.
  MonitorRef watch_end(ProcessId);
  /// Its exit reason, or nullopt at the deadline (the watch then goes on). SUSPENDS.
  std::optional<ExitReason> await_end(MonitorRef, Instant deadline);

  ProcessRecord* record_ = nullptr;  // attached before init()
};

}  // namespace holdfast::runtime

#include "core/runtime/process_inline.hpp"
