// Carries out the plan's alterations between steps, and their undoing, and keeps the oracle's
// journal of both. A table that somebody holds is tried again, as a queued ALTER TABLE would wait.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "oracle/oracle.hpp"
#include "scenarios/aim.hpp"
#include "scenarios/plan.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

class AlterationDriver {
 public:
  AlterationDriver(sim::SimulatedExecutor& executor, sim::postgres::PostgresModel& postgres,
                   oracle::Oracle& oracle, const Plan& plan)
      : executor_(executor), postgres_(postgres), oracle_(oracle), plan_(plan) {}

  void begin();
  /// To be called before each step.
  void observe(const sim::StepInfo& step);
  /// All are made and undone.
  bool done() const { return pending_ == 0; }
  std::uint64_t made() const { return made_; }

 private:
  void due(const PlannedAlteration& alteration);
  void make(const PlannedAlteration& alteration);
  void undo(const PlannedAlteration& alteration, std::size_t unfit);
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
  std::vector<std::pair<const PlannedAlteration*, Aim>> aims_;
  std::size_t pending_ = 0;
  std::uint64_t made_ = 0;
};

}  // namespace holdfast::scenarios
