// The thread on which one database session blocks, while the process that called it is suspended.
// Destroying it, on a fiber or not, never waits: what runs is interrupted, and the thread ends by
// itself after the jobs that are left. Threads that are still ending are counted, so that a
// Database can give them time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/production/libpq/connection.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::production {

/// How many session threads there are. Thread-safe.
class ThreadCount {
 public:
  void began();
  void ended();
  /// False: some had not ended after `limit`.
  bool wait_until_none(std::chrono::milliseconds limit);

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  unsigned count_ = 0;
};

class SessionThread {
 public:
  explicit SessionThread(std::shared_ptr<ThreadCount> threads);
  ~SessionThread();
  SessionThread(const SessionThread&) = delete;
  SessionThread& operator=(const SessionThread&) = delete;

  /// Connections of this thread use it, and end when it fires.
  const std::shared_ptr<Interrupt>& interrupt() const { return interrupt_; }

  /// Runs `job` after those before it; nobody waits. Jobs own what they use: they may run after
  /// this object's destruction, and are destroyed on the thread.
  void post(std::function<void()> job);

  /// Runs `f` like a posted job and returns what it returned. SUSPENDS the calling process; if that
  /// is killed meanwhile, the session is interrupted.
  template <class F>
  auto run(const char* label, F f) -> std::invoke_result_t<F> {
    using R = std::invoke_result_t<F>;
    auto result = std::make_shared<std::optional<R>>();
    wait(label, Instant::never(), [&](runtime::Wakeup done) {
      post([result, done, work = std::make_shared<F>(std::move(f))]() mutable {
        result->emplace((*work)());
        work.reset();
        done.fire();
      });
    });
    ASSERT(result->has_value(), "whoever waits for a job is woken by its end");
    return std::move(**result);
  }

  /// runtime::suspend(), but a kill of the process interrupts the session. SUSPENDS.
  void wait(const char* label, Instant deadline, const std::function<void(runtime::Wakeup)>& start);

 private:
  struct Queue {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> jobs;
    bool closing = false;
  };
  static void work(Queue& queue);

  std::shared_ptr<Queue> queue_;
  std::shared_ptr<Interrupt> interrupt_;
};

}  // namespace holdfast::production
