// The I/O worker of an instance in the simulator: a fiber outside every supervision tree. Its jobs
// may suspend at each disk operation. Nothing unwinds it: when its instance is killed, the jobs it
// has go on until they have returned (SQLite must), on disk handles that no longer have an effect.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/runtime/fibers/task.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::sim {

class SimulatedExecutor;

/// The schedulable half; outlives its SimulatedWorker while a job runs.
class WorkerTask final : public runtime::FiberTask {
 public:
  WorkerTask(std::string path, SimulatedExecutor& executor);
  void submit(const char* label, std::function<void()> job, runtime::Wakeup done);
  bool busy() const { return on_fiber() || !jobs_.empty(); }
  void set_adopted() { adopted_ = true; }

  void run_step() override;
  runtime::Label next_label() const override;

 private:
  struct Job {
    runtime::Label label;
    std::function<void()> run;
    runtime::Wakeup done;
  };
  void body() noexcept override;

  SimulatedExecutor& executor_;
  std::deque<Job> jobs_;
  bool adopted_ = false;
};

class SimulatedWorker final : public runtime::Worker {
 public:
  /// `path` names it in traces, e.g. "/a/worker".
  SimulatedWorker(SimulatedExecutor& executor, std::string path);
  ~SimulatedWorker() override;
  SimulatedWorker(const SimulatedWorker&) = delete;
  SimulatedWorker& operator=(const SimulatedWorker&) = delete;

  void submit(const char* label, std::function<void()> job, runtime::Wakeup done) override;
  void drain() override;
  bool busy() const { return task_->busy(); }

 private:
  SimulatedExecutor& executor_;
  std::unique_ptr<WorkerTask> task_;
};

}  // namespace holdfast::sim
