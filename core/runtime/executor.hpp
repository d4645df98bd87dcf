// What the runtime needs of whoever runs it. The simulated executor (sim/scheduler) and the
// threaded one (core/production) implement these two interfaces and nothing else of the runtime.
#pragma once

#include <memory>

#include "core/env/clock.hpp"
#include "core/env/random.hpp"
#include "core/runtime/fibers/fiber.hpp"
#include "core/runtime/fibers/task.hpp"
#include "core/runtime/fibers/timer_queue.hpp"
#include "core/runtime/process_id.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::runtime {

struct Signal;
struct SpawnOptions;

/// Runs the tasks of one thread. All but wake() are called on that thread only.
class Executor {
 public:
  virtual ~Executor() = default;
  /// `task` has something to do: run_step() will be called once for it. A task already known to be
  /// runnable stays where it is.
  virtual void make_runnable(Task& task) = 0;
  /// `task` is about to be destroyed, or has nothing to do any more.
  virtual void forget(Task& task) = 0;
  /// Fired by the executor, between steps, when its clock has reached them.
  virtual TimerQueue& timers() = 0;
  virtual FiberPool& fibers() = 0;
  virtual env::Clock& clock() = 0;
  virtual env::Random& random() = 0;
  /// Must lead to deliver_wake(state) on the executor's thread. Thread-safe. Called while a task
  /// waits, so that the executor is alive.
  virtual void wake(std::shared_ptr<Wakeup::State> state) = 0;
};

/// Ends the wait that `state` belongs to, if it still lasts. On the task's thread.
void deliver_wake(const std::shared_ptr<Wakeup::State>& state);

/// Carries signals between the shards of one instance. With one shard there is none.
class Router {
 public:
  virtual ~Router() = default;
  /// The shard on which a new process is to live.
  virtual unsigned shard_for(ProcessId parent, const SpawnOptions& options) = 0;
  /// Must lead to Runtime::apply on the shard's thread, in order per sending thread. Thread-safe.
  virtual void route(unsigned shard, Signal&& signal) = 0;
};

}  // namespace holdfast::runtime
