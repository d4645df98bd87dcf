#include "scenarios/clients/client_plans.hpp"

namespace holdfast::scenarios {
namespace {

/// Percent of plans with each family.
constexpr unsigned k_vanishing_percent = 14;
constexpr unsigned k_slow_percent = 12;
constexpr unsigned k_crowd_percent = 8;
constexpr unsigned k_proxy_percent = 14;

void plan_vanishing(Plan& plan, const Draws& draws) {
  for (PlannedClient& client : plan.clients)
    if (draws.percent(60, "this one", client.number))
      client.patience = ms(draws.one_of<std::uint64_t>({1, 30, 500, 5'000}, "ms", client.number));
}

void plan_slow(Plan& plan, const Draws& draws) {
  for (PlannedClient& client : plan.clients)
    if (draws.percent(50, "this one", client.number))
      client.lag = ms(draws.one_of<std::uint64_t>({50, 400, 2'000}, "ms", client.number));
}

void plan_crowd(Plan& plan, const Draws& draws) {
  const std::size_t spec = draws.below(plan.specs.size(), "spec");
  const Duration at = ms(draws.between(100, 2'500, "at"));
  const std::uint64_t size = draws.between(3, 8, "size");
  for (std::uint64_t i = 0; i < size; ++i)
    plan.clients.push_back(
        {.number = static_cast<unsigned>(plan.clients.size()),
         .spec = spec,
         .starts_at = at,
         .leaves_after = static_cast<unsigned>(draws.between(2, 4, "answers", i))});
}

void plan_proxy(Plan& plan, const Draws& draws) {
  for (PlannedClient& client : plan.clients)
    client.proxied = draws.percent(75, "this one", client.number);
}

}  // namespace

void plan_client_trouble(Plan& plan, const Draws& draws) {
  // First, since a crowd may be slow, too.
  now_and_then(plan, draws, "crowd", k_crowd_percent, plan_crowd);
  now_and_then(plan, draws, "vanishing", k_vanishing_percent, plan_vanishing);
  now_and_then(plan, draws, "slow", k_slow_percent, plan_slow);
  now_and_then(plan, draws, "proxy", k_proxy_percent, plan_proxy);
}

}  // namespace holdfast::scenarios
