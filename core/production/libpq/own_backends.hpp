// The server's processes behind this process's own replication sessions, which the lock breaker
// must spare (postgres.md §7.2). Thread-safe.
#pragma once

#include <mutex>
#include <set>
#include <vector>

namespace holdfast::production {

class OwnBackends {
 public:
  void add(int pid) {
    const std::lock_guard lock(mutex_);
    pids_.insert(pid);
  }
  void remove(int pid) {
    const std::lock_guard lock(mutex_);
    pids_.erase(pid);
  }
  std::vector<int> list() const {
    const std::lock_guard lock(mutex_);
    return {pids_.begin(), pids_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::set<int> pids_;
};

}  // namespace holdfast::production
