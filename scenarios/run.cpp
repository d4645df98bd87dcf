#include "scenarios/run.hpp"

#include <algorithm>
#include <memory>

#include "oracle/oracle.hpp"
#include "scenarios/actors.hpp"
#include "scenarios/alterations/alteration_driver.hpp"
#include "scenarios/calm.hpp"
#include "scenarios/liveness.hpp"
#include "scenarios/model_truth.hpp"
#include "scenarios/plans/plan_options.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/timeline/trace_events.hpp"
#include "scenarios/world/network.hpp"
#include "scenarios/world/store_audit.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/mutants/broken_disk.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {
namespace {

/// With faults over, every client must have caught up within this much virtual time.
constexpr Duration k_convergence_limit = std::chrono::seconds(180);
constexpr Duration k_work_limit = std::chrono::seconds(600);
/// Stalled processes go on, back-offs run out, a lost lock is found, within this time.
constexpr Duration k_reconnection = std::chrono::seconds(25);
constexpr Duration k_stop_limit = std::chrono::seconds(90);
/// Steps of a removal that fail are tried again after a second, and data goes in slices.
constexpr Duration k_removal_limit = std::chrono::seconds(60);
/// After a restart is over, its consequences are within this time.
constexpr Duration k_felt = std::chrono::seconds(2);

/// The strategy of a run, and what can be asked of it afterwards; it belongs to the executor then.
struct Schedule {
  Schedule(const Plan& plan, const RunOptions& options) : strategy(make_strategy(plan)) {
    if (plan.strategy == StrategyKind::scripted)
      script = static_cast<const sim::ScriptedStrategy*>(strategy.get());
    if (!options.record_schedule) return;
    auto recording = std::make_unique<sim::RecordingStrategy>(std::move(strategy));
    recorded = recording.get();
    strategy = std::move(recording);
  }
  std::unique_ptr<sim::SchedulingStrategy> strategy;
  const sim::ScriptedStrategy* script = nullptr;
  const sim::RecordingStrategy* recorded = nullptr;
};

bool hits_calls(const Plan& plan) {
  return std::any_of(plan.faults.begin(), plan.faults.end(),
                     [](const PlannedFault& fault) { return is_call_fault(fault.kind); });
}

/// Everything of one run. Members in order of construction; what others use comes first.
class World {
 public:
  World(const Plan& plan, const RunOptions& options);
  ~World();
  RunReport run();

 private:
  runtime::RuntimeObserver* observer() {
    if (hits_calls(plan_)) return &calls_;
    return options_.recorder;
  }
  void populate();
  void start_actors();
  /// Whatever happened to a table shows within a period of the reconciler, once it is connected;
  /// and what is committed while a table is not published moves no marker.
  void let_settle();
  bool work_is_done() const;
  bool all_converged() const;
  /// Whether its shape's consumer dies of its input now.
  bool is_poisoned(const ClientProcess& client) const;
  /// While one shape is poisoned, all others converge.
  void expect_others_served();
  bool confirmed() const;
  void check_end();
  enum class Whom : std::uint8_t { all, with_subqueries };
  void expect_converged(Whom whom);
  void expect_removed_data_gone();
  void shut_down();
  bool run_until(const std::function<bool()>& done, Duration limit, const char* property,
                 const char* what);
  void object(const char* property, std::string what);
  bool enough() const { return options_.stop_when_violated && !oracle_.violations().empty(); }
  std::uint64_t steps_left() const {
    return options_.most_steps - std::min(options_.most_steps, executor_.steps());
  }
  RunReport report();

