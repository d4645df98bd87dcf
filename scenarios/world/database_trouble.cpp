#include "scenarios/world/database_trouble.hpp"

#include <algorithm>
#include <vector>

#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

/// Percent of plans with each kind.
constexpr unsigned k_crash_percent = 12;
constexpr unsigned k_truncate_percent = 6;
constexpr unsigned k_truncate_behind_percent = 5;
constexpr unsigned k_late_judgement_percent = 4;
constexpr unsigned k_standby_percent = 6;
constexpr unsigned k_slot_percent = 5;
constexpr unsigned k_cut_percent = 6;
constexpr unsigned k_failed_sync_percent = 6;
constexpr unsigned k_silent_percent = 4;
constexpr unsigned k_lost_machine_percent = 4;
constexpr unsigned k_unheard_leader_percent = 2;
constexpr unsigned k_shutdown_percent = 6;
constexpr unsigned k_slot_back_percent = 5;
constexpr unsigned k_timeline_percent = 4;
constexpr unsigned k_slot_lost_percent = 3;
constexpr unsigned k_publication_percent = 3;
constexpr unsigned k_flood_percent = 5;
constexpr unsigned k_slow_percent = 6;
constexpr unsigned k_calls_percent = 15;

/// Of a fault's picks, the first that hits the process whose moment it is; multiples of 7 more
/// stall it for longer, from 1.2 s on.
constexpr std::uint64_t k_whose_moment_it_is = 1ULL << 40;

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

bool defines_what_another_does(const Plan& plan, const oracle::ShapeSpec& spec) {
  return std::any_of(plan.specs.begin(), plan.specs.end(),
                     [&](const auto& other) { return same_definition(other, spec); });
}

