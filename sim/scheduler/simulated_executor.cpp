#include "sim/scheduler/simulated_executor.hpp"

#include <algorithm>
#include <utility>

#include "core/runtime/process_record.hpp"
#include "core/runtime/runtime.hpp"
#include "sim/scheduler/simulated_worker.hpp"

namespace holdfast::sim {

using runtime::Task;

/// A happening of the world: waits for its time, is then runnable like any task, runs once.
class SimulatedExecutor::Event final : public Task, public runtime::TimerNode {
 public:
  Event(SimulatedExecutor& executor, std::uint64_t id, std::string path, const char* label,
        std::function<void()> happen)
      : Task(std::move(path)),
        executor_(executor),
        id_(id),
        label_(runtime::Label::of(label)),
        happen_(std::move(happen)) {}

  runtime::Label next_label() const override { return label_; }
  void run_step() override {
    const auto found = executor_.events_.find(id_);
    ASSERT(found != executor_.events_.end(), "a world event happens once");
    executor_.ended_event_ = std::move(found->second);
    executor_.events_.erase(found);
    const std::function<void()> happen = std::move(happen_);
    happen();
  }

 private:
  void fire() override { executor_.make_runnable(*this); }

  SimulatedExecutor& executor_;
  std::uint64_t id_;
  runtime::Label label_;
  std::function<void()> happen_;
};

struct SimulatedExecutor::Stall final : runtime::TimerNode {
  Stall(SimulatedExecutor& its_executor, Task& its_task) : executor(its_executor), task(its_task) {}
  void fire() override {
    const std::unique_ptr<Stall> self = std::move(executor.stalls_.at(&task));
    executor.stalls_.erase(&task);
    if (wanted) executor.make_runnable(task);
  }
  SimulatedExecutor& executor;
  Task& task;
  bool wanted = false;  ///< it became runnable meanwhile
};

SimulatedExecutor::SimulatedExecutor(SimulatedExecutorOptions options)
    : random_(options.seed),
      strategy_(options.strategy != nullptr ? std::move(options.strategy)
                                            : std::make_unique<FifoStrategy>()),
      step_cost_(options.step_cost),
      stacks_(options.stacks != nullptr ? options.stacks : &own_stacks_),
      trace_(options.trace_ring) {}

SimulatedExecutor::~SimulatedExecutor() {
  ASSERT(adopted_.empty() && busy_workers_ == 0,
         "workers have ended their jobs before their executor goes: call drain_workers()");
  ASSERT(workers_ == 0, "workers are destroyed before their executor");
  events_.clear();
  ended_event_ = nullptr;
  buried_ = nullptr;
  ASSERT(runnable_.empty(), "instances are destroyed before their executor");
}

// -- runtime::Executor ----------------------------------------------------------------------------

void SimulatedExecutor::make_runnable(Task& task) {
  if (task.hook.queued) return;
  if (on_runnable_) on_runnable_(task);
  if (!stalls_.empty()) {
    const auto stalled = stalls_.find(&task);
    if (stalled != stalls_.end()) {
      stalled->second->wanted = true;
      return;
    }
  }
  if (!frozen_.empty() && keep_frozen(task)) return;
  runnable_.add(task);
}

bool SimulatedExecutor::keep_frozen(Task& task) {
  for (Frozen& frozen : frozen_) {
    if (!task.path().starts_with(frozen.prefix)) continue;
    if (std::find(frozen.wanted.begin(), frozen.wanted.end(), &task) == frozen.wanted.end())
      frozen.wanted.push_back(&task);
    return true;
  }
  return false;
}

void SimulatedExecutor::forget(Task& task) {
  runnable_.remove(task);
  for (Frozen& frozen : frozen_) std::erase(frozen.wanted, &task);
  if (picked_ == &task) picked_ = nullptr;
  if (!stalls_.empty()) stalls_.erase(&task);
}

// -- steps ----------------------------------------------------------------------------------------

Task& SimulatedExecutor::pick() {
  Task& oldest = *runnable_.oldest();
  last_decision_ = 0;
  if (runnable_.size() == 1) return oldest;
  if (point_.first == oldest.path_hash() && point_.ordinal == oldest.hook.steps) {
    ++point_.repeat;
  } else {
    point_ = {.first = oldest.path_hash(), .ordinal = oldest.hook.steps, .repeat = 0};
  }
  Task& chosen = strategy_->choose(runnable_, point_, steps_);
  if (&chosen != &oldest) last_decision_ = chosen.path_hash();
  return chosen;
}

void SimulatedExecutor::run_picked(Task& task) {
  picked_ = &task;
  if (observer_) {
    observed_ = task.path();  // which goes with the process, and the observer may end that
    observer_({.step = steps_,
               .path = observed_,
               .label = task.next_label(),
               .at = clock_.now(),
               .process = task.process_id(),
               .instance = task.runtime()});
    if (picked_ == nullptr) return;  // the observer ended it
    picked_ = nullptr;
    if (!task.hook.queued) return;  // the observer stalled it
  }
  trace_.add({.step = steps_,
              .path = task.path(),
              .path_hash = task.path_hash(),
              .label = task.next_label(),
              .at = clock_.now(),
              .decision = last_decision_});
  picked_ = nullptr;
  runnable_.remove(task);
  ++task.hook.steps;
  task.run_step();
}

SimulatedExecutor::Progress SimulatedExecutor::step_once(Instant horizon) {
  ASSERT(runtime::Fiber::current() == nullptr, "the executor is driven from outside its fibers");
  ended_event_ = nullptr;
  buried_ = nullptr;
  if (runnable_.empty()) {
    const Instant next = timers_.next();
    if (next == Instant::never()) return Progress::quiet;
    if (next > horizon) return Progress::horizon;
    if (next > clock_.now()) clock_.advance_to(next);
  }
  if (clock_.now() > horizon) return Progress::horizon;
  while (timers_.fire_one(clock_.now())) {
  }
  if (runnable_.empty()) return Progress::stepped;  // a timer that led to nothing
  run_picked(pick());
  ++steps_;
  clock_.advance_to(clock_.now() + step_cost_);
  return Progress::stepped;
}

StopCause SimulatedExecutor::run_until(const std::function<bool()>& done, RunLimits limits) {
  const std::uint64_t last = steps_ + limits.most_steps;
  for (;;) {
    if (done && done()) return StopCause::predicate;
    if (steps_ >= last) return StopCause::step_limit;
    switch (step_once(limits.until)) {
      case Progress::stepped:
        break;
      case Progress::quiet:
        return StopCause::quiet;
      case Progress::horizon:
        return StopCause::time_limit;
    }
  }
}

StopCause SimulatedExecutor::run_until_quiet(RunLimits limits) {
  return run_until({}, limits);
}

StopCause SimulatedExecutor::run_for(Duration duration) {
  const Instant end = clock_.now() + duration;
  const StopCause cause = run_until({}, {.until = end});
  if (clock_.now() < end) clock_.advance_to(end);
  return cause;
}

void SimulatedExecutor::drain_workers() {
  const StopCause cause = run_until([this] { return busy_workers_ == 0; });
  ASSERT(cause == StopCause::predicate, "every job of a worker ends by itself");
}

// -- the world ------------------------------------------------------------------------------------

EventId SimulatedExecutor::at(Instant when, std::string path, const char* label,
                              std::function<void()> happen) {
  const std::uint64_t id = ++last_event_;
  auto event = std::make_unique<Event>(*this, id, std::move(path), label, std::move(happen));
  timers_.set(*event, std::max(when, clock_.now()));
  events_.emplace(id, std::move(event));
  return {id};
}

EventId SimulatedExecutor::after(Duration delay, std::string path, const char* label,
                                 std::function<void()> happen) {
  return at(clock_.now() + delay, std::move(path), label, std::move(happen));
}

void SimulatedExecutor::cancel(EventId event) {
  const auto found = events_.find(event.value);
  if (found == events_.end()) return;
  forget(*found->second);
  events_.erase(found);
}

void SimulatedExecutor::stall(runtime::Runtime& instance, runtime::ProcessId process,
                              Duration duration) {
  Task* const task = instance.find(process);
  if (task == nullptr) return;
  std::unique_ptr<Stall>& stall = stalls_[task];
  const bool wanted = task->hook.queued || (stall != nullptr && stall->wanted);
  stall = std::make_unique<Stall>(*this, *task);
  stall->wanted = wanted;
  runnable_.remove(*task);
  timers_.set(*stall, clock_.now() + duration);
}

void SimulatedExecutor::freeze(std::string prefix) {
  Frozen frozen{std::move(prefix), {}};
  for (Task* task = runnable_.oldest(); task != nullptr; task = task->hook.next)
    if (task->path().starts_with(frozen.prefix)) frozen.wanted.push_back(task);
  for (Task* task : frozen.wanted) runnable_.remove(*task);
  frozen_.push_back(std::move(frozen));
}

void SimulatedExecutor::thaw(const std::string& prefix) {
  const auto found = std::find_if(frozen_.begin(), frozen_.end(),
                                  [&](const Frozen& each) { return each.prefix == prefix; });
  if (found == frozen_.end()) return;
  const std::vector<Task*> wanted = std::move(found->wanted);
  frozen_.erase(found);
  for (Task* task : wanted) make_runnable(*task);
}

// -- workers --------------------------------------------------------------------------------------

void SimulatedExecutor::adopt(std::unique_ptr<WorkerTask> worker) {
  --workers_;
  if (worker->busy()) {
    worker->set_adopted();
    adopted_.push_back(std::move(worker));
  }
}

void SimulatedExecutor::bury(WorkerTask& worker) {
  const auto found = std::find_if(adopted_.begin(), adopted_.end(),
                                  [&](const auto& each) { return each.get() == &worker; });
  ASSERT(found != adopted_.end(), "only an adopted worker is buried");
  buried_ = std::move(*found);
  adopted_.erase(found);
}

}  // namespace holdfast::sim
