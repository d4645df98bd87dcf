// From a seed to a plan, per scenario. Pure: the same seed gives the same plan in every build.
#include <algorithm>

#include "scenarios/alterations/alteration_plans.hpp"
#include "scenarios/clients/client_plans.hpp"
#include "scenarios/faults/swarm.hpp"
#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/layouts.hpp"
#include "scenarios/plans/live_plan.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/plans/profile.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/subqueries/issue_plans.hpp"
#include "scenarios/world/database_trouble.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Statement;
using sim::postgres::Synchronous;
using sim::postgres::TypeId;
using Subqueries = std::optional<SubqueryWorkload>;  ///< none: plain shapes

constexpr unsigned k_calm_commits = 8;
/// Of restarts: the last kind costs a history some seconds of virtual time.
constexpr unsigned k_frozen_percent = 8;
/// Of restarts and of batches: long enough before them for every timer of the engine to go off.
constexpr unsigned k_idle_percent = 8;
/// Of restarts and faults where shapes have subqueries.
constexpr unsigned k_in_move_percent = 20;
constexpr unsigned k_unknown_percent = 35;  ///< clauses that are unknown for many rows
constexpr unsigned k_blind_percent = 10;    ///< of statements: whether it can work is not looked at
constexpr unsigned k_poison_percent = 6;    ///< of histories
constexpr unsigned k_weighted_percent = 10;
constexpr unsigned k_racing_percent = 10;
/// Of histories, each option that has not its default.
constexpr unsigned k_option_percent = 15;
constexpr std::uint64_t k_large_percent = 6;  ///< transactions that fragments and chunks cut

/// Of subquery workloads.
constexpr unsigned k_many_nulls_percent = 25;

StrategyKind draw_strategy(const Draws& draws) {
  const std::uint64_t roll = draws.below(100, "strategy");
  if (roll < 30) return StrategyKind::fifo;
  if (roll < 65) return StrategyKind::uniform;
  return draws.one_of<StrategyKind>(
      {StrategyKind::pct1, StrategyKind::pct2, StrategyKind::pct3, StrategyKind::pct5}, "depth");
}

/// The other strategies take their share of all.
StrategyKind draw_other_strategy(const Draws& draws, StrategyKind usual) {
  const std::uint64_t roll = draws.below(100, "other strategy");
  if (roll < k_weighted_percent) return StrategyKind::weighted;
  if (roll >= k_weighted_percent + k_racing_percent) return usual;
  return draws.percent(50, "pairs") ? StrategyKind::racing1 : StrategyKind::racing3;
}

