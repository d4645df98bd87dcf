// Carries out the plan's alterations between steps, and their undoing, and keeps the oracle's
// journal of both. A table that somebody holds is tried again, as a queued ALTER TABLE would wait.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oracle/oracle.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/world/aim.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

class AlterationDriver {
 public:
  AlterationDriver(sim::SimulatedExecutor& executor, sim::postgres::PostgresModel& postgres,
                   oracle::Oracle& oracle, const Plan& plan, std::string publication)
      : executor_(executor),
        postgres_(postgres),
        oracle_(oracle),
        plan_(plan),
        publication_(std::move(publication)) {}

  /// Publishes the plan's tables where no engine does. REQUIRES: there are the tables, and no
  /// engine yet.
  void begin();
  /// To be called before each step.
  void observe(const sim::StepInfo& step);
  /// All are made and undone.
  bool done() const { return pending_ == 0; }
  std::uint64_t made() const { return made_; }
  /// A table that an engine left in its publication though no shape of the plan reads it; empty:
  /// there is none, or the publication is not the engine's.
  std::string stray_table() const;
  /// All tables that the shape reads are.
  bool is_published(const oracle::ShapeSpec& spec) const;

 private:
  void due(const PlannedAlteration& alteration);
  void make(const PlannedAlteration& alteration);
  /// Numbers of the journal's events.
  struct Recorded {
    std::size_t altered = 0;
    std::optional<std::size_t> unfit = {};
    std::optional<std::size_t> gap = {};
  };
  void undo(const PlannedAlteration& alteration, const Recorded& recorded);
  /// Meanwhile requests may be refused.
  bool refuses(const PlannedAlteration& alteration) const;
  bool publish(const sim::postgres::RelationName& table);
  /// false: somebody holds the table, or another alteration has it in its hands.
  bool change(const PlannedAlteration& alteration);
  /// true also if it is as it should be, whoever saw to that.
  bool change_back(const PlannedAlteration& alteration);
  void create_again(const sim::postgres::TableDefinition& table);
  std::size_t record(oracle::Cause cause, const PlannedAlteration& alteration);
  void after(Duration delay, const char* label, std::function<void()> step);
  const sim::postgres::TableDefinition& table_of(const PlannedAlteration& alteration) const;

  sim::SimulatedExecutor& executor_;
  sim::postgres::PostgresModel& postgres_;
  oracle::Oracle& oracle_;
  const Plan& plan_;
  const std::string publication_;
  std::vector<std::pair<const PlannedAlteration*, Aim>> aims_;
  std::size_t pending_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace holdfast::scenarios
