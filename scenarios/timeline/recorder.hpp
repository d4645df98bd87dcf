// Looks on while a run goes its way and writes down what can be drawn. Never a cause of anything:
// a run with a recorder takes the same steps, with the same trace hash, as one without
// (tests/scenarios/timeline_test.cpp). Used by one run.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/protocol/http.hpp"
#include "core/runtime/observer.hpp"
#include "oracle/oracle.hpp"
#include "scenarios/timeline/recording.hpp"
#include "sim/disk/operation.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios::timeline {

class Recorder final : public runtime::RuntimeObserver, public sim::DiskObserver {
 public:
  Recorder() { recording_.texts.emplace_back(); }

  /// To be called before the first step. All three live until finish().
  void watch(sim::SimulatedExecutor& executor, const sim::postgres::PostgresModel& postgres,
             const oracle::Oracle& oracle);
  /// What happens from now on is not recorded.
  void finish();
  /// The same for a run that ends its process here and now, by a failed ASSERT. Answers what the
  /// oracle had found, and this.
  std::vector<oracle::Violation> finish_with(const std::string& property, std::string what);
  const Recording& recording() const { return recording_; }

  // -- told by the actors -------------------------------------------------------------------------
  void asked(const std::string& client, const protocol::Request& request);
  void answered(const oracle::Exchange& exchange);
  void committed(std::uint64_t xid, const std::string& statements);
  void note(const std::string& text);

  // -- runtime::RuntimeObserver, sim::DiskObserver ------------------------------------------------
  void started(const runtime::ProcessRecord& process) override;
  void ended(const runtime::ProcessRecord& process, const runtime::ExitReason& reason) override;
  void queued(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) override;
  void taken(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) override;
  void answered(const runtime::ProcessRecord& caller, const runtime::ExitReason* failure) override;
  void interrupted(const runtime::ProcessRecord& process,
                   const runtime::ExitReason& reason) override;
  void table_used(const std::string& name, runtime::TableUse use) override;
  void on_operation(const sim::Operation& operation) override;

 private:
  bool closed() const { return executor_ == nullptr; }
  /// The lane whose step runs now; none between steps.
  std::uint32_t current_lane() const;
  std::uint64_t current_step() const { return executor_->steps(); }
  std::uint32_t text(std::string_view words);
  /// A line for whoever watches the run in a terminal.
  void show(std::uint32_t lane, const std::string& what);
  std::uint32_t lane(const std::string& path, LaneKind kind);
  void step(const sim::TraceStep& step);
  void runnable(const runtime::Task& task);
  /// An arrow that the receiver's next step takes up.
  void point_at(std::uint32_t to, ArrowKind kind, std::string_view label);
  /// The live table of this name in the instance of the current lane; nullptr: none is known.
  Table* live_table(const std::string& name);
  void read(const Table& table);
  void look_at_postgres();
  void look_at_oracle();

  sim::SimulatedExecutor* executor_ = nullptr;
  const sim::postgres::PostgresModel* postgres_ = nullptr;
  const oracle::Oracle* oracle_ = nullptr;
  Recording recording_;
  std::map<std::string, std::uint32_t, std::less<>> lanes_;
  std::map<std::string, std::uint32_t, std::less<>> texts_;
  std::unordered_map<const runtime::Envelope*, std::size_t> in_mailboxes_;  // never iterated
  std::vector<std::vector<std::size_t>> on_their_way_;  ///< [lane]: arrows its next step takes up
  std::map<std::uint32_t, std::size_t> open_requests_;  ///< by the client's lane
  std::size_t first_arrow_ = 0;                         ///< of the current step
};

}  // namespace holdfast::scenarios::timeline
