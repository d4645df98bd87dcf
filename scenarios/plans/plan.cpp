#include "scenarios/plans/plan.hpp"

#include <array>

#include "scenarios/clause_text.hpp"

namespace holdfast::scenarios {
namespace {

constexpr std::array<std::string_view, k_restart_kinds> k_restart_names = {
    "graceful", "brutal", "power_loss", "rolling", "overlapping", "frozen"};
constexpr std::array<std::string_view, k_moments> k_moment_names = {
    "any_time", "commit", "snapshot",     "removal", "takeover", "slot_made",
    "fragment", "move",   "confirmation", "doubt",   "spill",    "judgement"};
constexpr std::array<std::string_view, k_fault_kinds> k_fault_names = {
    "kill_process",        "exit_process",       "shutdown_process",   "stall_process",
    "postgres_disconnect", "disk_error",         "disk_full",          "postgres_crash",
    "slot_recreated",      "poisoned_shape",     "postgres_silent",    "postgres_half_open",
    "postgres_shutdown",   "slot_back",          "timeline_change",    "keepalive_flood",
    "slow_queries",        "callee_dies_before", "callee_dies_during", "callee_dies_after",
    "reply_lost",          "name_vacant",        "table_vanishes",     "slot_lost",
    "publication_dropped"};
constexpr std::array<std::string_view, k_strategy_kinds> k_strategy_names = {
    "fifo", "uniform",  "pct1",     "pct2",    "pct3",
    "pct5", "scripted", "weighted", "racing1", "racing3"};

std::string milliseconds(Duration d) {
  return std::to_string(d.count() / 1'000'000) + " ms";
}

}  // namespace

bool same_definition(const oracle::ShapeSpec& a, const oracle::ShapeSpec& b) {
  return a.table == b.table && same_clause(a.where, b.where) && a.columns == b.columns &&
         a.replica == b.replica;
}

std::string_view name_of(RestartKind kind) {
  return k_restart_names[static_cast<std::size_t>(kind)];
}
std::string_view name_of(Moment m) {
  return k_moment_names[static_cast<std::size_t>(m)];
}
std::string_view name_of(FaultKind kind) {
  return k_fault_names[static_cast<std::size_t>(kind)];
}
std::string_view name_of(StrategyKind k) {
  return k_strategy_names[static_cast<std::size_t>(k)];
}

std::span<const std::string_view> names_of(RestartKind) {
  return k_restart_names;
}
std::span<const std::string_view> names_of(Moment) {
  return k_moment_names;
}
std::span<const std::string_view> names_of(FaultKind) {
  return k_fault_names;
}
std::span<const std::string_view> names_of(StrategyKind) {
  return k_strategy_names;
}

std::string Plan::to_text() const {
  std::string text = "scenario " + scenario + ", seed " + std::to_string(seed) + ", schedule " +
                     std::string(name_of(strategy)) + "\n";
  for (const oracle::ShapeSpec& spec : specs)
    text += "  shape " + spec.name + ": " + spec.table +
            (spec.where.empty() ? "" : " WHERE " + spec.where) + "\n";
  text += "  " + std::to_string(clients.size()) + " clients, " +
          std::to_string(transactions.size()) + " transactions by " + std::to_string(writers) +
          " writers\n";
  for (std::size_t t = 0; t < transactions.size(); ++t)
    if (transactions[t].standby_wait > Duration{0})
      text += "  transaction " + std::to_string(t) + " waits " +
              milliseconds(transactions[t].standby_wait) + " for its standby\n";
  for (const PlannedRestart& restart : restarts)
    text += "  restart " + std::string(name_of(restart.kind)) + " at " +
            std::string(name_of(restart.moment)) + " after " + milliseconds(restart.after) +
            (restart.kill_during_stop ? ", killed while it stops" : "") + "\n";
  for (const PlannedFault& fault : faults)
    text += "  fault " + std::string(name_of(fault.kind)) + " at " + milliseconds(fault.at) +
            (fault.moment == Moment::any_time ? "" : " in " + std::string(name_of(fault.moment))) +
            "\n";
  for (const PlannedRemoval& removal : removals)
    text += std::string("  ") + (removal.truncate ? "TRUNCATE t" : "DELETE of shape s") +
            std::to_string(removal.subject) + " at " + milliseconds(removal.at) + "\n";
  for (const PlannedProbe& probe : probes)
    text += "  probe " + std::string(name_of(probe.kind)) + " of shape " + specs[probe.spec].name +
            " at " + milliseconds(probe.at) + "\n";
  for (const PlannedAlteration& alteration : alterations)
    text += "  " + std::string(name_of(alteration.kind)) + " " + alteration.table +
            (alteration.column.empty() ? "" : "." + alteration.column) + " at " +
            milliseconds(alteration.at) + ", undone after " +
            milliseconds(alteration.undone_after) + "\n";
  return text;
}

}  // namespace holdfast::scenarios
