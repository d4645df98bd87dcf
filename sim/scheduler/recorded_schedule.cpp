#include "sim/scheduler/recorded_schedule.hpp"

#include <algorithm>

namespace holdfast::sim {
namespace {

using runtime::Task;

bool alike(const Task& a, const Task& b) {
  return a.path_hash() == b.path_hash() && a.hook.steps == b.hook.steps;
}

/// How many runnable tasks of the same path and ordinal are older.
std::uint64_t older_equals(const RunnableSet& runnable, const Task& task) {
  std::uint64_t older = 0;
  for (const Task* each = runnable.oldest(); each != &task; each = each->hook.next)
    older += alike(*each, task) ? 1 : 0;
  return older;
}

}  // namespace

RecordingStrategy::RecordingStrategy(std::unique_ptr<SchedulingStrategy> strategy)
    : strategy_(strategy != nullptr ? std::move(strategy) : std::make_unique<FifoStrategy>()) {}

Task& RecordingStrategy::choose(const RunnableSet& runnable, const SchedulePoint& point,
                                std::uint64_t step) {
  Task& chosen = strategy_->choose(runnable, point, step);
  for (Task* task = runnable.oldest(); task != &chosen; task = task->hook.next) {
    const std::uint64_t older = older_equals(runnable, *task);
    const std::uint64_t before = ran_[{task->path_hash(), task->hook.steps}];
    const StepKey key{task->path_hash(), task->hook.steps, before, older};
    const auto [found, added] = index_.emplace(key, decisions_.size());
    if (added)
      decisions_.push_back({.path = task->path(),
                            .ordinal = task->hook.steps,
                            .times = 0,
                            .ran_before = before,
                            .older = older});
    decisions_[found->second].times++;
  }
  ran_[{chosen.path_hash(), chosen.hook.steps}]++;
  return chosen;
}

ScriptedStrategy::ScriptedStrategy(const std::vector<ScheduleDecision>& decisions)
    : decisions_(decisions) {
  for (std::size_t i = 0; i < decisions_.size(); ++i) {
    const ScheduleDecision& decision = decisions_[i];
    const std::uint64_t path = hash64(decision.path);
    script_[{path, decision.ordinal, decision.ran_before, decision.older}] = {
        .left = decision.times, .used = false, .index = i};
    ran_[{path, decision.ordinal}] = 0;
  }
}

Task& ScriptedStrategy::choose(const RunnableSet& runnable, const SchedulePoint&, std::uint64_t) {
  std::vector<Entry*> passed;
  Task* chosen = runnable.oldest();
  for (; chosen != nullptr; chosen = chosen->hook.next) {
    const auto before = ran_.find({chosen->path_hash(), chosen->hook.steps});
    if (before == ran_.end()) break;
    const auto found = script_.find(
        {chosen->path_hash(), chosen->hook.steps, before->second, older_equals(runnable, *chosen)});
    if (found == script_.end() || found->second.left == 0) break;
    passed.push_back(&found->second);
  }
  if (chosen == nullptr) {  // all of them wait: nobody is passed over
    chosen = runnable.oldest();
    passed.clear();
  }
  for (Entry* entry : passed) {
    entry->left--;
    entry->used = true;
  }
  const auto counted = ran_.find({chosen->path_hash(), chosen->hook.steps});
  if (counted != ran_.end()) counted->second++;
  return *chosen;
}

std::vector<ScheduleDecision> ScriptedStrategy::unused() const {
  std::vector<std::size_t> left;
  for (const auto& [key, entry] : script_)
    if (!entry.used) left.push_back(entry.index);
  std::sort(left.begin(), left.end());
  std::vector<ScheduleDecision> unused;
  for (const std::size_t index : left) unused.push_back(decisions_[index]);
  return unused;
}

}  // namespace holdfast::sim
