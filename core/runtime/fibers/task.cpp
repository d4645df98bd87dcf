#include "core/runtime/fibers/task.hpp"

#include <exception>

#include "core/runtime/executor.hpp"

namespace holdfast::runtime {

FiberTask::FiberTask(std::string path, Executor& executor)
    : Task(std::move(path)), executor_(executor), deadline_(*this) {}

FiberTask::~FiberTask() {
  ASSERT(!on_fiber(), "a task is destroyed only after its fiber ended");
}

FiberTask* FiberTask::current() {
  Fiber* const fiber = Fiber::current();
  return fiber == nullptr ? nullptr : static_cast<FiberTask*>(fiber->body());
}

void FiberTask::begin_wait(Label label) {
  ASSERT(current() == this, "a task suspends only itself, on its own fiber");
  ASSERT(!waiting_, "a task waits for one thing at a time");
  ASSERT(std::uncaught_exceptions() == 0, "destructors never suspend");
  check_interrupt();
  waiting_ = true;
  deadline_passed_ = false;
  wait_label_ = label;
}

Woken FiberTask::finish_wait(Instant deadline) {
  if (waiting_) executor_.timers().set(deadline_, deadline);
  Fiber::yield();
  ASSERT(!waiting_, "a suspended task goes on only after it was woken");
  check_interrupt();
  return deadline_passed_ ? Woken::deadline : Woken::fired;
}

void FiberTask::abandon_wait() {
  if (!waiting_) executor_.forget(*this);  // it was woken before it could yield
  waiting_ = false;
}

void FiberTask::wake() {
  if (!waiting_) return;
  waiting_ = false;
  if (deadline_.set()) executor_.timers().cancel(deadline_);
  executor_.make_runnable(*this);
}

void FiberTask::Deadline::fire() {
  task.deadline_passed_ = true;
  task.wake();
}

void FiberTask::run_fiber(FiberPool& pool) {
  if (fiber_ == nullptr) {
    fiber_ = pool.acquire();
    fiber_->assign(*this);
  }
  fiber_->resume();
  if (fiber_->idle()) pool.release(std::move(fiber_));
}

}  // namespace holdfast::runtime
