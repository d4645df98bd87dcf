// A schedule as a list of its deviations from FIFO: recorded from a run under any strategy, and
// replayed over FIFO. A deviation is a step that waits while younger tasks run, so one of them says
// what a list of "this ran instead" would need many for. Replaying all that was recorded gives the
// same run; with some taken away the others still name the same steps, which is what the reducer
// lives on. Recording costs; runs that nobody asked to record do not pay for it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "sim/scheduler/strategy.hpp"

namespace holdfast::sim {

/// "Step `ordinal` of task `path` is passed over `times` times when FIFO would run it or something
/// younger": younger tasks run instead.
struct ScheduleDecision {
  std::string path;
  std::uint64_t ordinal = 0;
  std::uint64_t times = 0;
  /// Tasks may share path and ordinal, as the world's events do: how many such have run before, and
  /// how many such are older.
  std::uint64_t ran_before = 0;
  std::uint64_t older = 0;
  auto operator<=>(const ScheduleDecision&) const = default;
};

/// A step that can be passed over; the path as its hash.
struct StepKey {
  std::uint64_t path = 0;
  std::uint64_t ordinal = 0;
  std::uint64_t ran_before = 0;
  std::uint64_t older = 0;
  auto operator<=>(const StepKey&) const = default;
};

/// Any strategy, with a record of where it deviates from FIFO.
class RecordingStrategy final : public SchedulingStrategy {
 public:
  /// `strategy` decides; nullptr: FIFO.
  explicit RecordingStrategy(std::unique_ptr<SchedulingStrategy> strategy);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return strategy_->name(); }
  /// In the order in which the steps were first passed over.
  const std::vector<ScheduleDecision>& decisions() const { return decisions_; }

 private:
  std::unique_ptr<SchedulingStrategy> strategy_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> ran_;  ///< by path and ordinal
  std::map<StepKey, std::size_t> index_;                                  ///< into decisions_
  std::vector<ScheduleDecision> decisions_;
};

/// FIFO with the given deviations.
class ScriptedStrategy final : public SchedulingStrategy {
 public:
  explicit ScriptedStrategy(const std::vector<ScheduleDecision>& decisions);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "scripted"; }
  /// Decisions that did not apply, in the order given: nothing was there to be passed over.
  std::vector<ScheduleDecision> unused() const;

 private:
  struct Entry {
    std::uint64_t left = 0;
    bool used = false;
    std::size_t index = 0;
  };
  std::vector<ScheduleDecision> decisions_;
  std::map<StepKey, Entry> script_;
  /// Of the script's paths and ordinals; a step that is not here costs one look-up.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> ran_;
};

}  // namespace holdfast::sim