  const Plan& plan_;
  const RunOptions& options_;
  Schedule schedule_;
  sim::SimulatedExecutor executor_;
  Marks marks_;
  TraceEvents events_;
  sim::SimDisk disk_;
  sim::postgres::PostgresModel postgres_;
  ModelTruth truth_;
  oracle::Oracle oracle_;
  CallFaults calls_;  ///< used where the plan has faults of calls
  Cluster cluster_;
  FaultDriver faults_;
  AlterationDriver alterations_;
  sim::mutants::LogWithoutSync log_without_sync_;  ///< asks faults_ unless a mutant says otherwise
  Network network_;
  Stage stage_;
  runtime::Runtime actors_;
  CachingProxy proxy_;
  std::vector<ClientProcess*> clients_;  ///< live as long as actors_
  std::optional<CalmEnd> calm_;  ///< while it is
  sim::postgres::CommitResult final_;
  bool gave_up_ = false;
};

World::World(const Plan& plan, const RunOptions& options)
    : plan_(plan),
      options_(options),
      schedule_(plan, options),
      executor_({.seed = plan.seed,
                 .strategy = std::move(schedule_.strategy),
                 .stacks = options.reused == nullptr ? nullptr : &options.reused->stacks}),
      events_(executor_.trace(), options.recorder),
      disk_(disk_options(plan, executor_)),
      postgres_(
          postgres_options(plan, options),
          sim::postgres::runtime_hooks(executor_.clock(), executor_.random(),
                                       {plan.knobs.postgres_latency, plan.knobs.postgres_latency})),
      truth_(postgres_),
      oracle_(truth_),
      calls_(options.recorder),
      cluster_({executor_, disk_, postgres_, events_, marks_, engine_options(plan, options),
                observer(), options.weakened.mutants},
               plan),
      faults_(executor_, postgres_, oracle_, cluster_, plan, hits_calls(plan) ? &calls_ : nullptr),
      alterations_(executor_, postgres_, oracle_, plan, stack::StackOptions{}.publication),
      log_without_sync_(options.weakened.mutants, faults_),
      network_([this] { return cluster_.reachable(); }, plan.knobs.network_latency),
      actors_({.root = "world", .observer = options.recorder}, executor_,
              std::make_shared<runtime::Directory>()),
      proxy_(network_, actors_, stage_.client_trouble) {
  if (options.trace) executor_.trace().set_sink(options.trace);
  if (options.keep_every_step) executor_.trace().keep_every_step();
  disk_.options().faults = &log_without_sync_;
  if (options.recorder != nullptr) {
    options.recorder->watch(executor_, postgres_, oracle_);
    disk_.options().observer = options.recorder;
  }
  oracle_.expect_chunks_of(plan.knobs.chunk_bytes);
  cluster_.set_network(network_);
  executor_.on_step([this](const sim::StepInfo& step) {
    cluster_.observe(step);
    faults_.observe(step);
    alterations_.observe(step);
    if (calm_) calm_->observe(step);
    if (options_.stop_at && step.step == *options_.stop_at) options_.at_stop();
  });
  stage_.network = &network_;
  stage_.proxy = &proxy_;
  stage_.oracle = &oracle_;
  stage_.postgres = &postgres_;
  stage_.plan = &plan_;
  stage_.traits = traits_of(plan_.specs);
  stage_.recorder = options.recorder;
  if (options.trace)
    stage_.note = [this](std::string line) { executor_.trace().note(std::move(line)); };
}

World::~World() {
  cluster_.kill_all();
  actors_.destroy_all();
  executor_.drain_workers();
}

void World::populate() {
  for (const sim::postgres::TableDefinition& table : plan_.tables) postgres_.create_table(table);
  const sim::postgres::Session session = postgres_.begin();
  for (const sim::postgres::Statement& row : plan_.initial_rows) postgres_.execute(session, row);
  postgres_.log_commit(session, sim::postgres::Synchronous::on);
  postgres_.show_commit(session);
}

void World::start_actors() {
  stage_.writers_working = plan_.writers;
  for (unsigned writer = 0; writer < plan_.writers; ++writer)
    actors_.spawn_root<WriterProcess>({.role = "writer", .key = std::to_string(writer)},
                                      std::ref(stage_), writer);
  stage_.removals_pending = static_cast<unsigned>(plan_.removals.size());
  for (std::size_t i = 0; i < plan_.removals.size(); ++i)
    actors_.spawn_root<RemovalProcess>(
        {.role = "removal", .key = std::to_string(plan_.removals[i].number)}, std::ref(stage_),
        plan_.removals[i]);
  stage_.probes_pending = static_cast<unsigned>(plan_.probes.size());
  for (const PlannedProbe& probe : plan_.probes)
    actors_.spawn_root<ProberProcess>({.role = "prober", .key = std::to_string(probe.number)},
                                      std::ref(stage_), probe);
  for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
    auto client = std::make_unique<ClientProcess>(stage_, plan_.clients[i]);
    const std::string name = client->name();
    clients_.push_back(client.get());
    const auto box = std::make_shared<std::unique_ptr<ClientProcess>>(std::move(client));
    actors_.start_root({.role = "client", .key = name}, [box] { return std::move(*box); });
  }
}

