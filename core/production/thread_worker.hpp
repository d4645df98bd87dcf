// runtime::Worker on a thread of its own: where SQLite and other blocking calls run in production.
// Destroyed outside fibers, after the processes that use it; finishes its jobs first.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "core/production/activity.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::production {

class ThreadWorker final : public runtime::Worker {
 public:
  /// `name` shows in debuggers and `top`, up to 15 bytes. `activity` outlives the worker.
  ThreadWorker(const std::string& name, Activity& activity);
  ~ThreadWorker() override;

  void submit(const char* label, std::function<void()> job, runtime::Wakeup done) override;
  void drain() override;

 private:
  struct Job {
    std::function<void()> run;
    runtime::Wakeup done;
  };
  void work();

  Activity& activity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace holdfast::production
