#include "core/runtime/suspend.hpp"

#include "core/runtime/executor.hpp"
#include "core/runtime/fibers/task.hpp"

namespace holdfast::runtime {
namespace {

/// Takes the task away from a Wakeup when the suspension ends, however it ends.
class Detach {
 public:
  explicit Detach(Wakeup::State& state) : state_(state) {}
  ~Detach() {
    const SpinGuard guard(state_.lock);
    state_.task = nullptr;
  }
  Detach(const Detach&) = delete;
  Detach& operator=(const Detach&) = delete;

 private:
  Wakeup::State& state_;
};

}  // namespace

void Wakeup::fire() const {
  if (state == nullptr) return;
  Executor* executor = nullptr;
  {
    const SpinGuard guard(state->lock);
    if (state->task == nullptr) return;
    executor = state->executor;
  }
  executor->wake(state);
}

void deliver_wake(const std::shared_ptr<Wakeup::State>& state) {
  FiberTask* task = nullptr;
  {
    const SpinGuard guard(state->lock);
    task = std::exchange(state->task, nullptr);
  }
  if (task != nullptr) task->wake();
}

Woken suspend(const char* label, Instant deadline, const std::function<void(Wakeup)>& start) {
  FiberTask* const task = FiberTask::current();
  ASSERT(task != nullptr, "suspend() is called on a fiber of a runtime");
  task->begin_wait(Label::of(label));
  const auto state = std::make_shared<Wakeup::State>();
  state->task = task;
  state->executor = &task->executor();
  const Detach detach(*state);
  try {
    start(Wakeup{state});
  } catch (...) {
    task->abandon_wait();
    throw;
  }
  return task->finish_wait(deadline);
}

Instant current_time() {
  FiberTask* const task = FiberTask::current();
  ASSERT(task != nullptr, "current_time() is called on a fiber of a runtime");
  return task->executor().clock().now();
}

}  // namespace holdfast::runtime
