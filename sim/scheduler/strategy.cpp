#include "sim/scheduler/strategy.hpp"

#include <algorithm>

namespace holdfast::sim {

using runtime::Task;

Task& UniformRandomStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                                    std::uint64_t) {
  const std::uint64_t drawn = random_.draw(point.first, point.ordinal, point.repeat);
  return runnable.at(drawn % runnable.size());
}

PctStrategy::PctStrategy(std::uint64_t seed, unsigned depth, std::uint64_t expected_steps)
    : random_(seed), depth_(depth) {
  ASSERT(depth >= 1, "PCT needs a depth of at least one");
  for (unsigned i = 0; i + 1 < depth; ++i)
    change_points_.push_back(random_.draw(0, "pct.change_point", i) % expected_steps);
  std::sort(change_points_.begin(), change_points_.end());
}

std::int64_t PctStrategy::priority_of(Task& task) {
  if (!task.hook.prioritised) {
    task.hook.prioritised = true;
    // Always above zero; what a change point lowers is below.
    task.hook.priority =
        static_cast<std::int64_t>(random_.draw(task.path_hash(), "pct.priority", 0) >> 2) + 1;
  }
  return task.hook.priority;
}

Task& PctStrategy::highest(const RunnableSet& runnable) {
  Task* best = &runnable.at(0);
  for (std::size_t i = 1; i < runnable.size(); ++i) {
    Task& other = runnable.at(i);
    const std::int64_t difference = priority_of(other) - priority_of(*best);
    if (difference > 0 || (difference == 0 && other.path_hash() > best->path_hash())) best = &other;
  }
  return *best;
}

Task& PctStrategy::choose(const RunnableSet& runnable, const SchedulePoint&, std::uint64_t step) {
  while (next_change_ < change_points_.size() && step >= change_points_[next_change_]) {
    Task& lowered = highest(runnable);
    ++next_change_;
    priority_of(lowered);
    lowered.hook.priority = -static_cast<std::int64_t>(next_change_);
  }
  return highest(runnable);
}

}  // namespace holdfast::sim
