// The threaded executor behind the fixture of tests/runtime, so that the same suite says what both
// executors must do. Time jumps: when nothing is left to do but waiting, the clock goes to the next
// timer, as the simulator's does, and a test that sleeps ten seconds takes microseconds. And it
// stands still outside settle() and pass(): what a test does in between is applied as a whole.
#pragma once

#include <atomic>
#include <memory>

#include "core/base/hash.hpp"
#include "core/production/system_random.hpp"
#include "core/production/thread_worker.hpp"
#include "core/production/threaded_executor.hpp"
#include "tests/runtime/executor_fixture.hpp"

namespace holdfast::test {

/// Stands still until it is told to go on. Thread-safe.
class JumpingClock final : public env::Clock {
 public:
  Instant now() const override { return {Duration(now_.load(std::memory_order_acquire))}; }
  WallTime wall_time() const override { return {1'700'000'000'000'000 + now_.load() / 1'000}; }
  void jump_to(Instant later) {
    if (later > now()) now_.store(later.since_start.count(), std::memory_order_release);
  }

 private:
  std::atomic<std::int64_t> now_{0};
};

/// One shard after the other, whatever the process: as much as possible crosses shards.
inline production::Placement round_robin() {
  const auto next = std::make_shared<std::atomic<unsigned>>(0);
  return [next](runtime::ProcessId, const runtime::SpawnOptions&, unsigned shards) {
    return next->fetch_add(1) % shards;
  };
}

class ThreadedFixture final : public ExecutorFixture {
 public:
  explicit ThreadedFixture(unsigned shards = 3, production::Placement placement = round_robin())
      : executor({.root = "t", .shards = shards, .placement = std::move(placement)}, clock,
                 random) {
    rest();
    executor.hold();
  }
  ~ThreadedFixture() override { executor.stop(); }

  runtime::Runtime& runtime() override { return executor.runtime(); }

  std::unique_ptr<runtime::Worker> make_worker() override { return executor.make_worker("test"); }
  void settle() override { pass(std::chrono::milliseconds(200)); }

  void pass(Duration time) override {
    executor.release();
    const Instant end = clock.now() + time;
    for (Instant next = rest(); next <= end; next = rest()) jump(next);
    jump(end);
    rest();
    executor.hold();
  }

  JumpingClock clock;
  production::SystemRandom random{Hash128{1, 2}};
  production::ThreadedExecutor executor;

 private:
  Instant rest() {
    const auto next = executor.wait_until_at_rest(std::chrono::seconds(60));
    ASSERT(next.has_value(), "the test's processes come to rest");
    return *next;
  }
  void jump(Instant to) {
    clock.jump_to(to);
    executor.look_at_clock();
  }
};

}  // namespace holdfast::test
