#include "scenarios/database_trouble.hpp"

#include <algorithm>

namespace holdfast::scenarios {
namespace {

/// Percent of plans with each kind.
constexpr unsigned k_crash_percent = 12;
constexpr unsigned k_truncate_percent = 6;

Duration ms(std::uint64_t count) {
  return std::chrono::milliseconds(count);
}

/// No client asks for this shape before `at`, and one does then.
void bear(Plan& plan, std::size_t spec, Duration at) {
  bool first = true;
  for (PlannedClient& client : plan.clients) {
    if (client.spec != spec) continue;
    client.starts_at = first ? at : std::max(client.starts_at, at);
    first = false;
  }
}

std::size_t table_of(const Plan& plan, std::size_t spec) {
  const auto table = std::find_if(plan.tables.begin(), plan.tables.end(), [&](const auto& one) {
    return one.name.table == plan.specs[spec].table;
  });
  return static_cast<std::size_t>(table - plan.tables.begin());
}

/// A shape is born among asynchronous commits, and the server crashes before they are flushed.
void plan_crash(Plan& plan, const Draws& draws) {
  const Duration birth = ms(draws.between(100, 1'500, "birth"));
  bear(plan, draws.below(plan.specs.size(), "spec"), birth);
  for (std::size_t t = 0; t < plan.transactions.size(); ++t)
    if (draws.percent(50, "async", t))
      plan.transactions[t].synchronous = sim::postgres::Synchronous::off;
  plan.faults.push_back(
      {FaultKind::postgres_crash, birth + ms(draws.below(250, "delay")), draws.any("pick")});
}

/// A shape's table is truncated while its snapshot is taken.
void plan_truncate(Plan& plan, const Draws& draws) {
  const std::size_t spec = draws.below(plan.specs.size(), "spec");
  const Duration birth = ms(draws.between(100, 1'500, "birth"));
  bear(plan, spec, birth);
  // Only where the stream comes later than the snapshot is complete, somebody is served before the
  // TRUNCATE in it ends the shape.
  if (draws.percent(50, "late"))
    plan.faults.push_back({FaultKind::stall_process, birth - ms(5), 0,
                           "/i1/keeper/stack/core/connection_manager/replication_client"});
  plan.removals.push_back({.number = static_cast<unsigned>(plan.removals.size()),
                           .truncate = true,
                           .subject = table_of(plan, spec),
                           .at = birth + std::chrono::microseconds(draws.below(40'000, "delay"))});
}

}  // namespace

void plan_database_trouble(Plan& plan, const Draws& draws) {
  const auto when = [&](const char* name, unsigned percent, auto add) {
    const Draws own = draws.of(name);
    if (own.percent(percent, "at all")) add(plan, own);
  };
  when("crash", k_crash_percent, plan_crash);
  when("truncate", k_truncate_percent, plan_truncate);
}

}  // namespace holdfast::scenarios
