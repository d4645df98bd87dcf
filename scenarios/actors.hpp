// Who acts in a run beside the engine: clients that follow the official client's rules, writers
// that change the database, and whoever deletes and truncates. Processes of the world's own
// runtime.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/runtime/process.hpp"
#include "oracle/oracle.hpp"
#include "scenarios/clients/caching_proxy.hpp"
#include "scenarios/clients/notebook.hpp"
#include "scenarios/clients/prober.hpp"
#include "scenarios/clients/trouble.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/strict_client.hpp"
#include "scenarios/subqueries/sights.hpp"
#include "scenarios/timeline/recorder.hpp"
#include "scenarios/world/network.hpp"
#include "sim/postgres/model.hpp"

namespace holdfast::scenarios {

/// What became of the workload's transactions.
struct WorkloadCounters {
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;  ///< rolled back, since a statement failed or waited for too long
};

/// What the actors and the run tell each other.
struct Stage {
  Network* network = nullptr;
  CachingProxy* proxy = nullptr;
  oracle::Oracle* oracle = nullptr;
  sim::postgres::PostgresModel* postgres = nullptr;
  const Plan* plan = nullptr;
  /// A line for whoever reads the trace; empty if nobody does.
  std::function<void(std::string)> note;
  timeline::Recorder* recorder = nullptr;  ///< nullptr: nobody records the run

  bool closing = false;  ///< no new requests; what is under way may end
  /// Commit LSN that every client must have seen to have converged; 0: still at work.
  std::uint64_t final_commit = 0;
  unsigned writers_working = 0;
  unsigned removals_pending = 0;
  unsigned probes_pending = 0;
  unsigned restarts_over = 0;
  unsigned crowd_asking = 0;  ///< clients that stay for a few answers, and wait for one
  ClientTroubleCounters client_trouble;
  Notebook notebook;  ///< kept where there are probes
  ProbeCounters probes;
  std::vector<ShapeTraits> traits;  ///< of the plan's specs
  SightCounters sights;
  WorkloadCounters workload;
};

class ClientProcess : public runtime::Process {
 public:
  ClientProcess(Stage& stage, PlannedClient plan)
      : stage_(stage), client_(stage.plan->specs[plan.spec], plan) {}

  void run();

  const StrictClient& client() const { return client_; }
  /// What the commit did is in its view. Once the run comes to its end.
  bool was_told(std::uint64_t commit) const {
    return spec().has_subqueries() ? agreed_commit_ >= commit : view().marker() >= commit;
  }
  /// It has seen the final commit, or later.
  bool converged() const {
    return stage_.final_commit > 0 && client_.has_seen(stage_.final_commit) &&
           was_told(stage_.final_commit);
  }
  /// At one time at least: its shape may have expired since.
  bool has_converged() const { return has_converged_; }
  bool proxied() const { return client_.plan().proxied; }
  /// It had what it came for.
  bool left() const { return left_; }
  Instant last_answer() const { return last_answer_; }
  const oracle::ClientView& view() const { return client_.view(); }
  const oracle::ShapeSpec& spec() const { return client_.spec(); }
  const std::string& name() const { return client_.name(); }

 protected:
  void init() override;

 private:
  /// The run is not yet coming to its end, so clients may be as they like.
  bool at_large() const { return stage_.final_commit == 0; }
  Network::Answer ask(protocol::Request request);
  void take(const oracle::Exchange& exchange);
  void read_slowly();

  Stage& stage_;
  StrictClient client_;
  bool lagged_ = false;  ///< it was long in reading the last answer
  bool left_ = false;
  bool has_converged_ = false;
  std::uint64_t agreed_commit_ = 0;  ///< Oracle::agreed_commit() at the last answer
  Instant last_answer_;
};

class WriterProcess : public runtime::Process {
 public:
  WriterProcess(Stage& stage, unsigned number) : stage_(stage), number_(number) {}
  void run();

 protected:
  void init() override;

 private:
  void perform(const PlannedTransaction& transaction);
  Stage& stage_;
  unsigned number_;
};

class RemovalProcess : public runtime::Process {
 public:
  RemovalProcess(Stage& stage, PlannedRemoval plan) : stage_(stage), plan_(plan) {}
  void run();

 protected:
  void init() override;

 private:
  void truncate();
  void remove();
  Stage& stage_;
  PlannedRemoval plan_;
};

}  // namespace holdfast::scenarios