void World::object(const char* property, std::string what) {
  oracle_.object(property, std::move(what), {}, executor_.now());
}

bool World::run_until(const std::function<bool()>& done, Duration limit, const char* property,
                      const char* what) {
  const auto over = [&] { return enough() || done(); };
  const sim::StopCause cause =
      executor_.run_until(over, {.until = executor_.now() + limit, .most_steps = steps_left()});
  if (enough()) return false;
  if (cause == sim::StopCause::predicate || done()) return true;
  object(property, std::string(what) + (cause == sim::StopCause::step_limit
                                            ? ": too many steps"
                                            : ": not within the virtual time allowed"));
  return false;
}

bool World::work_is_done() const {
  return stage_.writers_working == 0 && stage_.removals_pending == 0 &&
         stage_.probes_pending == 0 && cluster_.restarts_done() && faults_.done() &&
         alterations_.done() &&
         std::all_of(clients_.begin(), clients_.end(), [this](const auto* client) {
           return client->client().was_served() || is_poisoned(*client);
         });
}

bool World::is_poisoned(const ClientProcess& client) const {
  const auto victim = faults_.poisoned();
  if (!victim) return false;
  const std::string* spec = oracle_.ledger().spec_of(*victim);
  return spec != nullptr && *spec == client.spec().name;
}

void World::expect_others_served() {
  if (!faults_.poisoned()) return faults_.cure();  // it comes too late to be of interest
  run_until(
      [this] {
        return confirmed() &&
               std::all_of(clients_.begin(), clients_.end(), [this](const ClientProcess* client) {
                 return client->converged() || is_poisoned(*client);
               });
      },
      k_convergence_limit, oracle::property::convergence,
      "a poisoned shape holds up the others, or the confirmation");
  faults_.cure();
}

void World::let_settle() {
  const auto run = [this](const std::function<bool()>& done, Duration time) {
    executor_.run_until([&] { return done() || enough(); },
                        {.until = executor_.now() + time, .most_steps = steps_left()});
  };
  if (!plan_.alterations.empty())
    run([] { return false; }, plan_.knobs.schema_reconciler_period + k_reconnection);
  const auto published = [this](const ClientProcess* client) {
    return client->left() || alterations_.is_published(client->spec());
  };
  run([&] { return std::all_of(clients_.begin(), clients_.end(), published); }, k_stop_limit);
}

bool World::all_converged() const {
  // Of more shapes than there is room for some are always being made anew: that all clients have
  // theirs at one time is promised to nobody, that each gets its turn is.
  const bool in_turn = plan_.knobs.max_shapes > 0;
  return std::all_of(clients_.begin(), clients_.end(), [in_turn](const ClientProcess* client) {
    return client->converged() || (in_turn && client->has_converged());
  });
}

bool World::confirmed() const {
  const auto slot = postgres_.slot(stack::StackOptions{}.slot);
  return slot && slot->confirmed_flush >= final_.end_lsn;
}

void World::check_end() {
  LivenessPhase{faults_, stage_}.begin([this] {
    let_settle();
    final_ = commit_at_once(postgres_, final_rows(plan_));
    return final_.commit_lsn.value;
  });
  std::erase_if(clients_, [](const ClientProcess* client) { return client->left(); });
  expect_others_served();
  const bool caught_up = run_until([this] { return all_converged(); }, k_convergence_limit,
                                   oracle::property::convergence, "clients have not caught up");
  if (enough()) gave_up_ = true;
  if (gave_up_) return;
  if (!caught_up) {
    for (const ClientProcess* client : clients_)
      if (!client->converged())
        object(oracle::property::convergence,
               client->name() + " of " + client->spec().name + " is at marker " +
                   std::to_string(client->view().marker()) + ", the last commit is " +
                   std::to_string(stage_.final_commit));
    expect_converged(Whom::with_subqueries);
    gave_up_ = true;
    return;
  }
  expect_converged(Whom::all);
  run_until([this] { return confirmed(); }, k_convergence_limit, oracle::property::confirmation,
            "the slot's confirmed position does not reach the last commit");
  run_until([this] { return alterations_.stray_table().empty(); }, k_convergence_limit,
            oracle::property::publication_leaves, "a table is published that no shape reads");
  if (enough()) return;
  expect_removed_data_gone();
  // Who asks the standby reads without the leader, and who led may die.
  if (plan_.calm_standby || plan_.calm_deaths > 0) oracle_.expiry_order().disturbance_begins();
  if (plan_.calm_standby) cluster_.start_standby();
  calm_.emplace(executor_, truth_, stage_, cluster_, clients_);
  calm_->run(plan_.calm_commits, plan_.calm_deaths);
  calm_.reset();
  expect_converged(Whom::with_subqueries);  // what they had come to is not undone by a late move
}

