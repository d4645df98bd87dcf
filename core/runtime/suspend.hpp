// The one way to wait: how implementations of core/env (simulated or real) and the runtime itself
// suspend the fiber that called them, be it a process's or a store job's worker fiber.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/time.hpp"
#include "core/runtime/exit_reason.hpp"

namespace holdfast::runtime {

/// Wakes one suspension, once. Copyable; may be fired from any thread, early or late, more than
/// once or never: only the first firing of a still pending suspension has an effect. One that was
/// made by nobody's suspension wakes nobody.
class Wakeup {
 public:
  void fire() const;

  struct State;
  std::shared_ptr<State> state;
};

enum class Woken { fired, deadline };

/// Suspends the calling fiber until `start`'s Wakeup fires or the deadline passes. `start` is run
/// first, on the same fiber, and must arrange for the firing (which may happen inside it).
/// `label` names the wait in the trace ("disk.sync", "pg.receive"). SUSPENDS; a kill of the process
/// unwinds from here. REQUIRES: called on a fiber of a runtime.
Woken suspend(const char* label, Instant deadline, const std::function<void(Wakeup)>& start);

/// The clock of the runtime whose fiber is running. REQUIRES: called on a fiber of a runtime.
Instant current_time();

/// An I/O worker: runs jobs one at a time, in order. In production a thread (the job may block); in
/// the simulator a worker fiber outside the supervision tree (the job may suspend at each disk
/// operation). SQLite runs only here (design.md §5). Killing a process that waits for a job
/// abandons the wait, not the job.
class Worker {
 public:
  virtual ~Worker() = default;
  /// Runs `job` after those submitted before it; then fires `done`. Thread-safe.
  /// A job must not throw.
  virtual void submit(const char* label, std::function<void()> job, Wakeup done) = 0;
  /// Wakes when every job submitted so far has ended. SUSPENDS the calling fiber.
  virtual void drain() = 0;
};

/// Runs `f` on the worker and returns what it returned. SUSPENDS the calling process.
/// The result lives on the heap, shared with the job: the waiting process may be killed, and its
/// fiber unwound, while the job still runs.
template <class F>
auto run_job(Worker& worker, const char* label, F f) -> std::invoke_result_t<F> {
  using R = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<R>) {
    suspend(label, Instant::never(), [&](Wakeup done) {
      worker.submit(
          label, [f = std::make_shared<F>(std::move(f))]() mutable { (*f)(); }, done);
    });
  } else {
    auto result = std::make_shared<std::optional<R>>();
    suspend(label, Instant::never(), [&](Wakeup done) {
      worker.submit(
          label,
          [result, f = std::make_shared<F>(std::move(f))]() mutable { result->emplace((*f)()); },
          done);
    });
    ASSERT(result->has_value(), "a job's waiter is woken only after the job has ended");
    return std::move(**result);
  }
}

}  // namespace holdfast::runtime
