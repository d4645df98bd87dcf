// What the runtime knows of one process: mailbox, fiber, links, monitors, timers, tables. Owned by
// the Runtime of its shard; touched by that shard's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/runtime/directory.hpp"
#include "core/runtime/fibers/task.hpp"
#include "core/runtime/mailbox.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/signal.hpp"

namespace holdfast::runtime {

/// Thrown at a suspension point to unwind a process that was killed or asked to end. Private to the
/// runtime; a handler that swallows it ends the program.
struct Unwind {};

enum class Phase : std::uint8_t { starting, serving, terminating, dead };

struct ProcessRecord final : FiberTask {
  ProcessRecord(Runtime& runtime, Executor& executor, SpawnRequest request);
  ~ProcessRecord() override;

  // -- Task ---------------------------------------------------------------------------------------
  void run_step() override;
  Label next_label() const override;
  ProcessId process_id() const override { return id; }
  Runtime* runtime() const override { return &home; }

  /// There is something to do without being woken.
  bool has_work() const { return kill_pending || exit_pending || starting() || !mailbox.empty(); }
  std::optional<ExitReason> exit_after;  ///< set by the running handler: it ends when that returns
  bool starting() const { return phase == Phase::starting; }

  struct Monitored {
    ProcessId target;
    bool awaited = false;             ///< await_end() waits for it, no on_down()
    std::optional<ExitReason> ended;  ///< of an awaited one
  };
  struct Timer final : TimerNode {
    explicit Timer(ProcessRecord& record) : owner(record) {}
    void fire() override;
    ProcessRecord& owner;
    std::unique_ptr<Envelope> envelope;
  };
  /// The wait for one reply.
  struct Call {
    std::uint64_t id = 0;  ///< 0: no call under way
    ProcessId callee;
    std::unique_ptr<ReplyBox> reply;
    std::optional<ExitReason> failure;
  };

  Runtime& home;
  const ProcessId id;
  const ProcessId parent;
  const SpawnOptions options;
  ProcessFactory make;
  CallHandle started;
  std::unique_ptr<Process> object;
  Mailbox mailbox;
  Phase phase = Phase::starting;

  bool name_taken = false;
  bool traps_exits = false;
  bool kill_pending = false;
  bool unwinding = false;                  ///< an Unwind is under way
  std::optional<ExitReason> exit_pending;  ///< an exit that interrupts, of one that does not trap
  std::optional<ExitReason> outcome;       ///< set by body() when the process is to end

  Call call;
  std::uint64_t last_call_id = 0;
  std::uint64_t awaiting = 0;  ///< the monitor await_end() waits for

  PendingCall* first_pending = nullptr;
  PendingCall* last_pending = nullptr;
  std::vector<CallHandle> dropped_replies;

  std::set<ProcessId> links;
  std::map<MonitorRef, Monitored> monitors;
  std::map<MonitorRef, ProcessId> monitored_by;
  std::vector<EndObserver> observers;
  std::map<std::uint64_t, std::unique_ptr<Timer>> timers;
  std::vector<std::shared_ptr<TableBase>> tables;
  Generations children;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> draws;  ///< (site, next ordinal)

 private:
  void body() noexcept override;
  void check_interrupt() override;
  void serve_one();
  void start();
  /// Runs `step`; nullopt if it returned, else why the process ends.
  template <class F>
  std::optional<ExitReason> guarded(F&& step) noexcept;
};

}  // namespace holdfast::runtime
