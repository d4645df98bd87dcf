#include "scenarios/clients/client_plans.hpp"

#include <algorithm>
#include <string>

namespace holdfast::scenarios {
namespace {

/// Percent of plans with each family.
constexpr unsigned k_vanishing_percent = 14;
constexpr unsigned k_slow_percent = 12;
constexpr unsigned k_crowd_percent = 8;
constexpr unsigned k_proxy_percent = 14;
constexpr unsigned k_limit_percent = 12;

unsigned next_number(const Plan& plan) {
  return static_cast<unsigned>(plan.clients.size());
}
constexpr unsigned k_probe_percent = 30;
constexpr unsigned k_rotation_percent = 5;

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
        {.number = next_number(plan),
         .spec = spec,
         .starts_at = at,
         .leaves_after = static_cast<unsigned>(draws.between(2, 4, "answers", i))});
}

void plan_proxy(Plan& plan, const Draws& draws) {
  for (PlannedClient& client : plan.clients)
    client.proxied = draws.percent(75, "this one", client.number);
}

/// There may be fewer shapes than are asked for, and some are read by clients that come and go.
void plan_limit(Plan& plan, const Draws& draws) {
  if (plan.specs.size() < 2) return;
  plan.knobs.max_shapes = draws.between(1, plan.specs.size() - 1, "limit");
  plan.knobs.expiry_interval = ms(draws.one_of<std::uint64_t>({700, 2'000, 5'000}, "interval"));
  // A shape with subqueries takes two snapshots and more, one after the other: where the limit is
  // looked at more often than that, those that are waited for end each other for ever.
  const bool slow = std::any_of(plan.specs.begin(), plan.specs.end(), [](const auto& spec) {
    return spec.where.find("SELECT") != std::string::npos;
  });
  if (slow) plan.knobs.expiry_interval = std::max<Duration>(plan.knobs.expiry_interval, ms(5'000));
  plan.calm_standby = false;  // it makes no shapes, and who waited for one that expired needs one
  if (!plan.restarts.empty() && draws.percent(50, "aimed"))
    plan.restarts[draws.below(plan.restarts.size(), "restart")].moment = Moment::removal;
  for (std::size_t spec = 0; spec < plan.specs.size(); ++spec) {
    const Draws draw = draws.of("visits", spec);
    if (!draw.percent(60, "at all")) continue;
    for (PlannedClient& client : plan.clients)
      if (client.spec == spec)
        client.leaves_after = static_cast<unsigned>(draw.between(2, 6, "answers", client.number));
    const std::uint64_t visits = draw.between(1, 3, "visits");
    for (std::uint64_t i = 0; i < visits; ++i)
      plan.clients.push_back(
          {.number = next_number(plan),
           .spec = spec,
           .starts_at = ms(draw.between(500, 12'000, "at", i)),
           .leaves_after = static_cast<unsigned>(draw.between(1, 3, "stay", i))});
  }
}

/// Probes come by themselves, or several upon each other, so that they meet one moment of a
/// restart.
void plan_probes(Plan& plan, const Draws& draws) {
  const std::uint64_t count = draws.between(3, 14, "count");
  Duration at{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const Draws draw = draws.of("probe", i);
    const bool upon_the_last = i > 0 && draw.percent(50, "upon");
    at = upon_the_last ? at + us(draw.below(8'000, "soon")) : ms(draw.between(50, 4'000, "at"));
    const auto kind = static_cast<oracle::ProbeKind>(draw.below(oracle::k_probe_kinds, "kind"));
    plan.probes.push_back(
        {.number = static_cast<unsigned>(i),
         // What follows an answer to `now` is sent by whoever got it.
         .kind = kind == oracle::ProbeKind::follow_now ? oracle::ProbeKind::now : kind,
         .spec = draw.below(plan.specs.size(), "spec"),
         .at = at,
         .pick = draw.any("pick")});
  }
}

/// A shape is deleted again and again, and somebody comes with one of its earlier handles.
void plan_rotations(Plan& plan, const Draws& draws) {
  const std::size_t spec = draws.below(plan.specs.size(), "spec");
  Duration at = ms(draws.between(300, 1'200, "at"));
  for (std::uint64_t i = 0; i < 3; ++i) {
    plan.removals.push_back(
        {.number = static_cast<unsigned>(plan.removals.size()), .subject = spec, .at = at});
    at += ms(draws.between(100, 900, "pause", i));
  }
  for (std::uint64_t i = 0; i < 6; ++i)
    plan.probes.push_back({.number = static_cast<unsigned>(plan.probes.size()),
                           .kind = draws.one_of<oracle::ProbeKind>(
                               {oracle::ProbeKind::dead_handle, oracle::ProbeKind::dead_handle_live,
                                oracle::ProbeKind::expired_handle},
                               "kind", i),
                           .spec = spec,
                           .at = at - ms(draws.below(1'500, "before", i)),
                           .pick = draws.any("pick", i)});
}

}  // namespace

void plan_client_trouble(Plan& plan, const Draws& draws) {
  // First, since a crowd may be slow, too.
  now_and_then(plan, draws, "limit", k_limit_percent, plan_limit);
  now_and_then(plan, draws, "crowd", k_crowd_percent, plan_crowd);
  now_and_then(plan, draws, "vanishing", k_vanishing_percent, plan_vanishing);
  now_and_then(plan, draws, "slow", k_slow_percent, plan_slow);
  now_and_then(plan, draws, "proxy", k_proxy_percent, plan_proxy);
  now_and_then(plan, draws, "probes", k_probe_percent, plan_probes);
  now_and_then(plan, draws, "rotations", k_rotation_percent, plan_rotations);
}

}  // namespace holdfast::scenarios
