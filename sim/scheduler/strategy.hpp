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

/// A random walk that favours whoever has much left to do. Picking in proportion to the remaining
/// steps would make all interleavings equally likely (design.md §8); what remains is not known, so
/// the steps a task has run stand for it: who was busy will be. Short-lived tasks then run late,
/// between the steps of long ones, where a uniform walk lets them end early.
class WeightedRandomStrategy final : public SchedulingStrategy {
 public:
  explicit WeightedRandomStrategy(std::uint64_t seed) : random_(seed) {}
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "weighted"; }

 private:
  KeyedRandom random_;
};

/// FIFO, but for a few pairs of steps that go the other way round (PULSE's procrastination): at a
/// random step whoever is first is held back until another task, drawn among those that are
/// runnable then, has run, or for `k_patience` decisions.
class RacingPairStrategy final : public SchedulingStrategy {
 public:
  RacingPairStrategy(std::uint64_t seed, unsigned pairs, std::uint64_t expected_steps = 20'000);
  runtime::Task& choose(const RunnableSet& runnable, const SchedulePoint& point,
                        std::uint64_t step) override;
  std::string name() const override { return "racing_pairs"; }
  const std::vector<std::uint64_t>& reversals() const { return reversals_; }

  static constexpr unsigned k_patience = 100;

 private:
  /// Tasks by their paths: one may have ended, and another begun at its address.
  struct Pair {
    std::uint64_t held = 0;
    std::uint64_t other = 0;
    unsigned patience = 0;  ///< 0: nobody is held
  };

  KeyedRandom random_;
  std::vector<std::uint64_t> reversals_;  ///< steps, ascending
  std::size_t next_ = 0;
  Pair pair_;
};

}  // namespace holdfast::sim
