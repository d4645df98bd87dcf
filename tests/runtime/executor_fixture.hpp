// Under which executor a runtime test runs. Tests use only this interface, so that the same suite
// can run under the simulated and the threaded executor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/runtime/runtime.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::test {

class ExecutorFixture {
 public:
  virtual ~ExecutorFixture() = default;
  virtual runtime::Runtime& runtime() = 0;
  /// Runs until nothing is left to do but what waits for messages that will never come.
  virtual void settle() = 0;
  /// Lets that much time pass.
  virtual void pass(Duration time) = 0;
};

class SimulatedFixture final : public ExecutorFixture {
 public:
  explicit SimulatedFixture(std::unique_ptr<sim::SchedulingStrategy> strategy = nullptr,
                            std::uint64_t seed = 1)
      : executor({.seed = seed, .strategy = std::move(strategy)}),
        instance({.root = "t"}, executor, std::make_shared<runtime::Directory>()) {}

  runtime::Runtime& runtime() override { return instance; }
  void settle() override {
    ASSERT(executor.run_until_quiet({.most_steps = 2'000'000}) == sim::StopCause::quiet,
           "the test's processes come to rest");
  }
  void pass(Duration time) override { executor.run_for(time); }

  sim::SimulatedExecutor executor;
  runtime::Runtime instance;
};

}  // namespace holdfast::test
