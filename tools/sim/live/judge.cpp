#include "tools/sim/live/judge.hpp"

#include <algorithm>
#include <set>

#include "scenarios/strict_client.hpp"

namespace holdfast::tools::live {
namespace {

/// The history that triggers kept must end where the tables stand, or no verdict means anything.
constexpr const char* k_history_property = "live_history_is_the_database";

void check_history(const scenarios::Plan& plan, SqlTruth& truth, oracle::Oracle& oracle,
                   Instant at) {
  const oracle::VisibleSet everything{truth.last_commit(), {}};
  for (const oracle::ShapeSpec& spec : plan.specs) {
    const std::string wrong =
        oracle::difference(truth.rows(spec, everything), truth.rows_now(spec));
    if (!wrong.empty())
      oracle.object(k_history_property, spec.name + ", the history for the client: " + wrong, {},
                    at);
  }
}

}  // namespace

Judgement judge(const scenarios::Plan& plan, const Recording& recording, SqlTruth& truth) {
  oracle::Oracle oracle(truth);
  std::vector<scenarios::StrictClient> clients;
  clients.reserve(plan.clients.size());
  for (const scenarios::PlannedClient& client : plan.clients)
    clients.emplace_back(plan.specs[client.spec], client);

  for (const RecordedAnswer& answer : recording.answers) {
    scenarios::StrictClient& client = clients[answer.client];
    if (answer.begins_afresh) client.start_afresh(answer.begun_restarts);
    oracle::Exchange exchange = client.exchange_at(answer.sent);
    exchange.response = answer.response;
    exchange.answered = answer.answered;
    if (answer.overdue) oracle.overdue(exchange);
    client.judge(exchange, oracle);
    client.advance(answer.response, answer.restarts_over);
  }
  check_history(plan, truth, oracle, Instant{recording.time});
  if (recording.converged)
    for (const scenarios::StrictClient& client : clients)
      oracle.converged(client.spec(), client.name(), client.view(), Instant{recording.time});

  Judgement judgement;
  judgement.violations = oracle.violations();
  judgement.violations.insert(judgement.violations.end(), recording.violations.begin(),
                              recording.violations.end());
  std::stable_sort(judgement.violations.begin(), judgement.violations.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  judgement.counters = oracle.counters();
  judgement.legitimate_conflicts = oracle.ledger().legitimate();
  judgement.spurious_conflicts = oracle.ledger().spurious();
  judgement.continuing_client_crossed =
      std::any_of(clients.begin(), clients.end(),
                  [](const auto& client) { return client.crossed_a_restart(); });
  return judgement;
}

}  // namespace holdfast::tools::live
