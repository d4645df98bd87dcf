#include "core/production/libpq/session_thread.hpp"

#include <pthread.h>

#include <thread>

namespace holdfast::production {

void ThreadCount::began() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void ThreadCount::ended() {
  const std::lock_guard lock(mutex_);
  if (--count_ == 0) none_.notify_all();
}

bool ThreadCount::wait_until_none(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, limit, [this] { return count_ == 0; });
}

SessionThread::SessionThread(std::shared_ptr<ThreadCount> threads)
    : queue_(std::make_shared<Queue>()), interrupt_(std::make_shared<Interrupt>()) {
  threads->began();
  // Detached, and owning all that it touches: nobody on a fiber could wait for its end.
  std::thread thread([threads = std::move(threads), queue = queue_]() mutable {
    work(*queue);
    queue.reset();
    threads->ended();
  });
  ::pthread_setname_np(thread.native_handle(), "pg session");
  thread.detach();
}

SessionThread::~SessionThread() {
  interrupt_->fire();
  const std::lock_guard lock(queue_->mutex);
  queue_->closing = true;
  queue_->changed.notify_one();
}

void SessionThread::post(std::function<void()> job) {
  const std::lock_guard lock(queue_->mutex);
  queue_->jobs.push_back(std::move(job));
  queue_->changed.notify_one();
}

void SessionThread::work(Queue& queue) {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(queue.mutex);
      queue.changed.wait(lock, [&] { return queue.closing || !queue.jobs.empty(); });
      if (queue.jobs.empty()) return;
      job = std::move(queue.jobs.front());
      queue.jobs.pop_front();
    }
    job();
  }
}

void SessionThread::wait(const char* label, Instant deadline,
                         const std::function<void(runtime::Wakeup)>& start) {
  struct Unwound {
    Interrupt* interrupt;
    ~Unwound() {
      if (interrupt != nullptr) interrupt->fire();
    }
  } guard{interrupt_.get()};
  runtime::suspend(label, deadline, start);
  guard.interrupt = nullptr;
}

}  // namespace holdfast::production
