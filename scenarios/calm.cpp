#include "scenarios/calm.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

/// Stalled processes go on and back-offs run out within this time.
constexpr Duration k_settling = std::chrono::seconds(12);
/// Far above any latency a plan may have, far below the time for which a request is held.
constexpr Duration k_soon = std::chrono::seconds(2);
/// The same after a death: the engine may have to connect anew, and to take over.
constexpr Duration k_soon_after_death = std::chrono::seconds(10);
/// After which a further death is no crash loop to any supervisor.
constexpr Duration k_between_deaths = std::chrono::seconds(3);
constexpr Duration k_longest_hold = std::chrono::seconds(22);
constexpr std::uint64_t k_most_steps = 2'000'000;
/// Between one commit and the next: the requests that the first one answered are being made anew.
constexpr std::uint64_t k_most_gap_us = 4'000;
/// The step in which a request that has looked at its shape says that it waits for a change.
constexpr std::string_view k_looked_label = "request.looked";
constexpr unsigned k_slow_look_percent = 20;
constexpr std::uint64_t k_slowest_look_us = 40'000;

}  // namespace

std::uint64_t CalmEnd::draw(const char* site, unsigned number) const {
  return executor_.random().draw(hash64("/world/calm"), site, number);
}

void CalmEnd::run(unsigned commits, unsigned deaths) {
  if (commits == 0) return;
  pass(k_settling);
  for (unsigned number = 0; number < commits; ++number) {
    const bool after_death = number < deaths;
    if (after_death) let_one_die(number);
    const std::uint64_t before = truth_.last_commit();
    expect_all_told(before, commit(number), after_death ? k_soon_after_death : k_soon);
    const bool last_death = after_death && number + 1 == deaths;
    if (after_death) pass(last_death ? k_settling : k_between_deaths);
    pass(std::chrono::microseconds(draw("gap", number) % k_most_gap_us));
  }
  expect_holds_to_end();
}

void CalmEnd::observe(const sim::StepInfo& step) {
  if (step.label.text != k_looked_label) return;
  const unsigned look = looks_++;
  if (draw("slow look", look) % 100 >= k_slow_look_percent) return;
  executor_.stall(*step.instance, step.process,
                  std::chrono::microseconds(draw("look", look) % k_slowest_look_us));
}

void CalmEnd::let_one_die(unsigned number) {
  std::vector<std::pair<runtime::Runtime*, runtime::ProcessId>> victims;
  for (Instance* instance : cluster_.living())
    for (const runtime::ProcessInfo& process : instance->runtime().processes())
      if (process.registered_name != "keeper" &&
          process.path.find("/request[") == std::string::npos)
        victims.emplace_back(&instance->runtime(), process.id);
  if (victims.empty()) return;
  const auto [runtime, victim] = victims[draw("victim", number) % victims.size()];
  if (draw("how", number) % 2 == 0)
    runtime->kill(victim);
  else
    runtime->send_exit(victim, runtime::ExitReason::crash("injected"));
  // At once, while it is being replaced, or when all is as before.
  constexpr std::chrono::milliseconds k_waits[] = {
      {}, {}, std::chrono::milliseconds(5), std::chrono::milliseconds(1'500)};
  pass(k_waits[draw("wait", number) % std::size(k_waits)]);
}

void CalmEnd::pass(Duration time) {
  executor_.run_until([] { return false; },
                      {.until = executor_.now() + time, .most_steps = k_most_steps});
}

std::uint64_t CalmEnd::commit(unsigned number) {
  const std::pair<std::string, std::string> cells[] = {{"v", std::to_string(2 + number)},
                                                       {"i", std::to_string(number % 4)},
                                                       {"active", number % 2 == 0 ? "f" : "t"},
                                                       {"open", number % 2 == 0 ? "f" : "t"}};
  std::vector<sim::postgres::Statement> updates;
  for (const sim::postgres::TableDefinition& table : stage_.plan->tables) {
    sim::postgres::Statement update{sim::postgres::StatementKind::update,
                                    table.name,
                                    {},
                                    {{"id", std::string(k_final_key)}},
                                    {}};
    for (const auto& [name, text] : cells)
      if (find_column(table, name) != nullptr) update.set.emplace_back(name, text);
    if (!update.set.empty()) updates.push_back(std::move(update));
  }
  return commit_at_once(*stage_.postgres, updates).commit_lsn.value;
}

void CalmEnd::expect_all_told(std::uint64_t before, std::uint64_t commit, Duration within) {
  std::vector<ClientProcess*> concerned;
  for (ClientProcess* client : clients_) {
    if (!client->view().snapshot()) continue;
    const oracle::StatedSnapshot& snapshot = *client->view().snapshot();
    const std::size_t form = client->view().form().value_or(0);
    if (truth_.digest(client->spec(), {before, snapshot, form}) !=
        truth_.digest(client->spec(), {commit, snapshot, form}))
      concerned.push_back(client);
  }
  const auto told = [&](const ClientProcess* client) { return client->was_told(commit); };
  executor_.run_until([&] { return std::all_of(concerned.begin(), concerned.end(), told); },
                      {.until = executor_.now() + within, .most_steps = k_most_steps});
  for (const ClientProcess* client : concerned)
    if (!told(client))
      stage_.oracle->object(oracle::property::promptness,
                            client->spec().name + ": a change of a quiet database, committed at " +
                                std::to_string(commit) + ", is not there after " +
                                std::to_string(within / std::chrono::seconds(1)) + " s",
                            client->name(), executor_.now());
}

void CalmEnd::expect_holds_to_end() {
  const Instant begin = executor_.now();
  const auto expect_answered = [&](bool proxied) {
    for (const ClientProcess* client : clients_)
      if (client->proxied() == proxied && client->last_answer() <= begin)
        stage_.oracle->object(oracle::property::request_ends,
                              client->spec().name + ": a request is held for more than 20 s",
                              client->name(), executor_.now());
  };
  pass(k_longest_hold);
  expect_answered(false);
  pass(CachingProxy::k_lock_timeout);  // for which a client may have waited for another's answer
  expect_answered(true);
}

}  // namespace holdfast::scenarios
