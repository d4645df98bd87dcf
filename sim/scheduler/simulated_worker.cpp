#include "sim/scheduler/simulated_worker.hpp"

#include <utility>

#include "core/base/assert.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::sim {

WorkerTask::WorkerTask(std::string path, SimulatedExecutor& executor)
    : FiberTask(std::move(path), executor), executor_(executor) {}

void WorkerTask::submit(const char* label, std::function<void()> job, runtime::Wakeup done) {
  if (!busy()) executor_.busy_workers_changed(+1);
  jobs_.push_back({runtime::Label::of(label), std::move(job), std::move(done)});
  if (!on_fiber()) executor_.make_runnable(*this);
}

runtime::Label WorkerTask::next_label() const {
  if (on_fiber()) return wait_label();
  return jobs_.empty() ? runtime::Label::of("nothing") : jobs_.front().label;
}

void WorkerTask::run_step() {
  run_fiber(executor_.worker_fibers());
  if (on_fiber()) return;
  if (!jobs_.empty()) {
    executor_.make_runnable(*this);
    return;
  }
  executor_.busy_workers_changed(-1);
  if (adopted_) executor_.bury(*this);
}

void WorkerTask::body() noexcept {
  ASSERT(!jobs_.empty(), "a worker runs only when it has a job");
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  job.run();          // an exception ends the program: a job must not throw
  job.run = nullptr;  // what it holds is destroyed here, where it may suspend
  job.done.fire();
}

SimulatedWorker::SimulatedWorker(SimulatedExecutor& executor, std::string path)
    : executor_(executor), task_(std::make_unique<WorkerTask>(std::move(path), executor)) {
  executor_.add_worker();
}

SimulatedWorker::~SimulatedWorker() {
  executor_.adopt(std::move(task_));
}

void SimulatedWorker::submit(const char* label, std::function<void()> job, runtime::Wakeup done) {
  task_->submit(label, std::move(job), std::move(done));
}

void SimulatedWorker::drain() {
  runtime::suspend("worker.drain", Instant::never(), [&](runtime::Wakeup done) {
    submit(
        "worker.drain", [] {}, std::move(done));
  });
}

}  // namespace holdfast::sim
