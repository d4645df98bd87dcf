// Several shards under the simulated executor: what crosses between them is in flight until a step
// of its own delivers it, so that the schedule decides when an exit signal or a message arrives, as
// it does under threads. One shard alone cannot show two processes that kill each other.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "core/runtime/signal.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"
#include "tests/runtime/executor_fixture.hpp"

namespace holdfast::test {

class SimulatedShards final : public ExecutorFixture, public runtime::Router {
 public:
  SimulatedShards(unsigned shards, std::unique_ptr<sim::SchedulingStrategy> strategy,
                  std::uint64_t seed)
      : executor_({.seed = seed, .strategy = std::move(strategy)}) {
    const auto directory = std::make_shared<runtime::Directory>();
    for (unsigned i = 0; i < shards; ++i) {
      runtimes_.push_back(std::make_unique<runtime::Runtime>(
          runtime::RuntimeOptions{.root = "t", .shard = i}, executor_, directory, this));
      inboxes_.push_back(std::make_unique<Inbox>(i, *this));
    }
  }
  ~SimulatedShards() override {
    for (const auto& each : runtimes_) each->destroy_all();
    for (const auto& each : inboxes_) executor_.forget(*each);
  }

  runtime::Runtime& runtime() override { return *runtimes_.front(); }
  std::unique_ptr<runtime::Worker> make_worker() override {
    return std::make_unique<sim::SimulatedWorker>(executor_, "/t/worker");
  }
  void settle() override { pass(std::chrono::milliseconds(200)); }
  void pass(Duration time) override {
    // What a test did from outside is applied as a whole, before any process runs.
    for (const auto& each : inboxes_) each->deliver_all();
    executor_.run_for(time);
  }

  unsigned shard_for(runtime::ProcessId, const runtime::SpawnOptions&) override {
    return next_shard_++ % static_cast<unsigned>(runtimes_.size());
  }
  void route(unsigned shard, runtime::Signal&& signal) override {
    inboxes_.at(shard)->push(std::move(signal));
  }

 private:
  class Inbox final : public runtime::Task {
   public:
    Inbox(unsigned shard, SimulatedShards& owner)
        : Task("/inbox/" + std::to_string(shard)), shard_(shard), owner_(owner) {}
    void push(runtime::Signal signal) {
      items_.push_back(std::move(signal));
      owner_.executor_.make_runnable(*this);
    }
    void run_step() override {
      runtime::Signal signal = std::move(items_.front());
      items_.pop_front();
      owner_.runtimes_[shard_]->apply(std::move(signal));
      if (!items_.empty()) owner_.executor_.make_runnable(*this);
    }
    runtime::Label next_label() const override { return runtime::Label::of("deliver"); }
    void deliver_all() {
      while (!items_.empty()) run_step();
      owner_.executor_.forget(*this);
    }

   private:
    unsigned shard_;
    SimulatedShards& owner_;
    std::deque<runtime::Signal> items_;
  };

  sim::SimulatedExecutor executor_;
  std::vector<std::unique_ptr<runtime::Runtime>> runtimes_;
  std::vector<std::unique_ptr<Inbox>> inboxes_;
  unsigned next_shard_ = 0;
};

}  // namespace holdfast::test
