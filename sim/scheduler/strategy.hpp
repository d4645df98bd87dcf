// Which runnable task goes next. Every choice is legal: a process handles its mailbox in order of
// arrival whatever the strategy does, so messages of one pair never overtake each other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/choice.hpp"
#include "sim/scheduler/runnable_set.hpp"

namespace holdfast::sim {

class SchedulingStrategy {
 public:
  virtual ~SchedulingStrategy() = default;
  /// `point.first` and `point.ordinal` name what FIFO would run; `step` counts all steps of the
  /// run. REQUIRES: at least two are runnable.
  virtual runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                                std::uint64_t step) = 0;
  virtual std::string name() const = 0;
};

/// The base every run is described against: first runnable, first run.
class FifoStrategy final : public SchedulingStrategy {
 public:
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint&, std::uint64_t) override {
    return *runnable.oldest();
  }
  std::string name() const override { return "fifo"; }
};

class UniformRandomStrategy final : public SchedulingStrategy {
 public:
  explicit UniformRandomStrategy(std::uint64_t seed) : random_(seed) {}
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "random"; }

 private:
  KeyedRandom random_;
};

/// Probabilistic concurrency testing (Burckhardt et al. 2010): each task has a random priority, the
/// highest runnable one runs, and at depth - 1 random steps of the first `expected_steps` the
/// running task falls below all others. Finds a bug of depth d with probability >= 1 / (n k^(d-1)).
class PctStrategy final : public SchedulingStrategy {
 public:
  PctStrategy(std::uint64_t seed, unsigned depth, std::uint64_t expected_steps = 20'000);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "pct" + std::to_string(depth_); }
  const std::vector<std::uint64_t>& change_points() const { return change_points_; }

 private:
  std::int64_t priority_of(runtime::Task& task);
  runtime::Task& highest(const RunnableSet& runnable);

  KeyedRandom random_;
  unsigned depth_;
  std::vector<std::uint64_t> change_points_;  ///< ascending
  std::size_t next_change_ = 0;
};

}  // namespace holdfast::sim
