// A schedule as a list of its deviations from FIFO: recorded from a run under any strategy, and
// replayed over FIFO. Replaying all that was recorded gives the same run; with some taken away the
// others still name the same steps, which is what the reducer lives on. Recording costs; runs that
// nobody asked to record do not pay for it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "sim/scheduler/strategy.hpp"

namespace holdfast::sim {

/// "When FIFO would have run step `ordinal` of task `first`, task `instead` ran."
struct ScheduleDecision {
  std::string first;
  std::uint64_t ordinal = 0;
  std::uint64_t repeat = 0;  ///< as in SchedulePoint
  /// How often this point was reached before: tasks may share a path, as the world's events do.
  std::uint64_t occurrence = 0;
  std::string instead;
  /// Which of the runnable tasks with the path `instead`, the oldest being 0.
  std::uint64_t among_equals = 0;
  auto operator<=>(const ScheduleDecision&) const = default;
};

/// Any strategy, with a record of where it deviates from FIFO.
class RecordingStrategy final : public SchedulingStrategy {
 public:
  /// `strategy` decides; nullptr: FIFO.
  explicit RecordingStrategy(std::unique_ptr<SchedulingStrategy> strategy);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return strategy_->name(); }
  const std::vector<ScheduleDecision>& decisions() const { return decisions_; }

 private:
  std::unique_ptr<SchedulingStrategy> strategy_;
  std::map<SchedulePoint, std::uint64_t> visits_;
  std::vector<ScheduleDecision> decisions_;
};

/// FIFO with the given deviations.
class ScriptedStrategy final : public SchedulingStrategy {
 public:
  explicit ScriptedStrategy(const std::vector<ScheduleDecision>& decisions);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "scripted"; }
  /// Decisions that did not apply, in the order given: their point was never reached, or the task
  /// was not runnable there.
  std::vector<ScheduleDecision> unused() const;

 private:
  struct Entry {
    std::uint64_t instead = 0;
    std::uint64_t among_equals = 0;
    bool used = false;
    std::size_t index = 0;
  };
  std::vector<ScheduleDecision> decisions_;
  /// By point and then by occurrence; a point that is not here costs one look-up.
  std::map<SchedulePoint, std::map<std::uint64_t, Entry>> script_;
  std::map<SchedulePoint, std::uint64_t> visits_;  ///< of the script's points
};

}  // namespace holdfast::sim
