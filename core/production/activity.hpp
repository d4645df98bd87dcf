// Counts what is going on: busy shards and unfinished jobs. Zero means that nothing happens any
// more unless a timer or somebody outside makes it happen. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace holdfast::production {

class Activity {
 public:
  /// Called by whoever causes the activity, while itself still counted or outside.
  void began() { running_.fetch_add(1, std::memory_order_relaxed); }
  void ended() {
    if (running_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::lock_guard lock(mutex_);
    none_.notify_all();
  }
  bool none() const { return running_.load(std::memory_order_acquire) == 0; }
  /// False: something was still going on when `limit` had passed.
  bool wait_until_none(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, limit, [this] { return none(); });
  }

 private:
  std::atomic<std::int64_t> running_{0};
  std::mutex mutex_;
  std::condition_variable none_;
};

}  // namespace holdfast::production
