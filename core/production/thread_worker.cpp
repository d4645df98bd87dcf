#include "core/production/thread_worker.hpp"

#include <pthread.h>

#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::production {

ThreadWorker::ThreadWorker(const std::string& name, Activity& activity) : activity_(activity) {
  thread_ = std::thread([this] { work(); });
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

ThreadWorker::~ThreadWorker() {
  ASSERT(thread_.get_id() != std::this_thread::get_id(), "a job does not destroy its worker");
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void ThreadWorker::submit(const char*, std::function<void()> job, runtime::Wakeup done) {
  activity_.began();
  const std::lock_guard lock(mutex_);
  ASSERT(!closing_, "no job is submitted to a worker that is being destroyed");
  jobs_.push_back({std::move(job), std::move(done)});
  changed_.notify_one();
}

void ThreadWorker::drain() {
  runtime::suspend("worker.drain", Instant::never(), [this](runtime::Wakeup done) {
    submit(
        "worker.drain", [] {}, std::move(done));
  });
}

void ThreadWorker::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.run();
    job.run = nullptr;  // what it holds is destroyed here, where it may block
    if (job.done.state != nullptr) job.done.fire();
    activity_.ended();
  }
}

}  // namespace holdfast::production
