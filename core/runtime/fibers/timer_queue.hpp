// Points of time at which something is to happen: an indexed heap of intrusive nodes, so that the
// deadline of a call costs no allocation and a cancelled one leaves nothing behind. One a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.hpp"

namespace holdfast::runtime {

class TimerQueue;

/// Leaves its queue when destroyed.
class TimerNode {
 public:
  TimerNode() = default;
  virtual ~TimerNode();
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;

  bool set() const { return queue_ != nullptr; }
  Instant at() const { return at_; }

 protected:
  /// The time has come; the node has left the queue and may be set again or destroyed.
  virtual void fire() = 0;

 private:
  friend class TimerQueue;
  TimerQueue* queue_ = nullptr;
  Instant at_;
  std::uint64_t order_ = 0;  // equal times fire in the order in which they were set
  std::size_t position_ = 0;
};

class TimerQueue {
 public:
  TimerQueue() = default;
  /// REQUIRES: no timer is set any more.
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// REQUIRES: !node.set(). A node set to Instant::never() is not kept.
  void set(TimerNode& node, Instant at);
  void cancel(TimerNode& node);
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// The earliest point of time; Instant::never() if there is none.
  Instant next() const { return heap_.empty() ? Instant::never() : heap_.front()->at_; }
  /// Fires the earliest timer if it is due. False: none was.
  bool fire_one(Instant now);

 private:
  static bool before(const TimerNode& a, const TimerNode& b);
  void place(std::size_t position, TimerNode* node);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<TimerNode*> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace holdfast::runtime
