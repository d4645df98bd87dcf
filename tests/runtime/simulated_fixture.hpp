// The simulated executor with one instance, for runtime tests.
#pragma once

#include <memory>
#include <utility>

#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"
#include "tests/runtime/executor_fixture.hpp"

namespace holdfast::test {

class SimulatedFixture final : public ExecutorFixture {
 public:
  explicit SimulatedFixture(std::unique_ptr<sim::SchedulingStrategy> strategy = nullptr,
                            std::uint64_t seed = 1)
      : executor({.seed = seed, .strategy = std::move(strategy)}),
        instance({.root = "t"}, executor, std::make_shared<runtime::Directory>()) {}

  runtime::Runtime& runtime() override { return instance; }
  std::unique_ptr<runtime::Worker> make_worker() override {
    return std::make_unique<sim::SimulatedWorker>(executor, "/t/worker");
  }
  void settle() override { executor.run_for(std::chrono::milliseconds(200)); }
  void pass(Duration time) override { executor.run_for(time); }

  sim::SimulatedExecutor executor;
  runtime::Runtime instance;
};

}  // namespace holdfast::test
