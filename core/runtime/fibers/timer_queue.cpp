#include "core/runtime/fibers/timer_queue.hpp"

#include "core/base/assert.hpp"

namespace holdfast::runtime {

TimerNode::~TimerNode() {
  if (queue_ != nullptr) queue_->cancel(*this);
}

TimerQueue::~TimerQueue() {
  ASSERT(heap_.empty(), "a timer queue outlives its timers");
}

bool TimerQueue::before(const TimerNode& a, const TimerNode& b) {
  return a.at_ != b.at_ ? a.at_ < b.at_ : a.order_ < b.order_;
}

void TimerQueue::place(std::size_t position, TimerNode* node) {
  heap_[position] = node;
  node->position_ = position;
}

void TimerQueue::set(TimerNode& node, Instant at) {
  ASSERT(!node.set(), "a timer is set once at a time");
  if (at == Instant::never()) return;
  node.queue_ = this;
  node.at_ = at;
  node.order_ = next_order_++;
  heap_.push_back(&node);
  node.position_ = heap_.size() - 1;
  sift_up(node.position_);
}

void TimerQueue::cancel(TimerNode& node) {
  if (!node.set()) return;
  ASSERT(node.queue_ == this, "a timer is cancelled in the queue in which it was set");
  const std::size_t hole = node.position_;
  node.queue_ = nullptr;
  TimerNode* const last = heap_.back();
  heap_.pop_back();
  if (last == &node) return;
  place(hole, last);
  sift_up(hole);
  sift_down(last->position_);
}

bool TimerQueue::fire_one(Instant now) {
  if (heap_.empty() || heap_.front()->at_ > now) return false;
  TimerNode& node = *heap_.front();
  cancel(node);
  node.fire();
  return true;
}

void TimerQueue::sift_up(std::size_t position) {
  TimerNode* const node = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(*node, *heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, node);
}

void TimerQueue::sift_down(std::size_t position) {
  TimerNode* const node = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *node)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, node);
}

}  // namespace holdfast::runtime
