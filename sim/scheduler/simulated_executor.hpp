// The simulated executor: one thread, virtual time, and a strategy that owns every scheduling
// choice. Runs the processes of any number of Runtimes (instances), worker fibers and world events.
// The same options and the same program give the same steps, on every platform and build.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/runtime/executor.hpp"
#include "sim/choice.hpp"
#include "sim/clock.hpp"
#include "sim/scheduler/runnable_set.hpp"
#include "sim/scheduler/strategy.hpp"
#include "sim/trace.hpp"

namespace holdfast::sim {

class WorkerTask;

/// The step that is about to run.
struct StepInfo {
  std::uint64_t step = 0;
  const std::string& path;
  runtime::Label label;
  Instant at;
  runtime::ProcessId process;            ///< invalid for workers and world events
  runtime::Runtime* instance = nullptr;  ///< likewise
};

enum class StopCause : std::uint8_t {
  predicate,  ///< it became true
  quiet,      ///< nothing is runnable and no timer is set
  time_limit,
  step_limit,
};

struct RunLimits {
  /// Virtual time at which to stop; nothing set for later happens.
  Instant until = Instant::never();
  std::uint64_t most_steps = 50'000'000;
};

struct EventId {
  std::uint64_t value = 0;
};

/// Stacks of processes and of workers. Runs that come one after the other share them: mapping and
/// touching fresh ones costs a run more than its scheduling does.
struct Stacks {
  runtime::FiberPool processes;
  runtime::FiberPool workers{512 * 1024, 8};
};

struct SimulatedExecutorOptions {
  std::uint64_t seed = 0;
  /// nullptr: FIFO.
  std::unique_ptr<SchedulingStrategy> strategy;
  /// What one step costs in virtual time. Zero makes every process infinitely fast.
  Duration step_cost = std::chrono::microseconds(1);
  std::size_t trace_ring = 256;
  /// Shared with earlier and later runs; nullptr: its own.
  Stacks* stacks = nullptr;
};

class SimulatedExecutor final : public runtime::Executor {
 public:
  explicit SimulatedExecutor(SimulatedExecutorOptions options = {});
  /// REQUIRES: Runtimes and workers are gone, and the workers' jobs have ended (drain_workers()).
  ~SimulatedExecutor() override;

  // -- running ------------------------------------------------------------------------------------

  /// Runs steps until `done()`, which is asked before each step, or a limit.
  StopCause run_until(const std::function<bool()>& done, RunLimits limits = {});
  /// Until nothing is left to do, or a limit.
  StopCause run_until_quiet(RunLimits limits = {});
  /// Runs all that happens within the next `duration` of virtual time, and ends at its end.
  StopCause run_for(Duration duration);
  /// Runs until no worker has a job: after kill -9 and before the disk is destroyed.
  void drain_workers();

  // -- the world ----------------------------------------------------------------------------------

  /// Something that happens outside the engine: a step of its own, in no process. `path` and
  /// `label` name it in the trace; `label` is a literal.
  EventId at(Instant when, std::string path, const char* label, std::function<void()> happen);
  EventId after(Duration delay, std::string path, const char* label, std::function<void()> happen);
  /// Nothing happens if it already has.
  void cancel(EventId event);
  /// A process that is slow: from now until then it takes no step. A kill still reaches it.
  void stall(runtime::Runtime& instance, runtime::ProcessId process, Duration duration);
  /// SIGSTOP: no process and no worker whose path begins with `prefix` takes a step until thaw().
  /// What would have woken them waits; a kill still reaches them.
  void freeze(std::string prefix);
  /// SIGCONT. Nothing happens if it is not frozen.
  void thaw(const std::string& prefix);

  /// Called before each step; may kill, stop, stall, start, destroy whole instances, and so undo
  /// the step it was called for.
  void on_step(std::function<void(const StepInfo&)> observer) { observer_ = std::move(observer); }

  /// Told of each task that becomes runnable, for whoever draws who woke whom; only looks on.
  void on_runnable(std::function<void(const runtime::Task&)> observer) {
    on_runnable_ = std::move(observer);
  }

  VirtualClock& virtual_clock() { return clock_; }
  Instant now() const { return clock_.now(); }
  std::uint64_t steps() const { return steps_; }
  Trace& trace() { return trace_; }
  const SchedulingStrategy& strategy() const { return *strategy_; }

  // -- runtime::Executor --------------------------------------------------------------------------

  void make_runnable(runtime::Task& task) override;
  void forget(runtime::Task& task) override;
  runtime::TimerQueue& timers() override { return timers_; }
  runtime::FiberPool& fibers() override { return stacks_->processes; }
  env::Clock& clock() override { return clock_; }
  env::Random& random() override { return random_; }
  void wake(std::shared_ptr<runtime::Wakeup::State> state) override {
    runtime::deliver_wake(state);
  }

  // -- for SimulatedWorker ------------------------------------------------------------------------

  runtime::FiberPool& worker_fibers() { return stacks_->workers; }
  void add_worker() { ++workers_; }
  /// The instance that used it is gone; it lives until its jobs have ended.
  void adopt(std::unique_ptr<WorkerTask> worker);
  /// An adopted worker has ended its last job.
  void bury(WorkerTask& worker);
  void busy_workers_changed(int difference) { busy_workers_ += difference; }

 private:
  class Event;
  struct Stall;
  struct Frozen {
    std::string prefix;
    std::vector<runtime::Task*> wanted;  ///< became runnable meanwhile, in this order
  };
  enum class Progress : std::uint8_t { stepped, quiet, horizon };

  Progress step_once(Instant horizon);
  runtime::Task& pick();
  void run_picked(runtime::Task& task);
  /// Whether it has to wait for thaw(); then it is remembered.
  bool keep_frozen(runtime::Task& task);

  KeyedRandom random_;
  std::unique_ptr<SchedulingStrategy> strategy_;
  Duration step_cost_;
  VirtualClock clock_;
  runtime::TimerQueue timers_;
  Stacks own_stacks_;
  Stacks* stacks_;
  RunnableSet runnable_;
  Trace trace_;
  std::function<void(const StepInfo&)> observer_;
  std::function<void(const runtime::Task&)> on_runnable_;
  std::uint64_t steps_ = 0;

  runtime::Task* picked_ = nullptr;  ///< null again when forgotten
  std::string observed_;             ///< path of the step that is announced
  SchedulePoint point_;              ///< where the next decision would stand
  std::uint64_t last_decision_ = 0;

  std::uint64_t last_event_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Event>> events_;
  std::unique_ptr<Event> ended_event_;  // it may not be destroyed while it runs
  std::map<runtime::Task*, std::unique_ptr<Stall>> stalls_;  // never iterated
  std::vector<Frozen> frozen_;
  std::vector<std::unique_ptr<WorkerTask>> adopted_;
  std::unique_ptr<WorkerTask> buried_;
  int workers_ = 0;
  int busy_workers_ = 0;
};

}  // namespace holdfast::sim
