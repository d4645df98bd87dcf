// The instances of one run and what is done to them: starts, stops, kill -9, power loss, rolling
// deploys. Everything here happens between steps, outside fibers.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/plans/plan.hpp"
#include "scenarios/world/aim.hpp"
#include "scenarios/world/instance.hpp"
#include "scenarios/world/network.hpp"

namespace holdfast::scenarios {

struct RestartCounters {
  std::array<std::uint64_t, k_restart_kinds> by_kind{};
  /// Restarts that hit while this was in flight; any_time counts those that hit nothing of it.
  std::array<std::uint64_t, k_moments> during{};
};

/// When a restart of the plan began.
struct RestartBegun {
  unsigned number = 0;
  std::uint64_t step = 0;
  Instant at;
};

class Cluster {
 public:
  Cluster(Surroundings surroundings, const Plan& plan);

  /// Breaks the connections of an instance that died.
  void set_network(Network& network) { network_ = &network; }
  void start_first();
  /// One instance more, for the rest of the run.
  void start_standby() { start_instance(k_standby_number); }
  /// Carries out the plan's restarts, one after the other; calls `begins` and `over` for each.
  void begin_restarts(std::function<void()> begins, std::function<void()> over);
  bool restarts_done() const { return next_restart_ >= plan_.restarts.size() && !busy_; }
  /// To be called before each step.
  void observe(const sim::StepInfo& step);

  std::vector<Instance*> reachable() const;
  /// Instances whose processes can be hit by faults.
  std::vector<Instance*> living() const;
  Instance& leader() { return *leader_; }
  void stop_all(std::function<void()> stopped);
  void kill_all();
  const RestartCounters& counters() const { return counters_; }
  const std::vector<RestartBegun>& begun() const { return begun_; }

 private:
  using Step = std::function<void()>;
  static constexpr unsigned k_standby_number = 1'000;  ///< above those that restarts start
  Instance& start_instance(unsigned number);
  void kill(Instance& instance);
  void schedule_next();
  /// `aimed`: at its moment.
  void fire(bool aimed);
  void restart_now(const PlannedRestart& restart);
  void stop_old_then(const PlannedRestart& restart, Instance& old, Step then);
  void freeze(const PlannedRestart& restart, Instance& old);
  void when_leading(Instance& instance, unsigned looks_left, Step then);
  void when_standing_by(Instance& instance, unsigned looks_left, Step then);
  void finish_restart();
  void look_until_ended(Step stopped);
  void after(Duration delay, const char* label, Step step);
  void count(const PlannedRestart& restart, bool aimed);

  Surroundings surroundings_;
  const Plan& plan_;
  Network* network_ = nullptr;
  std::vector<std::unique_ptr<Instance>> instances_;
  Instance* leader_ = nullptr;
  std::size_t next_restart_ = 0;
  bool busy_ = false;
  std::function<void()> begins_;
  std::function<void()> over_;
  RestartCounters counters_;
  std::vector<RestartBegun> begun_;

  std::optional<Aim> aim_;       ///< of the next restart, while it waits for its moment
  std::string_view writer_job_;  ///< what the leader's write worker began last
};

}  // namespace holdfast::scenarios
