#include "scenarios/clients/client_plans.hpp"

namespace holdfast::scenarios {
namespace {

/// Percent of plans with each family.
constexpr unsigned k_vanishing_percent = 14;
constexpr unsigned k_slow_percent = 12;
constexpr unsigned k_crowd_percent = 8;
constexpr unsigned k_proxy_percent = 14;

Duration ms(std::uint64_t count) {
  return std::chrono::milliseconds(count);
}

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
  const auto when = [&](const char* name, unsigned percent, auto add) {
    const Draws own = draws.of(name);
    if (own.percent(percent, "at all")) add(plan, own);
  };
  when("crowd", k_crowd_percent, plan_crowd);  // first: a crowd may be slow, too
  when("vanishing", k_vanishing_percent, plan_vanishing);
  when("slow", k_slow_percent, plan_slow);
  when("proxy", k_proxy_percent, plan_proxy);
}

}  // namespace holdfast::scenarios