void World::expect_converged(Whom whom) {
  for (const ClientProcess* client : clients_) {
    // Where shapes expire to the end, a client may just be fetching another one.
    const bool there =
        whom == Whom::all ? client->converged() : client->client().has_seen(stage_.final_commit);
    if (plan_.knobs.max_shapes > 0 && !there) continue;
    if (whom == Whom::all || client->spec().has_subqueries())
      oracle_.converged(client->spec(), client->name(), client->view(), executor_.now());
  }
}

void World::expect_removed_data_gone() {
  if (oracle_.ledger().legitimate() == 0) return;  // nothing was removed
  const std::string directory = engine_options(plan_, options_).stack.store.directory;
  const std::string left =
      StoreAudit(executor_, disk_).wait_until_clean(directory, k_removal_limit);
  if (!left.empty()) object(StoreAudit::k_property, left);
}

void World::shut_down() {
  stage_.closing = true;
  bool stopped = false;
  cluster_.stop_all([&] { stopped = true; });
  run_until([&] { return stopped; }, k_stop_limit, oracle::property::request_ends,
            "the engine does not stop");
}

RunReport World::run() {
  populate();
  cluster_.start_first();
  start_actors();
  if (plan_.knobs.max_shapes > 0)
    oracle_.record({oracle::Cause::over_limit, {}, {}, Instant::never(), plan_.knobs.max_shapes});
  cluster_.begin_restarts([this] { oracle_.expiry_order().disturbance_begins(); },
                          [this] {
                            stage_.restarts_over++;
                            oracle_.expiry_order().disturbance_ends(executor_.now() + k_felt);
                          });
  faults_.begin();
  alterations_.begin();
  gave_up_ = !run_until([this] { return work_is_done(); }, k_work_limit,
                        oracle::property::convergence, "the workload does not end");
  if (!gave_up_) check_end();
  if (!gave_up_) shut_down();
  return report();
}

RunReport World::report() {
  RunReport report;
  report.seed = plan_.seed;
  report.violations = oracle_.violations();
  report.trace_hash = executor_.trace().hash();
  report.steps = executor_.steps();
  report.requests = oracle_.counters().requests;
  report.compared_markers = oracle_.counters().compared_markers;
  report.legitimate_conflicts = oracle_.ledger().legitimate();
  report.spurious_conflicts = oracle_.ledger().spurious();
  report.virtual_time = executor_.now().since_start;
  report.continuing_client_crossed =
      std::any_of(clients_.begin(), clients_.end(),
                  [](const ClientProcess* client) { return client->client().crossed_a_restart(); });
  report.restarts = cluster_.counters();
  report.faults = faults_.counters();
  report.client_trouble = stage_.client_trouble;
  report.probes = stage_.probes;
  report.sights = stage_.sights;
  count_memberships(report.sights, oracle_.counters().memberships);
  report.workload = stage_.workload;
  for (std::size_t i = 0; i < report.marks.size(); ++i)
    report.marks[i] = marks_.count(static_cast<Mark>(i));
  if (report.failed()) report.last_lines = executor_.trace().last_lines();
  report.checkpoints = executor_.trace().checkpoints();
  report.every_step = executor_.trace().every_step();
  if (schedule_.recorded != nullptr) report.decisions = schedule_.recorded->decisions();
  if (schedule_.script != nullptr) report.inapplicable = schedule_.script->unused();
  report.restarts_begun = cluster_.begun();
  report.fault_hits = faults_.hits();
  if (options_.recorder != nullptr) options_.recorder->finish();
  return report;
}

}  // namespace

RunReport run_plan(const Plan& plan, const RunOptions& options) {
  World world(plan, options);
  return world.run();
}

}  // namespace holdfast::scenarios
