#include "core/production/shard.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::production {
namespace {

/// Steps between two looks at the inbox and the clock: messages from other shards and timers wait
/// for at most this many, and the lock costs little per step.
constexpr int k_steps_per_round = 64;
/// A wait that is longer is begun again: some C libraries overflow with the largest durations.
constexpr Duration k_longest_wait = std::chrono::hours(1);

thread_local const Shard* shard_of_this_thread = nullptr;

}  // namespace

Shard::Shard(runtime::RuntimeOptions options, std::shared_ptr<runtime::Directory> directory,
             runtime::Router& router, Activity& activity, env::Clock& clock, env::Random& random)
    : activity_(activity),
      clock_(clock),
      random_(random),
      runtime_(std::move(options), *this, std::move(directory), &router) {}

Shard::~Shard() {
  ASSERT(!thread_.joinable(), "a shard is joined before it is destroyed");
}

bool Shard::on_own_thread() const {
  return shard_of_this_thread == this;
}

void Shard::start() {
  activity_.began();
  const std::string name = "shard/" + std::to_string(runtime_.options().shard);
  thread_ = std::thread([this] { loop(); });
  ::pthread_setname_np(thread_.native_handle(), name.c_str());
}

void Shard::join() {
  post(Command([this] { ending_ = true; }));
  thread_.join();
  // Nobody will read what arrives from now on; signals hold messages that want to be destroyed.
  std::vector<Item> unread;
  const std::lock_guard lock(mutex_);
  unread.swap(inbox_);
}

// -- inbox ----------------------------------------------------------------------------------------

void Shard::rouse() {
  if (!resting_) return;
  resting_ = false;
  activity_.began();
  roused_.notify_one();
}

void Shard::post(Item item) {
  const std::lock_guard lock(mutex_);
  inbox_.push_back(std::move(item));
  rouse();
}

void Shard::look_at_clock() {
  const std::lock_guard lock(mutex_);
  rouse();
}

void Shard::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void Shard::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  roused_.notify_one();
}

Instant Shard::earliest_timer() {
  const std::lock_guard lock(mutex_);
  return earliest_timer_;
}

void Shard::rest(std::unique_lock<std::mutex>& lock) {
  earliest_timer_ = timers_.next();
  resting_ = true;
  activity_.ended();
  while (resting_) {
    const Duration left = std::min(earliest_timer_ - clock_.now(), k_longest_wait);
    if (left <= Duration::zero()) return rouse();
    roused_.wait_for(lock, left);
  }
}

void Shard::take_inbox(std::vector<Item>& into) {
  std::unique_lock lock(mutex_);
  if (inbox_.empty() && first_ == nullptr && timers_.next() > clock_.now()) rest(lock);
  roused_.wait(lock, [this] { return !held_; });
  into.swap(inbox_);
}

// -- the loop -------------------------------------------------------------------------------------

void Shard::loop() {
  shard_of_this_thread = this;
  std::vector<Item> batch;
  while (!ending_) {
    take_inbox(batch);
    for (Item& item : batch) handle(item);
    batch.clear();
    const Instant now = clock_.now();
    while (timers_.fire_one(now)) {
    }
    for (int i = 0; i < k_steps_per_round && first_ != nullptr; ++i) run_one();
  }
  shard_of_this_thread = nullptr;
  activity_.ended();
}

void Shard::handle(Item& item) {
  if (auto* const signal = std::get_if<runtime::Signal>(&item)) {
    runtime_.apply(std::move(*signal));
  } else if (auto* const state = std::get_if<std::shared_ptr<runtime::Wakeup::State>>(&item)) {
    runtime::deliver_wake(*state);
  } else {
    std::get<Command>(item)();
  }
}

void Shard::run_one() {
  runtime::Task& task = *first_;
  forget(task);
  ++task.hook.steps;
  task.run_step();
}

// -- runtime::Executor ----------------------------------------------------------------------------

void Shard::make_runnable(runtime::Task& task) {
  if (task.hook.queued) return;
  task.hook.queued = true;
  task.hook.previous = last_;
  task.hook.next = nullptr;
  (last_ == nullptr ? first_ : last_->hook.next) = &task;
  last_ = &task;
}

void Shard::forget(runtime::Task& task) {
  if (!task.hook.queued) return;
  task.hook.queued = false;
  (task.hook.previous == nullptr ? first_ : task.hook.previous->hook.next) = task.hook.next;
  (task.hook.next == nullptr ? last_ : task.hook.next->hook.previous) = task.hook.previous;
}

void Shard::wake(std::shared_ptr<runtime::Wakeup::State> state) {
  if (on_own_thread()) return runtime::deliver_wake(state);
  post(std::move(state));
}

}  // namespace holdfast::production
