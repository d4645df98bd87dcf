#include "sim/scheduler/recorded_schedule.hpp"

#include <algorithm>

namespace holdfast::sim {
namespace {

using runtime::Task;

/// From the oldest task to the newest; `look` answers whether to go on.
template <class Look>
void each_by_age(const RunnableSet& runnable, Look look) {
  for (Task* task = runnable.oldest(); task != nullptr; task = task->hook.next)
    if (!look(*task)) return;
}

}  // namespace

RecordingStrategy::RecordingStrategy(std::unique_ptr<SchedulingStrategy> strategy)
    : strategy_(strategy != nullptr ? std::move(strategy) : std::make_unique<FifoStrategy>()) {}

Task& RecordingStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                                std::uint64_t step) {
  Task& oldest = *runnable.oldest();
  Task& chosen = strategy_->choose(runnable, point, step);
  const std::uint64_t occurrence = visits_[point]++;
  if (&chosen == &oldest) return chosen;
  std::uint64_t among_equals = 0;
  each_by_age(runnable, [&](const Task& task) {
    if (&task == &chosen) return false;
    if (task.path_hash() == chosen.path_hash()) ++among_equals;
    return true;
  });
  decisions_.push_back({.first = oldest.path(),
                        .ordinal = point.ordinal,
                        .repeat = point.repeat,
                        .occurrence = occurrence,
                        .instead = chosen.path(),
                        .among_equals = among_equals});
  return chosen;
}

ScriptedStrategy::ScriptedStrategy(const std::vector<ScheduleDecision>& decisions)
    : decisions_(decisions) {
  for (std::size_t i = 0; i < decisions_.size(); ++i) {
    const ScheduleDecision& decision = decisions_[i];
    const SchedulePoint point{hash64(decision.first), decision.ordinal, decision.repeat};
    script_[point][decision.occurrence] = {.instead = hash64(decision.instead),
                                           .among_equals = decision.among_equals,
                                           .used = false,
                                           .index = i};
  }
}

Task& ScriptedStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                               std::uint64_t) {
  Task* chosen = runnable.oldest();
  const auto at_point = script_.find(point);
  if (at_point == script_.end()) return *chosen;
  const auto found = at_point->second.find(visits_[point]++);
  if (found == at_point->second.end()) return *chosen;
  Entry& entry = found->second;
  std::uint64_t before = 0;
  each_by_age(runnable, [&](Task& task) {
    if (task.path_hash() != entry.instead || before++ != entry.among_equals) return true;
    entry.used = true;
    chosen = &task;
    return false;
  });
  return *chosen;
}

std::vector<ScheduleDecision> ScriptedStrategy::unused() const {
  std::vector<std::size_t> left;
  for (const auto& [point, occurrences] : script_)
    for (const auto& [occurrence, entry] : occurrences)
      if (!entry.used) left.push_back(entry.index);
  std::sort(left.begin(), left.end());
  std::vector<ScheduleDecision> unused;
  for (const std::size_t index : left) unused.push_back(decisions_[index]);
  return unused;
}

}  // namespace holdfast::sim
