#include "scenarios/faults/swarm.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace holdfast::scenarios {
namespace {

/// Percent of plans.
constexpr unsigned k_storm_percent = 20;
constexpr unsigned k_masked_percent = 40;
/// Of the families of a masked plan: so many are off.
constexpr unsigned k_off_percent = 50;

enum class Family : std::uint8_t { processes, calls, connections, server, disk, clients, probes };
constexpr std::array<std::string_view, 7> k_families = {
    "processes", "calls", "connections", "server", "disk", "clients", "probes"};

Family family_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill_process:
    case FaultKind::exit_process:
    case FaultKind::shutdown_process:
    case FaultKind::stall_process:
    case FaultKind::poisoned_shape:
      return Family::processes;
    case FaultKind::callee_dies_before:
    case FaultKind::callee_dies_during:
    case FaultKind::callee_dies_after:
    case FaultKind::reply_lost:
    case FaultKind::name_vacant:
    case FaultKind::table_vanishes:
      return Family::calls;
    case FaultKind::postgres_disconnect:
    case FaultKind::postgres_silent:
    case FaultKind::postgres_half_open:
    case FaultKind::keepalive_flood:
    case FaultKind::slow_queries:
      return Family::connections;
    case FaultKind::postgres_crash:
    case FaultKind::slot_recreated:
    case FaultKind::postgres_shutdown:
    case FaultKind::slot_back:
    case FaultKind::timeline_change:
    case FaultKind::slot_lost:
    case FaultKind::publication_dropped:
      return Family::server;
    case FaultKind::disk_error:
    case FaultKind::disk_full:
      return Family::disk;
  }
  ASSERT(false, "every fault is of a family");
}

/// Of these a storm has many.
const std::vector<FaultKind> k_stormy = {
    FaultKind::kill_process,      FaultKind::exit_process,        FaultKind::shutdown_process,
    FaultKind::stall_process,     FaultKind::callee_dies_before,  FaultKind::callee_dies_during,
    FaultKind::callee_dies_after, FaultKind::reply_lost,          FaultKind::name_vacant,
    FaultKind::table_vanishes,    FaultKind::postgres_disconnect, FaultKind::keepalive_flood,
    FaultKind::slow_queries};

void plan_storms(Plan& plan, const Draws& draws) {
  const std::uint64_t storms = draws.between(1, 3, "storms");
  Duration begin = ms(draws.between(50, 1'500, "first"));
  for (std::uint64_t s = 0; s < storms; ++s) {
    const Draws storm = draws.of("storm", s);
    const std::uint64_t length_ms = storm.one_of<std::uint64_t>({5, 60, 400}, "length");
    // One storm is of two or three kinds of fault, not of a little of everything.
    std::vector<FaultKind> kinds;
    for (std::uint64_t k = 0; k < storm.between(1, 3, "kinds"); ++k)
      kinds.push_back(storm.one_of(k_stormy, "kind", k));
    for (std::uint64_t f = 0; f < storm.between(2, 6, "faults"); ++f)
      plan.faults.push_back({.kind = storm.one_of(kinds, "which", f),
                             .at = begin + us(storm.below(1'000 * length_ms, "at", f)),
                             .pick = storm.any("pick", f)});
    begin += ms(length_ms + storm.between(800, 2'500, "calm"));
  }
}

void mask(Plan& plan, const Draws& draws) {
  const auto off = [&](Family family) {
    return draws.percent(k_off_percent, k_families[static_cast<std::size_t>(family)]);
  };
  std::erase_if(plan.faults, [&](const PlannedFault& fault) { return off(family_of(fault.kind)); });
  if (off(Family::probes)) plan.probes.clear();
  if (!off(Family::clients)) return;
  for (PlannedClient& client : plan.clients) {
    client.patience = client.lag = {};
    client.proxied = false;
  }
}

/// Later faults go first: the others are where they were planned to be.
void keep_to_budget(Plan& plan) {
  unsigned spent = 0;
  std::erase_if(plan.faults, [&](const PlannedFault& fault) {
    const unsigned cost = cost_of(fault.kind);
    if (spent + cost > k_fault_budget) return true;
    spent += cost;
    return false;
  });
}

}  // namespace

unsigned cost_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::postgres_silent:
    case FaultKind::postgres_half_open:
      return 6;
    case FaultKind::timeline_change:
    case FaultKind::slot_recreated:
    case FaultKind::slot_lost:
    case FaultKind::publication_dropped:
    case FaultKind::postgres_shutdown:
      return 4;
    case FaultKind::postgres_crash:
    case FaultKind::slot_back:
    case FaultKind::disk_error:
    case FaultKind::disk_full:
    case FaultKind::slow_queries:
      return 2;
    default:
      return 1;
  }
}

void plan_swarm(Plan& plan, const Draws& draws) {
  now_and_then(plan, draws, "storms", k_storm_percent, plan_storms);
  now_and_then(plan, draws, "mask", k_masked_percent, mask);
  keep_to_budget(plan);
}

}  // namespace holdfast::scenarios
