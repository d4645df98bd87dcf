// The tasks that could run now: in order of becoming runnable for FIFO, by position for random
// choice. Adding, removing and finding the oldest are O(1).
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/assert.hpp"
#include "core/runtime/fibers/task.hpp"

namespace holdfast::sim {

class RunnableSet {
 public:
  bool empty() const { return oldest_ == nullptr; }
  std::size_t size() const { return by_position_.size(); }
  runtime::Task* oldest() const { return oldest_; }
  /// In an order that depends on the run alone.
  runtime::Task& at(std::size_t position) const { return *by_position_[position]; }

  /// REQUIRES: not in the set.
  void add(runtime::Task& task) {
    runtime::SchedulerHook& hook = task.hook;
    ASSERT(!hook.queued, "a task is in the set once");
    hook.queued = true;
    hook.previous = newest_;
    hook.next = nullptr;
    (newest_ == nullptr ? oldest_ : newest_->hook.next) = &task;
    newest_ = &task;
    hook.position = by_position_.size();
    by_position_.push_back(&task);
  }

  void remove(runtime::Task& task) {
    runtime::SchedulerHook& hook = task.hook;
    if (!hook.queued) return;
    hook.queued = false;
    (hook.previous == nullptr ? oldest_ : hook.previous->hook.next) = hook.next;
    (hook.next == nullptr ? newest_ : hook.next->hook.previous) = hook.previous;
    runtime::Task* const last = by_position_.back();
    by_position_[hook.position] = last;
    last->hook.position = hook.position;
    by_position_.pop_back();
  }

 private:
  runtime::Task* oldest_ = nullptr;
  runtime::Task* newest_ = nullptr;
  std::vector<runtime::Task*> by_position_;
};

}  // namespace holdfast::sim
