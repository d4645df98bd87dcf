#include "scenarios/plans/live_plan.hpp"

#include <algorithm>

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/profile.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Synchronous;
using std::chrono::milliseconds;

constexpr LiveScenario k_scenarios[] = {
    {"plain", "live", {}},
    {"hierarchy", "live_hierarchy", SubqueryWorld::hierarchy},
    {"issue_tracker", "live_issue_tracker", SubqueryWorld::tracker},
    {"access_lists", "live_access_lists", SubqueryWorld::access},
    {"awkward_values", "live_awkward_values", SubqueryWorld::awkward}};

constexpr unsigned k_writers = 4;
/// Real time passes while a writer pauses: long idle times are the simulation's business.
constexpr Duration k_longest_pause = milliseconds(600);
constexpr std::uint64_t k_longest_wait_for_restart_ms = 400;
/// About what a batch takes; some shapes are first asked for in the middle of the run.
constexpr std::uint64_t k_batch_ms = 400;

}  // namespace

std::span<const LiveScenario> live_scenarios() {
  return k_scenarios;
}

const LiveScenario* find_live_scenario(std::string_view name) {
  for (const LiveScenario& scenario : k_scenarios)
    if (scenario.name == name) return &scenario;
  return nullptr;
}

Plan make_live_plan(std::uint64_t seed, const LiveSize& size) {
  Plan plan = make_plan(Profile{.name = size.scenario->simulated,
                                .tables_max = 4,
                                .specs_min = size.shapes,
                                .specs_max = size.shapes,
                                .batches_min = size.batches,
                                .batches_max = size.batches,
                                .transactions_per_batch = size.transactions_per_batch,
                                .mutations_per_transaction = size.mutations_per_transaction,
                                .restarts_min = size.restarts(),
                                .restarts_max = size.restarts(),
                                .faults_max = 0,
                                .removal_percent = 0,
                                .second_client_percent = 100,
                                .calm_percent = 0,
                                .world = size.scenario->world},
                        seed);
  const Draws draws = Draws(seed).of("only_live");
  plan.writers = k_writers;
  for (std::size_t t = 0; t < plan.transactions.size(); ++t) {
    PlannedTransaction& transaction = plan.transactions[t];
    transaction.writer = static_cast<unsigned>(draws.below(k_writers, "writer", t));
    transaction.synchronous = transaction.writer % 2 == 0 ? Synchronous::on : Synchronous::off;
    transaction.pause_before = std::min(transaction.pause_before, k_longest_pause);
  }
  for (std::size_t c = 0; c < plan.clients.size(); ++c)
    if (draws.percent(40, "late", c))
      plan.clients[c].starts_at = milliseconds(draws.below(size.batches * k_batch_ms, "start", c));
  for (std::size_t r = 0; r < plan.restarts.size(); ++r) {
    PlannedRestart& restart = plan.restarts[r];
    restart.kind = draws.one_of(size.kinds, "kind", r);
    restart.moment = Moment::any_time;
    restart.after = milliseconds(draws.below(k_longest_wait_for_restart_ms, "after", r));
  }
  return plan;
}

}  // namespace holdfast::scenarios
