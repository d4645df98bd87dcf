#include "scenarios/subqueries/issue_plans.hpp"

#include <algorithm>

#include "scenarios/plans/profile.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Statement;

bool is_own_table(const Plan& plan, const Statement& statement) {
  return std::any_of(plan.specs.begin(), plan.specs.end(), [&](const oracle::ShapeSpec& spec) {
    return spec.table == statement.table.table;
  });
}

/// Of this transaction only what changes inner tables; all of it, if that were nothing.
void keep_inner(const Plan& plan, PlannedTransaction& transaction) {
  PlannedTransaction inner = transaction;
  inner.statements.clear();
  inner.pauses.clear();
  for (std::size_t i = 0; i < transaction.statements.size(); ++i) {
    if (is_own_table(plan, transaction.statements[i])) continue;
    inner.statements.push_back(transaction.statements[i]);
    inner.pauses.push_back(transaction.pauses[i]);
  }
  if (!inner.statements.empty()) transaction = std::move(inner);
}

void keep_inner_of_some(Plan& plan, unsigned percent, const Draws& draws) {
  for (std::size_t t = 0; t < plan.transactions.size(); ++t)
    if (draws.percent(percent, "inner_only", t)) keep_inner(plan, plan.transactions[t]);
}

void restart_by(Plan& plan, const std::vector<RestartKind>& kinds, Moment moment,
                const Draws& draws) {
  for (PlannedRestart& restart : plan.restarts) {
    restart.kind = draws.one_of(kinds, "kind", restart.number);
    restart.moment = moment;
  }
}

void write_without_a_pause(Plan& plan, const Draws& draws) {
  for (std::size_t t = 0; t < plan.transactions.size(); ++t) {
    plan.transactions[t].pause_before = us(draws.below(30'000, "pause", t));
    for (Duration& pause : plan.transactions[t].pauses) pause = Duration{0};
  }
}

/// B1: a restart reads the history of an inner shape, which is of several chunks; what changes
/// first is the inner table, while nobody has touched the outer shape.
void inner_history_in_chunks(Plan& plan, const Draws& draws) {
  plan.knobs.chunk_bytes = 200;
  plan.knobs.inline_snapshot_bytes = 100;
  restart_by(plan, {RestartKind::graceful, RestartKind::brutal, RestartKind::rolling},
             Moment::any_time, draws);
  keep_inner_of_some(plan, 60, draws);
}

/// B2: the slot replays a transaction of one fragment that is in the log of an outer shape already,
/// whose view has changed since.
void replayed_transaction(Plan& plan, const Draws& draws) {
  plan.knobs.fragment_bytes = 1ULL << 20;
  restart_by(plan, {RestartKind::brutal, RestartKind::power_loss}, Moment::commit, draws);
  write_without_a_pause(plan, draws);
}

/// B3: a client that was served from memory asks on where the shape has not come to yet again.
void offset_before_the_replay(Plan& plan, const Draws& draws) {
  plan.knobs.disk_sync_latency = ms(8);
  plan.knobs.network_latency = Duration{0};
  restart_by(plan, {RestartKind::brutal, RestartKind::power_loss}, Moment::commit, draws);
  for (PlannedRestart& restart : plan.restarts) restart.down_time = Duration{0};
  for (PlannedClient& client : plan.clients) client.fresh_after = 0;
}

/// B4: the log of an inner shape is of several chunks, and is read from its beginning.
void inner_log_in_chunks(Plan& plan, const Draws& draws) {
  plan.knobs.chunk_bytes = 200;
  plan.knobs.journal_bytes = 2'000;
  restart_by(plan, {RestartKind::graceful, RestartKind::brutal}, Moment::any_time, draws);
  for (PlannedRestart& restart : plan.restarts) restart.after = ms(600) + restart.after;
  keep_inner_of_some(plan, 90, draws);
}

/// B5: inner tables change while a start restores one outer shape after the other.
void inner_ahead_of_outer(Plan& plan, const Draws& draws) {
  restart_by(
      plan,
      {RestartKind::graceful, RestartKind::brutal, RestartKind::rolling, RestartKind::overlapping},
      Moment::any_time, draws);
  for (PlannedRestart& restart : plan.restarts) restart.down_time = Duration{0};
  keep_inner_of_some(plan, 80, draws);
  write_without_a_pause(plan, draws);
}

/// B6: the stack stops, also longer than it may, while inner shapes have changes under way. Nothing
/// is killed (design.md §11).
void stop_among_inner_changes(Plan& plan, const Draws& draws) {
  restart_by(plan, {RestartKind::graceful, RestartKind::overlapping}, Moment::any_time, draws);
  for (PlannedRestart& restart : plan.restarts) restart.kill_during_stop = false;
  for (std::uint64_t f = 0; f < draws.below(3, "stalls"); ++f)
    plan.faults.push_back({FaultKind::stall_process, ms(draws.between(100, 2'500, "stall", f)),
                           draws.any("victim", f)});
  keep_inner_of_some(plan, 80, draws);
  write_without_a_pause(plan, draws);
}

constexpr IssueScenario k_issues[] = {
    {"issue_inner_history_in_chunks", "B1", inner_history_in_chunks},
    {"issue_replayed_transaction", "B2", replayed_transaction},
    {"issue_offset_before_the_replay", "B3", offset_before_the_replay},
    {"issue_inner_log_in_chunks", "B4", inner_log_in_chunks},
    {"issue_inner_ahead_of_outer", "B5", inner_ahead_of_outer},
    {"bug6_shutdown_race", "B6", stop_among_inner_changes}};

}  // namespace

std::span<const IssueScenario> issue_scenarios() {
  return k_issues;
}

Plan make_issue_plan(const IssueScenario& scenario, std::uint64_t seed) {
  Plan plan = make_plan(Profile{.name = scenario.name,
                                .tables_max = 0,
                                .specs_min = 2,
                                .specs_max = 5,
                                .batches_min = 3,
                                .batches_max = 5,
                                .transactions_per_batch = 6,
                                .mutations_per_transaction = 5,
                                .restarts_min = 2,
                                .restarts_max = 4,
                                .faults_max = 0,
                                .removal_percent = 0,
                                .second_client_percent = 60,
                                .calm_percent = 0,
                                .world = SubqueryWorld::hierarchy},
                        seed);
  scenario.steer(plan, Draws(seed).of("steer"));
  return plan;
}

}  // namespace holdfast::scenarios
