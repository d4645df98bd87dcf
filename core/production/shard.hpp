// One thread of the threaded executor. Its tasks and timers are touched by that thread
// only. The inbox is a vector under a mutex: it is emptied in one exchange, so
// that a busy shard takes the lock once for many messages.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "core/production/activity.hpp"
#include "core/runtime/executor.hpp"
#include "core/runtime/runtime.hpp"

namespace holdfast::production {

class Shard final : public runtime::Executor {
 public:
  using Command = std::function<void()>;
  using Item = std::variant<runtime::Signal, std::shared_ptr<runtime::Wakeup::State>, Command>;

  Shard(runtime::RuntimeOptions options, std::shared_ptr<runtime::Directory> directory,
        runtime::Router& router, Activity& activity, env::Clock& clock, env::Random& random);
  ~Shard() override;

  void start();
  /// Posts the end of the loop and joins the thread.
  void join();
  runtime::Runtime& runtime() { return runtime_; }

  // -- any thread ---------------------------------------------------------------------------------

  void post(Item item);
  void look_at_clock();
  /// Takes nothing from the inbox until it is released, so that what is posted meanwhile is applied
  /// before any step. REQUIRES: at rest.
  void hold();
  void release();
  /// When the shard would wake by itself, as of its going to rest.
  Instant earliest_timer();

  // -- runtime::Executor --------------------------------------------------------------------------

  void make_runnable(runtime::Task& task) override;
  void forget(runtime::Task& task) override;
  runtime::TimerQueue& timers() override { return timers_; }
  runtime::FiberPool& fibers() override { return fibers_; }
  env::Clock& clock() override { return clock_; }
  env::Random& random() override { return random_; }
  void wake(std::shared_ptr<runtime::Wakeup::State> state) override;

 private:
  void loop();
  void take_inbox(std::vector<Item>& into);
  void rest(std::unique_lock<std::mutex>& lock);
  /// Under the mutex: the shard has something to do from now on.
  void rouse();
  void handle(Item& item);
  void run_one();
  bool on_own_thread() const;

  Activity& activity_;
  env::Clock& clock_;
  env::Random& random_;
  runtime::TimerQueue timers_;
  runtime::FiberPool fibers_;
  // Runnable tasks in order of becoming so, linked through their hooks.
  runtime::Task* first_ = nullptr;
  runtime::Task* last_ = nullptr;
  bool ending_ = false;
  runtime::Runtime runtime_;  // after what its processes use

  std::mutex mutex_;
  std::condition_variable roused_;
  std::vector<Item> inbox_;
  bool resting_ = false;
  bool held_ = false;
  Instant earliest_timer_ = Instant::never();
  std::thread thread_;
};

}  // namespace holdfast::production