/// Options of the engine and of the server that are about time and size, each by a draw of its own.
void draw_options(Knobs& knobs, const Draws& draws) {
  const auto seconds_or = [&](const char* name, Duration& knob, std::vector<std::uint64_t> others) {
    if (draws.percent(k_option_percent, name)) knob = ms(draws.one_of(others, name, 1));
  };
  seconds_or("long_poll", knobs.long_poll_timeout, {1'000, 3'000, 7'000});
  seconds_or("ready", knobs.stack_ready_timeout, {50, 800});
  seconds_or("snapshot_wait", knobs.snapshot_wait, {500, 5'000});
  seconds_or("standby_poll", knobs.standby_poll, {10, 1'000});
  seconds_or("backoff", knobs.reconnect_backoff_min, {10, 100});
  seconds_or("backoff_max", knobs.reconnect_backoff_max, {1'000, 3'000});
  seconds_or("status", knobs.status_interval, {300, 2'000});
  seconds_or("walsender", knobs.wal_sender_timeout, {8'000, 25'000});
  if (draws.percent(k_option_percent, "pool"))
    knobs.connection_pool_size = draws.one_of<unsigned>({1, 2, 4}, "pool_size");
  if (draws.percent(k_option_percent, "admission"))
    knobs.max_initial_requests = draws.one_of<unsigned>({1, 2, 4}, "initial_requests");
}

Knobs draw_knobs(const Draws& draws, const Profile& profile) {
  Knobs knobs;
  if (profile.name == "reference") return knobs;
  knobs.chunk_bytes = draws.one_of<std::uint64_t>({200, 600, 2'000, 10'000, 10ULL << 20}, "chunk");
  knobs.inline_snapshot_bytes = draws.percent(30, "inline") ? 100 : 256ULL << 10;
  knobs.journal_bytes = draws.one_of<std::uint64_t>({2'000, 20'000, 64ULL << 20}, "journal");
  knobs.fragment_bytes = draws.one_of<std::uint64_t>({400, 1'500, 1ULL << 20}, "fragment");
  knobs.bytes_under_way_max = draws.one_of<std::uint64_t>({0, 60, 4ULL << 20}, "under_way");
  knobs.network_latency = us(draws.one_of<std::uint64_t>({0, 300, 5'000}, "network"));
  knobs.postgres_latency = us(draws.one_of<std::uint64_t>({0, 200, 3'000}, "postgres"));
  knobs.disk_sync_latency = us(draws.one_of<std::uint64_t>({0, 500, 8'000}, "sync"));
  knobs.disk_yields_everywhere = draws.percent(15, "yields");
  knobs.ragged_receive_percent = draws.percent(30, "ragged") ? 50 : 0;
  if (draws.percent(15, "xid")) knobs.first_xid = (1ULL << 32) - 20;
  if (draws.percent(15, "epoch")) knobs.first_xid = (3ULL << 32) + 740;
  if (draws.percent(10, "lsn")) knobs.first_lsn = (1ULL << 63) - 4'096;
  return knobs;
}

/// What plans of one kind of workload are made of. `draws` are those of the whole plan.
Subqueries draw_subqueries(const Profile& profile, const Draws& draws) {
  if (!profile.world) return std::nullopt;
  SubqueryWorkload workload{.world = *profile.world};
  if (profile.benchmark) return workload;
  workload.many_nulls = draws.percent(k_many_nulls_percent, "many_nulls");
  workload.key_type =
      draws.one_of<TypeId>({TypeId::int8, TypeId::int8, TypeId::int4, TypeId::numeric}, "key_type");
  return workload;
}

void plan_tables(Plan& plan, const Profile& profile, const Subqueries& subqueries,
                 const Draws& draws) {
  if (subqueries) {
    plan.tables = make_subquery_tables(*subqueries);
    return;
  }
  const std::uint64_t tables = draws.between(1, profile.tables_max, "tables");
  for (unsigned t = 0; t < tables; ++t) plan.tables.push_back(make_table(t));
}

oracle::ShapeSpec draw_spec(const Plan& plan, const Profile& profile, const Subqueries& subqueries,
                            std::uint64_t keys, const Draws& draw) {
  std::string name = "s" + std::to_string(plan.specs.size());
  if (subqueries) return make_subquery_spec(*subqueries, std::move(name), keys, draw);
  oracle::ShapeSpec spec =
      make_spec(plan.tables[draw.below(plan.tables.size(), "table")], std::move(name), draw);
  if (!profile.benchmark && draw.percent(k_unknown_percent, "unknown"))
    spec.where = make_unknown_where(draw.of("unknown"));
  return spec;
}

void plan_specs(Plan& plan, const Profile& profile, const Subqueries& subqueries,
                std::uint64_t keys, const Draws& draws) {
  const std::uint64_t specs = draws.between(profile.specs_min, profile.specs_max, "specs");
  // Equal definitions share a handle, so each is in the plan once.
  for (std::uint64_t draw_number = 0; plan.specs.size() < specs; ++draw_number) {
    oracle::ShapeSpec spec =
        draw_spec(plan, profile, subqueries, keys, draws.of("spec", draw_number));
    if (std::none_of(plan.specs.begin(), plan.specs.end(),
                     [&](const oracle::ShapeSpec& other) { return same_definition(spec, other); }))
      plan.specs.push_back(std::move(spec));
  }
}

std::vector<Statement> draw_mutation(const Plan& plan, const Subqueries& subqueries,
                                     std::uint64_t keys, const Draws& draw) {
  if (subqueries) return make_subquery_mutation(*subqueries, keys, draw);
  const auto& table = plan.tables[draw.below(plan.tables.size(), "table")];
  return {make_mutation(table, keys, draw)};
}

void plan_rows(Plan& plan, const Subqueries& subqueries, std::uint64_t keys, const Draws& draws) {
  for (std::uint64_t key = 0; key < keys; ++key)
    for (std::size_t t = 0; t < plan.tables.size(); ++t) {
      const Draws draw = draws.of("initial", key * 16 + t);
      if (draw.percent(subqueries ? 70 : 50, "present"))
        plan.initial_rows.push_back(subqueries ? make_subquery_row(*subqueries, t, key, draw)
                                               : make_insert(plan.tables[t], key, draw));
    }
}

std::uint64_t draw_keys(const Profile& profile, const Draws& draws) {
  if (profile.benchmark && profile.world) return 16;
  return draws.one_of<std::uint64_t>({3, 8, 16}, "keys");
}

/// The statements of one transaction. Without subqueries most of them find what they need, in
/// benchmarks all; with subqueries each makes room for itself.
void plan_statements(PlannedTransaction& transaction, const Plan& plan, const Profile& profile,
                     const Subqueries& subqueries, std::uint64_t keys, ExpectedKeys& expected,
                     const Draws& tx) {
  const bool large = !profile.benchmark && tx.percent(k_large_percent, "large");
  const bool makes_room = large || subqueries;
  const std::uint64_t mutations =
      profile.benchmark ? profile.mutations_per_transaction
      : large           ? tx.between(12, 40, "many")
                        : tx.between(1, profile.mutations_per_transaction, "mutations");
  ExpectedKeys after = expected;
  bool fails = transaction.rolls_back;
  for (std::uint64_t m = 0; m < mutations; ++m) {
    const Draws draw = tx.of("mutation", m);
    const bool aims = !makes_room && (profile.benchmark || !draw.percent(k_blind_percent, "blind"));
    for (Statement& statement : draw_mutation(plan, subqueries, keys, draw)) {
      if (aims) statement = after.aim(std::move(statement), keys);
      if (const auto room = makes_room ? make_room_for(statement) : std::nullopt) {
        after.apply(*room);
        transaction.statements.push_back(*room);
        transaction.pauses.emplace_back();
      }
      fails = fails || after.collides(statement);
      after.apply(statement);
      transaction.statements.push_back(std::move(statement));
      transaction.pauses.push_back(us(draw.percent(20, "slow") ? draw.below(30'000, "long") : 0));
    }
  }
  if (!fails) expected = std::move(after);
}

void plan_transactions(Plan& plan, const Profile& profile, const Subqueries& subqueries,
                       std::uint64_t keys, const Draws& draws) {
  plan.writers = static_cast<unsigned>(draws.between(1, 3, "writers"));
  const std::uint64_t batches = draws.between(profile.batches_min, profile.batches_max, "batches");
  const std::uint64_t count = batches * profile.transactions_per_batch;
  ExpectedKeys expected;
  for (const sim::postgres::Statement& row : plan.initial_rows) expected.apply(row);
  for (std::uint64_t t = 0; t < count; ++t) {
    const Draws tx = draws.of("transaction", t);
    PlannedTransaction transaction;
    transaction.writer = static_cast<unsigned>(tx.below(plan.writers, "writer"));
    const bool first_of_batch = t % profile.transactions_per_batch == 0;
    transaction.pause_before =
        first_of_batch ? ms(tx.between(50, 600, "batch_pause")) : us(tx.below(20'000, "pause"));
    if (!profile.benchmark && first_of_batch && tx.percent(k_idle_percent, "idle"))
      transaction.pause_before += ms(tx.between(2'000, 14'000, "idle_time"));
    transaction.synchronous = tx.percent(40, "async") ? Synchronous::off : Synchronous::on;
    transaction.rolls_back = tx.percent(5, "rollback");
    plan_statements(transaction, plan, profile, subqueries, keys, expected, tx);
    plan.transactions.push_back(std::move(transaction));
  }
}

unsigned next_number(const Plan& plan) {
  return static_cast<unsigned>(plan.clients.size());
}

void plan_clients(Plan& plan, const Profile& profile, const Draws& draws) {
  for (std::size_t spec = 0; spec < plan.specs.size(); ++spec) {
    const Draws draw = draws.of("clients", spec);
    // Half of the clients continue across every restart, half start afresh now and then.
    plan.clients.push_back({next_number(plan), spec, us(draw.below(400'000, "start"))});
    if (draw.percent(profile.second_client_percent, "second"))
      plan.clients.push_back({next_number(plan), spec, us(draw.below(1'500'000, "second_start")),
                              static_cast<unsigned>(draw.between(2, 12, "fresh"))});
  }
}

/// Moments that come in every history; the others are planned with what brings them about.
constexpr std::uint64_t k_untimed_restart_moments =
    static_cast<std::uint64_t>(Moment::takeover) + 1;

void plan_restarts(Plan& plan, const Profile& profile, const Draws& draws) {
  const std::uint64_t count = draws.between(profile.restarts_min, profile.restarts_max, "restarts");
  for (std::uint64_t r = 0; r < count; ++r) {
    const Draws draw = draws.of("restart", r);
    PlannedRestart restart;
    restart.number = static_cast<unsigned>(r);
    restart.kind = static_cast<RestartKind>(draw.below(k_restart_kinds - 1, "kind"));
    if (!profile.benchmark && draw.percent(k_frozen_percent, "frozen"))
      restart.kind = RestartKind::frozen;
    restart.after = ms(draw.between(20, 900, "after"));
    if (!profile.benchmark && draw.percent(k_idle_percent, "idle"))
      restart.after += ms(draw.between(2'000, 14'000, "idle_time"));
    restart.moment = draw.percent(50, "aimed")
                         ? static_cast<Moment>(draw.below(k_untimed_restart_moments, "moment"))
                         : Moment::any_time;
    if (!profile.benchmark && draw.percent(8, "in_fragment")) restart.moment = Moment::fragment;
    if (profile.world && !profile.benchmark && draw.percent(k_in_move_percent, "in_move"))
      restart.moment = Moment::move;
    if (!profile.benchmark && draw.percent(8, "at_confirmation"))
      restart.moment = Moment::confirmation;
    if (!profile.benchmark && draw.percent(5, "in_spill")) restart.moment = Moment::spill;
    if (!profile.benchmark && draw.percent(3, "in_judgement")) restart.moment = Moment::judgement;
    restart.down_time = ms(draw.one_of<std::uint64_t>({0, 5, 200, 2'000}, "down"));
    restart.overlap = us(draw.one_of<std::uint64_t>({0, 500, 20'000, 700'000}, "overlap"));
    restart.kill_during_stop = draw.percent(30, "kill");
    restart.kill_delay = us(draw.below(3'000, "kill_delay"));
    plan.restarts.push_back(restart);
  }
}

/// Kinds of fault that come at any time; the others are planned with what they are to hit.
constexpr std::uint64_t k_untimed_fault_kinds =
    static_cast<std::uint64_t>(FaultKind::disk_full) + 1;

void plan_faults(Plan& plan, const Profile& profile, const Draws& draws) {
  const std::uint64_t count =
      profile.benchmark ? profile.faults_max : draws.below(profile.faults_max + 1, "faults");
  for (std::uint64_t f = 0; f < count; ++f) {
    const Draws draw = draws.of("fault", f);
    // Of the ways to break the disk a history has at most one now and then: each costs a restart.
    const std::uint64_t kinds = profile.benchmark ? 2 : k_untimed_fault_kinds;
    PlannedFault fault;
    fault.kind = static_cast<FaultKind>(draw.below(kinds, "kind"));
    fault.at = ms(draw.between(100, 2'500, "at"));
    fault.pick = draw.any("pick");
    if (!profile.benchmark && draw.percent(40, "aimed"))
      fault.moment = draw.one_of<Moment>(
          {Moment::commit, Moment::snapshot, Moment::removal, Moment::takeover, Moment::fragment},
          "moment");
    if (profile.world && !profile.benchmark && draw.percent(k_in_move_percent, "in_move"))
      fault.moment = Moment::move;
    plan.faults.push_back(fault);
  }
  if (!draws.percent(profile.removal_percent, "removal")) return;
  const Draws draw = draws.of("removal");
  PlannedRemoval removal;
  removal.truncate = draw.percent(50, "truncate");
  removal.subject =
      draw.below(removal.truncate ? plan.tables.size() : plan.specs.size(), "subject");
  removal.at = ms(draw.between(200, 2'500, "at"));
  plan.removals.push_back(removal);
}

/// A shape's consumer dies of whatever it is given.
void plan_poison(Plan& plan, const Draws& draws) {
  plan.faults.push_back(
      {FaultKind::poisoned_shape, ms(draws.between(50, 2'000, "at")), draws.any("pick")});
  plan.knobs.quarantine_retry = ms(draws.one_of<std::uint64_t>({500, 3'000, 60'000}, "retry"));
  if (draws.percent(20, "little room")) plan.knobs.quarantine_bytes_max = 300;
}

}  // namespace

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const Profile& profile : profiles()) names.emplace_back(profile.name);
  for (const IssueScenario& issue : issue_scenarios()) names.emplace_back(issue.name);
  for (const LiveScenario& live : live_scenarios()) names.emplace_back(live.simulated);
  return names;
}

Plan make_plan(const std::string& scenario, std::uint64_t seed) {
  for (const IssueScenario& issue : issue_scenarios())
    if (scenario == issue.name) return make_issue_plan(issue, seed);
  for (const LiveScenario& live : live_scenarios())
    if (scenario == live.simulated) return make_live_plan(seed, {.scenario = &live});
  const auto all = profiles();
  const auto profile =
      std::find_if(all.begin(), all.end(), [&](const Profile& p) { return p.name == scenario; });
  ASSERT(profile != all.end(), "a plan is made for a scenario that exists");
  return make_plan(*profile, seed);
}

Plan make_plan(const Profile& profile, std::uint64_t seed) {
  const Draws draws = Draws(seed).of(profile.name);
  Plan plan;
  plan.scenario = profile.name;
  plan.seed = seed;
  plan.strategy = draw_strategy(draws);
  plan.knobs = draw_knobs(draws.of("knobs"), profile);
  const Subqueries subqueries = draw_subqueries(profile, draws.of("subqueries"));
  const Draws workload = draws.of("workload");
  const std::uint64_t keys = draw_keys(profile, workload);
  plan_tables(plan, profile, subqueries, draws);
  plan_specs(plan, profile, subqueries, keys, draws);
  plan_clients(plan, profile, draws);
  plan_rows(plan, subqueries, keys, workload);
  plan_transactions(plan, profile, subqueries, keys, workload);
  plan_restarts(plan, profile, draws);
  plan_faults(plan, profile, draws);
  if (draws.percent(profile.calm_percent, "calm")) plan.calm_commits = k_calm_commits;
  if (plan.calm_commits > 0 && draws.percent(50, "calm_deaths"))
    plan.calm_deaths = plan.calm_commits / 2;
  plan.calm_standby = plan.calm_commits > 0 && draws.percent(30, "standby");
  if (profile.every_trouble) {
    plan_database_trouble(plan, draws.of("database"));
    plan_client_trouble(plan, draws.of("client_trouble"));
    now_and_then(plan, draws.of("engine"), "poison", k_poison_percent, plan_poison);
    // The truth knows the forms of a shape's own table, not of those that its clause reads.
    if (!profile.world) plan_alterations(plan, draws);
    if (profile.world)
      double_inner_rows(plan, draws.of("inner_rows"));
    else
      lay_out_tables(plan, draws.of("layouts"));
    plan.strategy = draw_other_strategy(draws, plan.strategy);
    draw_options(plan.knobs, draws.of("options"));
    plan_swarm(plan, draws.of("swarm"));
  }
  return plan;
}

}  // namespace holdfast::scenarios
