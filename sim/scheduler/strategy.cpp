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

Task& WeightedRandomStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                                     std::uint64_t) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < runnable.size(); ++i) total += 1 + runnable.at(i).hook.steps;
  std::uint64_t drawn = random_.draw(point.first, point.ordinal, point.repeat) % total;
  for (std::size_t i = 0; i < runnable.size(); ++i) {
    const std::uint64_t weight = 1 + runnable.at(i).hook.steps;
    if (drawn < weight) return runnable.at(i);
    drawn -= weight;
  }
  ASSERT(false, "what is drawn below the sum of all weights is within one of them");
}

RacingPairStrategy::RacingPairStrategy(std::uint64_t seed, unsigned pairs,
                                       std::uint64_t expected_steps)
    : random_(seed) {
  ASSERT(pairs >= 1, "a run of racing pairs has one");
  for (unsigned i = 0; i < pairs; ++i)
    reversals_.push_back(random_.draw(0, "racing.step", i) % expected_steps);
  std::sort(reversals_.begin(), reversals_.end());
}

Task& RacingPairStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                                 std::uint64_t step) {
  if (pair_.patience == 0 && next_ < reversals_.size() && step >= reversals_[next_]) {
    ++next_;
    const std::uint64_t drawn = random_.draw(point.first, point.ordinal, point.repeat);
    Task* other = &runnable.at(drawn % runnable.size());
    if (other == runnable.oldest()) other = &runnable.at((drawn + 1) % runnable.size());
    pair_ = {runnable.oldest()->path_hash(), other->path_hash(), k_patience};
  }
  if (pair_.patience == 0) return *runnable.oldest();
  --pair_.patience;
  Task* next = runnable.oldest();
  if (next->path_hash() == pair_.held) next = next->hook.next;
  if (next->path_hash() == pair_.other) pair_.patience = 0;
  return *next;
}

}  // namespace holdfast::sim