/// So that whatever happens to its table is of concern to the shape; unless another one does.
void see_all_rows(Plan& plan, std::size_t spec) {
  oracle::ShapeSpec whole = plan.specs[spec];
  whole.where.clear();
  if (!defines_what_another_does(plan, whole)) plan.specs[spec] = whole;
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

/// A shape's table is truncated when its rows were read but are not stored yet, and written to
/// afterwards: the shape's buffer holds the TRUNCATE, and what follows it. The snapshot must have
/// given up its lock, which it does where it has asynchronous commits to flush, and the store must
/// be slow to take rows that are too many to be stored in line.
void plan_truncate_behind(Plan& plan, const Draws& draws) {
  const std::size_t spec = draws.below(plan.specs.size(), "spec");
  if (plan.specs[spec].has_subqueries()) return;  // their buffer is another one
  const std::size_t table = table_of(plan, spec);
  const Duration birth = ms(draws.between(100, 1'000, "birth"));
  bear(plan, spec, birth);
  see_all_rows(plan, spec);
  plan.knobs.inline_snapshot_bytes = 100;
  plan.knobs.bytes_under_way_max = Knobs{}.bytes_under_way_max;  // the stream does not wait for it
  const Duration truncated = birth + us(draws.below(80'000, "delay"));
  // What follows comes with the TRUNCATE: who ends a shape by it waits for the store.
  plan.faults.push_back({.kind = FaultKind::stall_process,
                         .at = truncated - ms(2),
                         .pick = 0,  // the shortest stall
                         .victim = "replication_client"});
  plan.faults.push_back({.kind = FaultKind::stall_process,
                         .at = birth,
                         .pick = 7 * draws.between(3, 12, "stall"),  // longer ones
                         .victim = "store",
                         .moment = Moment::spill});
  // Its first restart is after all that.
  if (!plan.restarts.empty()) plan.restarts.front().after += birth + ms(9'000);
  for (std::uint64_t i = 0; i < 16; ++i) {
    PlannedTransaction insert;
    insert.writer = plan.writers;
    insert.pause_before = i == 0 ? birth - ms(20) : ms(12);
    insert.synchronous = sim::postgres::Synchronous::off;
    insert.statements.push_back(make_insert(plan.tables[table], 100 + i, draws.of("row", i)));
    insert.pauses.emplace_back();
    plan.transactions.push_back(std::move(insert));
  }
  plan.writers++;
  plan.removals.push_back({.number = static_cast<unsigned>(plan.removals.size()),
                           .truncate = true,
                           .subject = table,
                           .at = truncated});
}

/// A snapshot misses a commit that was streamed while it waited for its standby; it is long on its
/// way to the collector, which meanwhile has heard that every snapshot sees the commit now.
void plan_late_judgement(Plan& plan, const Draws& draws) {
  const std::size_t spec = draws.below(plan.specs.size(), "spec");
  if (plan.specs[spec].has_subqueries()) return;
  const std::size_t table = table_of(plan, spec);
  // Another shape has the table published from the start, so that the commit is streamed.
  oracle::ShapeSpec other = plan.specs[spec];
  other.name = "s" + std::to_string(plan.specs.size());
  other.where = "id < 1000";
  see_all_rows(plan, spec);
  if (defines_what_another_does(plan, other)) return;
  const Duration wait = ms(draws.between(2'000, 3'000, "wait"));
  const Duration birth = ms(draws.between(3'200, 4'500, "birth"));
  bear(plan, spec, birth);
  plan.specs.push_back(std::move(other));
  plan.clients.push_back(
      {static_cast<unsigned>(plan.clients.size()), plan.specs.size() - 1, Duration{}});
  PlannedTransaction slow;
  slow.writer = plan.writers++;
  slow.pause_before = birth - wait + ms(draws.between(30, 700, "late"));
  slow.standby_wait = wait;
  slow.statements.push_back(make_insert(plan.tables[table], 200, draws.of("row")));
  slow.pauses.emplace_back();
  plan.transactions.push_back(std::move(slow));
  // Longer than the collector waits before it asks.
  plan.faults.push_back({.kind = FaultKind::stall_process,
                         .at = birth,
                         .pick = k_whose_moment_it_is + 7 * draws.between(12, 17, "stall"),
                         .moment = Moment::judgement});
  if (!plan.restarts.empty()) plan.restarts.front().after += birth + ms(9'000);
}

/// A commit waits for its standby over a restart, and a shape is born after the restart. What was
/// confirmed before it must not include the commit.
void plan_standby(Plan& plan, const Draws& draws) {
  PlannedTransaction& slow =
      plan.transactions[draws.below((plan.transactions.size() + 1) / 2, "transaction")];
  slow.rolls_back = false;
  slow.standby_wait = ms(draws.between(14'000, 22'000, "wait"));
  plan.restarts.resize(std::min<std::size_t>(plan.restarts.size(), 1));
  plan.restarts.push_back({.number = static_cast<unsigned>(plan.restarts.size()),
                           .kind = static_cast<RestartKind>(draws.below(k_restart_kinds, "kind")),
                           .after = ms(draws.between(6'000, 8'000, "after"))});
  bear(plan, draws.below(plan.specs.size(), "spec"), ms(draws.between(8'000, 13'000, "birth")));
}

/// The slot is dropped, and half of the time the engine is killed while it makes up for it.
void plan_slot(Plan& plan, const Draws& draws) {
  const Duration at = ms(draws.between(400, 2'000, "at"));
  const bool killed = draws.percent(60, "killed");
  const std::uint64_t somebody = killed ? 0 : draws.below(2, "somebody");
  plan.faults.push_back({FaultKind::slot_recreated, at, somebody});
  if (!killed) return;
  const auto number = static_cast<unsigned>(plan.restarts.size());
  plan.restarts.insert(
      plan.restarts.begin(),
      {.number = number,
       .kind = draws.percent(50, "power") ? RestartKind::power_loss : RestartKind::brutal,
       .after = at - ms(10),
       .moment = Moment::slot_made,
       .kill_delay = std::chrono::microseconds(draws.below(3'000, "kill_delay"))});
}

/// Every writer's transactions are joined to big ones.
void join_transactions(Plan& plan, std::size_t statements) {
  std::vector<PlannedTransaction> joined;
  for (PlannedTransaction& transaction : plan.transactions) {
    const auto open = std::find_if(joined.rbegin(), joined.rend(), [&](const auto& one) {
      return one.writer == transaction.writer;
    });
    if (open == joined.rend() || open->statements.size() >= statements) {
      joined.push_back(std::move(transaction));
      continue;
    }
    open->statements.insert(open->statements.end(), transaction.statements.begin(),
                            transaction.statements.end());
  }
  for (PlannedTransaction& transaction : joined) {
    transaction.rolls_back = false;
    transaction.statements = with_room(std::move(transaction.statements));
    transaction.pauses.assign(transaction.statements.size(), Duration{});
  }
  plan.transactions = std::move(joined);
}

/// Big transactions come bit by bit, and their session is lost, or who takes them dies, in the
/// middle of one.
void plan_cut(Plan& plan, const Draws& draws) {
  plan.knobs.fragment_bytes = 400;
  plan.knobs.ragged_receive_percent = 100;
  join_transactions(plan, 20);
  plan.restarts.resize(std::min<std::size_t>(plan.restarts.size(), 1));
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Draws draw = draws.of("fault", i);
    PlannedFault fault;
    fault.kind = draw.one_of<FaultKind>({FaultKind::postgres_disconnect, FaultKind::kill_process,
                                         FaultKind::exit_process, FaultKind::stall_process},
                                        "kind");
    fault.moment = Moment::fragment;
    fault.at = ms(700 * i + draw.below(700, "at"));
    fault.pick = draw.any("pick");
    plan.faults.push_back(fault);
  }
}

/// The sync of a commit fails, so that nobody knows what of it is on the disk; the engine is killed
/// before it writes again, starts anew on what it finds there, and then the power fails.
void plan_failed_sync(Plan& plan, const Draws& draws) {
  const Duration at = ms(draws.between(100, 1'200, "at"));
  plan.faults.push_back({.kind = FaultKind::disk_error,
                         .at = at,
                         .pick = draws.any("pick") | 1U,  // a write that fails leaves no doubt
                         .moment = Moment::commit});
  const auto number = static_cast<unsigned>(plan.restarts.size());
  PlannedRestart killed{.number = number, .kind = RestartKind::brutal, .after = at};
  killed.moment = Moment::doubt;
  killed.kill_delay = std::chrono::microseconds(draws.below(40, "steps"));
  PlannedRestart power{.number = number + 1, .kind = RestartKind::power_loss};
  power.after = ms(draws.below(600, "after"));
  plan.restarts.insert(plan.restarts.begin(), {killed, power});
}

/// Adds one fault of this kind, at a time of its own, half of them in a moment.
template <FaultKind Kind>
void plan_one(Plan& plan, const Draws& draws) {
  PlannedFault fault{.kind = Kind, .at = ms(draws.between(100, 2'500, "at"))};
  fault.pick = draws.any("pick");
  if (draws.percent(50, "aimed"))
    fault.moment =
        draws.one_of<Moment>({Moment::commit, Moment::snapshot, Moment::takeover}, "moment");
  plan.faults.push_back(fault);
}

/// Those who are called die around a call, or nobody answers to their name.
void plan_calls(Plan& plan, const Draws& draws) {
  const std::uint64_t count = draws.between(1, 4, "count");
  for (std::uint64_t i = 0; i < count; ++i) {
    const Draws draw = draws.of("call", i);
    plan.faults.push_back({.kind = draw.one_of<FaultKind>(
                               {FaultKind::callee_dies_before, FaultKind::callee_dies_during,
                                FaultKind::callee_dies_after, FaultKind::reply_lost,
                                FaultKind::name_vacant, FaultKind::table_vanishes},
                               "kind"),
                           .at = ms(draw.between(20, 3'000, "at")),
                           .pick = draw.any("pick")});
  }
}

/// The machine of the leader is lost with its connections: the server goes on holding the lock and
/// the slot for a client that is dead.
void plan_lost_machine(Plan& plan, const Draws& draws) {
  const Duration at = ms(draws.between(300, 2'000, "at"));
  plan.faults.push_back({.kind = FaultKind::postgres_half_open, .at = at});
  plan.restarts.insert(plan.restarts.begin(),
                       {.number = static_cast<unsigned>(plan.restarts.size()),
                        .kind = RestartKind::brutal,
                        .after = at + us(draws.below(2'000, "later")),
                        .down_time = ms(draws.one_of<std::uint64_t>({0, 200, 5'000}, "down"))});
}

/// The connections of the leader fall silent, and it is the last to know: the server gives its lock
/// to a second instance, which is asked as well, and removes shapes.
void plan_unheard_leader(Plan& plan, const Draws& draws) {
  const Duration at = ms(draws.between(200, 1'500, "at"));
  // 15 or 60 s until the leader finds out.
  const std::uint64_t pick = 3 * draws.below(1'000, "pick") + draws.between(1, 2, "finds_out");
  plan.faults.push_back({.kind = FaultKind::postgres_silent, .at = at, .pick = pick});
  plan.knobs.wal_sender_timeout = ms(draws.between(500, 3'000, "server_finds_out"));
  plan.restarts.insert(plan.restarts.begin(),
                       {.number = static_cast<unsigned>(plan.restarts.size()),
                        .kind = RestartKind::rolling,
                        .after = at + ms(draws.between(1, 200, "later")),
                        .overlap = ms(draws.between(6'000, 12'000, "overlap"))});
  for (std::uint64_t i = 0; i < 2; ++i)
    plan.removals.push_back({.number = static_cast<unsigned>(plan.removals.size()),
                             .truncate = draws.percent(30, "truncate", i),
                             .subject = 0,
                             .at = at + ms(draws.between(1'000, 8'000, "removal", i))});
}

}  // namespace

void plan_database_trouble(Plan& plan, const Draws& draws) {
  now_and_then(plan, draws, "crash", k_crash_percent, plan_crash);
  now_and_then(plan, draws, "truncate", k_truncate_percent, plan_truncate);
  now_and_then(plan, draws, "truncate behind", k_truncate_behind_percent, plan_truncate_behind);
  now_and_then(plan, draws, "late judgement", k_late_judgement_percent, plan_late_judgement);
  now_and_then(plan, draws, "standby", k_standby_percent, plan_standby);
  now_and_then(plan, draws, "slot", k_slot_percent, plan_slot);
  now_and_then(plan, draws, "cut", k_cut_percent, plan_cut);
  now_and_then(plan, draws, "failed_sync", k_failed_sync_percent, plan_failed_sync);
  now_and_then(plan, draws, "silent", k_silent_percent, plan_one<FaultKind::postgres_silent>);
  now_and_then(plan, draws, "lost machine", k_lost_machine_percent, plan_lost_machine);
  now_and_then(plan, draws, "unheard", k_unheard_leader_percent, plan_unheard_leader);
  now_and_then(plan, draws, "shutdown", k_shutdown_percent, plan_one<FaultKind::postgres_shutdown>);
  now_and_then(plan, draws, "slot back", k_slot_back_percent, plan_one<FaultKind::slot_back>);
  now_and_then(plan, draws, "timeline", k_timeline_percent, plan_one<FaultKind::timeline_change>);
  now_and_then(plan, draws, "slot lost", k_slot_lost_percent, plan_one<FaultKind::slot_lost>);
  now_and_then(plan, draws, "publication", k_publication_percent,
               plan_one<FaultKind::publication_dropped>);
  now_and_then(plan, draws, "flood", k_flood_percent, plan_one<FaultKind::keepalive_flood>);
  now_and_then(plan, draws, "slow", k_slow_percent, plan_one<FaultKind::slow_queries>);
  now_and_then(plan, draws, "calls", k_calls_percent, plan_calls);
}

}  // namespace holdfast::scenarios
