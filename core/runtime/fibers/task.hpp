// What an executor schedules: a process or a worker. A Task runs in steps; a FiberTask's step lasts
// from one suspension point to the next. Belongs to one thread (shard).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/base/spin_lock.hpp"
#include "core/runtime/fibers/fiber.hpp"
#include "core/runtime/fibers/timer_queue.hpp"
#include "core/runtime/label.hpp"
#include "core/runtime/process_id.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::runtime {

class Executor;
class Runtime;
class Task;

/// The executor's bookkeeping inside a task; nobody else reads it.
struct SchedulerHook {
  Task* previous = nullptr;
  Task* next = nullptr;
  std::size_t position = 0;
  bool queued = false;
  std::uint64_t steps = 0;    ///< steps this task has run
  std::int64_t priority = 0;  ///< PCT's, once `prioritised`
  bool prioritised = false;
};

class Task {
 public:
  explicit Task(std::string path) : path_(std::move(path)), path_hash_(hash64(path_)) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  /// Runs until the next suspension point or the end of what there was to do.
  virtual void run_step() = 0;
  /// What run_step() would do now.
  virtual Label next_label() const = 0;
  /// Invalid for what is not a process.
  virtual ProcessId process_id() const { return {}; }
  virtual Runtime* runtime() const { return nullptr; }

  /// Structural: the same in every run with the same choices.
  const std::string& path() const { return path_; }
  std::uint64_t path_hash() const { return path_hash_; }

  SchedulerHook hook;

 private:
  std::string path_;
  std::uint64_t path_hash_;
};

/// A task whose steps run on a fiber and may suspend in between.
class FiberTask : public Task, private FiberBody {
 public:
  FiberTask(std::string path, Executor& executor);
  /// REQUIRES: not suspended.
  ~FiberTask() override;

  /// The task whose fiber runs on this thread; nullptr outside.
  static FiberTask* current();
  Executor& executor() const { return executor_; }
  /// It holds a fiber: it is in the middle of something.
  bool on_fiber() const { return fiber_ != nullptr; }
  /// Suspended and nothing has woken it yet.
  bool waiting() const { return waiting_; }
  Label wait_label() const { return wait_label_; }

  // -- on its own fiber ---------------------------------------------------------------------------

  /// Waits until wake() or the deadline: begin_wait, then what arranges for the waking, then
  /// finish_wait. wake() may come in between. Both may throw an interrupt. SUSPENDS.
  void begin_wait(Label label);
  Woken finish_wait(Instant deadline);
  /// Gives up a wait that begin_wait started.
  void abandon_wait();

  // -- from its own thread ------------------------------------------------------------------------

  /// Ends the current wait; without one nothing happens.
  void wake();
  /// Borrows a fiber if it has none, runs to the next suspension or the end of body(), and gives
  /// the fiber back at the end.
  void run_fiber(FiberPool& pool);

 protected:
  /// On the fiber. An exception must not leave it.
  virtual void body() noexcept = 0;
  /// Called at each suspension point, before and after; throws to unwind the fiber.
  virtual void check_interrupt() {}

 private:
  struct Deadline final : TimerNode {
    explicit Deadline(FiberTask& owner) : task(owner) {}
    void fire() override;
    FiberTask& task;
  };
  void run_on_fiber() noexcept final { body(); }

  Executor& executor_;
  std::unique_ptr<Fiber> fiber_;
  Deadline deadline_;
  Label wait_label_;
  bool waiting_ = false;
  bool deadline_passed_ = false;
};

/// Shared by a suspension and everybody who may end it. `task` is taken away when the suspension
/// ends for whatever reason, so a late firing finds nothing.
struct Wakeup::State {
  SpinLock lock;
  FiberTask* task = nullptr;
  Executor* executor = nullptr;
};

}  // namespace holdfast::runtime
