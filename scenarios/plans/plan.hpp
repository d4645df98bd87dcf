// A plan: everything a run is going to do, decided before it starts. Values; printed by to_text()
// for people. Which schedule the run takes is the executor's seed and strategy, also part of the
// plan.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "oracle/probe.hpp"
#include "oracle/shape_spec.hpp"
#include "scenarios/alterations/alterations.hpp"
#include "scenarios/world/moment.hpp"
#include "sim/postgres/model.hpp"
#include "sim/postgres/statement.hpp"
#include "sim/scheduler/recorded_schedule.hpp"

namespace holdfast::scenarios {

enum class StrategyKind : std::uint8_t {
  fifo,
  uniform,
  pct1,
  pct2,
  pct3,
  pct5,
  scripted,  ///< FIFO but for the plan's decisions
  weighted,
  racing1,  ///< as many racing pairs go the other way round
  racing3,
};
inline constexpr std::size_t k_strategy_kinds = 10;

/// One transaction of the workload, run by one of the writers.
struct PlannedTransaction {
  unsigned writer = 0;
  Duration pause_before{};
  std::vector<sim::postgres::Statement> statements;
  std::vector<Duration> pauses;  ///< before each statement
  sim::postgres::Synchronous synchronous = sim::postgres::Synchronous::on;
  bool rolls_back = false;
  /// Its commit record is on disk and streamed this long before it is visible.
  Duration standby_wait{};
  bool operator==(const PlannedTransaction&) const = default;
};

enum class RestartKind : std::uint8_t {
  graceful,     ///< stop, wait, start
  brutal,       ///< kill -9, start
  power_loss,   ///< as brutal, and the disk loses what was not synced
  rolling,      ///< a second instance starts; the first is stopped once it stands by
  overlapping,  ///< a second instance starts while the stop of the first is under way
  frozen,       ///< SIGSTOP; its sessions with Postgres end, a second instance takes over, SIGCONT
};
inline constexpr std::size_t k_restart_kinds = 6;

struct PlannedRestart {
  /// Names the instance that it starts; stays when other restarts are taken away.
  unsigned number = 0;
  RestartKind kind = RestartKind::graceful;
  Duration after{};  ///< since the previous restart was over
  Moment moment = Moment::any_time;
  Duration down_time{};  ///< until the next start
  Duration overlap{};    ///< rolling, frozen: how long both run; overlapping: until the start
  bool kill_during_stop = false;  ///< graceful, rolling, overlapping: kill -9 before it has ended
  Duration kill_delay{};
  bool operator==(const PlannedRestart&) const = default;
};

enum class FaultKind : std::uint8_t {
  kill_process,
  exit_process,  ///< with a crash reason
  shutdown_process,
  stall_process,
  postgres_disconnect,
  disk_error,       ///< one EIO: of a sync (odd picks), of a read (2 of 4), of a write or sync
  disk_full,        ///< ENOSPC for a while
  postgres_crash,   ///< kill -9 of the server: unflushed commits are lost; it is back at once
  slot_recreated,   ///< dropped while nobody streams; an odd pick: somebody makes it again at once
  poisoned_shape,   ///< one shape's consumer dies of all its input; an odd pick: to the end
  postgres_silent,  ///< connections whose bytes vanish, without a reset
  postgres_half_open,  ///< connections break, and the server does not notice: its sessions live on
  postgres_shutdown,   ///< an orderly one, which waits for the walsender's client; then a start
  slot_back,           ///< the slot's position goes back to the last checkpoint
  timeline_change,     ///< fail-over; an even pick: the slot is gone, else it is behind
  keepalive_flood,
  slow_queries,
  callee_dies_before,  ///< of a call that has arrived: it is never handled
  callee_dies_during,
  callee_dies_after,  ///< the reply is on its way
  reply_lost,         ///< the caller gives up, the callee does what it was asked to
  name_vacant,        ///< a called process dies, and its supervisor is slow
  table_vanishes,     ///< the owner of the read models dies between two looks of a request
  slot_lost,          ///< invalidated (wal_status = lost): the server has removed WAL that it needs
  publication_dropped,
};
inline constexpr std::size_t k_fault_kinds = 25;

struct PlannedFault {
  FaultKind kind = FaultKind::kill_process;
  Duration at{};           ///< since the start of the run
  std::uint64_t pick = 0;  ///< which victim, modulo the number of candidates
  /// The victim's path, once a run has shown whom `pick` hits; or its end; empty: not pinned.
  std::string victim = {};
  Moment moment = Moment::any_time;  ///< waited for from `at` on
  bool operator==(const PlannedFault&) const = default;
};

struct PlannedClient {
  /// Its name, "c3"; stays when other clients are taken away.
  unsigned number = 0;
  std::size_t spec = 0;
  Duration starts_at{};
  /// Starts afresh after so many answers; 0: continues for the whole run.
  unsigned fresh_after = 0;
  /// Is there for so many answers only; 0: to the end.
  unsigned leaves_after = 0;
  /// Gives up requests after at most this; 0: none. Until the run comes to its end, as `lag`.
  Duration patience{};
  Duration lag{};        ///< at most this long in reading an answer
  bool proxied = false;  ///< asks by way of the caching proxy
  bool operator==(const PlannedClient&) const = default;
};

/// The workload's own legitimate causes of 409.
struct PlannedRemoval {
  unsigned number = 0;
  bool truncate = false;    ///< else a DELETE request
  std::size_t subject = 0;  ///< index of a table, or of a spec
  Duration at{};
  bool operator==(const PlannedRemoval&) const = default;
};

/// One request beside those of clients (scenarios/clients/prober.hpp).
struct PlannedProbe {
  unsigned number = 0;
  oracle::ProbeKind kind = oracle::ProbeKind::now;
  std::size_t spec = 0;
  Duration at{};
  std::uint64_t pick = 0;  ///< which of what it can ask for, and how
  bool operator==(const PlannedProbe&) const = default;
};

struct Knobs {
  std::uint64_t chunk_bytes = 10ULL << 20;
  std::uint64_t inline_snapshot_bytes = 256ULL << 10;
  std::uint64_t journal_bytes = 64ULL << 20;
  std::uint64_t fragment_bytes = 1ULL << 20;
  std::uint64_t bytes_under_way_max = 4ULL << 20;
  unsigned connection_pool_size = 20;
  Duration long_poll_timeout = std::chrono::seconds(20);
  Duration stack_ready_timeout = std::chrono::seconds(5);
  Duration snapshot_wait = std::chrono::seconds(60);
  Duration standby_poll = std::chrono::milliseconds(250);
  Duration reconnect_backoff_min = std::chrono::milliseconds(500);
  Duration reconnect_backoff_max = std::chrono::seconds(10);
  Duration status_interval = std::chrono::seconds(10);
  Duration wal_sender_timeout = std::chrono::seconds(60);
  Duration network_latency = std::chrono::microseconds(300);
  Duration postgres_latency = std::chrono::microseconds(200);
  Duration disk_sync_latency = std::chrono::microseconds(500);
  bool disk_yields_everywhere = false;
  unsigned ragged_receive_percent = 0;
  std::uint64_t max_shapes = 0;  ///< 0: no limit
  unsigned max_initial_requests = 300;
  Duration expiry_interval = std::chrono::seconds(60);
  Duration quarantine_retry = std::chrono::seconds(60);
  std::uint64_t quarantine_bytes_max = 16ULL << 20;
  Duration schema_reconciler_period = std::chrono::seconds(60);
  unsigned manual_publishing = 0;  ///< 1: somebody else publishes tables
  std::uint64_t first_xid = 740;
  std::uint64_t first_lsn = 0x1500000;
  bool operator==(const Knobs&) const = default;
};

/// Calls visit(name, value, its default) for each knob.
template <class KnobsOrConst, class Visit>
void each_knob(KnobsOrConst& knobs, Visit visit) {
  const Knobs usual;
  visit("chunk_bytes", knobs.chunk_bytes, usual.chunk_bytes);
  visit("inline_snapshot_bytes", knobs.inline_snapshot_bytes, usual.inline_snapshot_bytes);
  visit("journal_bytes", knobs.journal_bytes, usual.journal_bytes);
  visit("fragment_bytes", knobs.fragment_bytes, usual.fragment_bytes);
  visit("bytes_under_way_max", knobs.bytes_under_way_max, usual.bytes_under_way_max);
  visit("connection_pool_size", knobs.connection_pool_size, usual.connection_pool_size);
  visit("long_poll_timeout", knobs.long_poll_timeout, usual.long_poll_timeout);
  visit("stack_ready_timeout", knobs.stack_ready_timeout, usual.stack_ready_timeout);
  visit("snapshot_wait", knobs.snapshot_wait, usual.snapshot_wait);
  visit("standby_poll", knobs.standby_poll, usual.standby_poll);
  visit("reconnect_backoff_min", knobs.reconnect_backoff_min, usual.reconnect_backoff_min);
  visit("reconnect_backoff_max", knobs.reconnect_backoff_max, usual.reconnect_backoff_max);
  visit("status_interval", knobs.status_interval, usual.status_interval);
  visit("wal_sender_timeout", knobs.wal_sender_timeout, usual.wal_sender_timeout);
  visit("network_latency", knobs.network_latency, usual.network_latency);
  visit("postgres_latency", knobs.postgres_latency, usual.postgres_latency);
  visit("disk_sync_latency", knobs.disk_sync_latency, usual.disk_sync_latency);
  visit("disk_yields_everywhere", knobs.disk_yields_everywhere, usual.disk_yields_everywhere);
  visit("ragged_receive_percent", knobs.ragged_receive_percent, usual.ragged_receive_percent);
  visit("max_shapes", knobs.max_shapes, usual.max_shapes);
  visit("max_initial_requests", knobs.max_initial_requests, usual.max_initial_requests);
  visit("expiry_interval", knobs.expiry_interval, usual.expiry_interval);
  visit("quarantine_retry", knobs.quarantine_retry, usual.quarantine_retry);
  visit("quarantine_bytes_max", knobs.quarantine_bytes_max, usual.quarantine_bytes_max);
  visit("schema_reconciler_period", knobs.schema_reconciler_period, usual.schema_reconciler_period);
  visit("manual_publishing", knobs.manual_publishing, usual.manual_publishing);
  visit("first_xid", knobs.first_xid, usual.first_xid);
  visit("first_lsn", knobs.first_lsn, usual.first_lsn);
}

struct Plan {
  std::string scenario;
  std::uint64_t seed = 0;
  StrategyKind strategy = StrategyKind::fifo;
  std::vector<sim::ScheduleDecision> decisions;  ///< scripted: where the schedule deviates
  Knobs knobs;
  std::vector<sim::postgres::TableDefinition> tables;
  std::vector<sim::postgres::Statement> initial_rows;
  std::vector<oracle::ShapeSpec> specs;
  std::vector<PlannedClient> clients;
  std::vector<PlannedTransaction> transactions;  ///< in order per writer
  unsigned writers = 1;
  std::vector<PlannedRestart> restarts;
  std::vector<PlannedFault> faults;
  std::vector<PlannedRemoval> removals;
  std::vector<PlannedProbe> probes;
  std::vector<PlannedAlteration> alterations;
  /// Commits when all is over and quiet, of which held requests must hear at once (CalmEnd).
  unsigned calm_commits = 0;
  /// So many of them, the first, come after the death of a process of the engine.
  unsigned calm_deaths = 0;
  /// During them a second instance stands by and answers half of the requests.
  bool calm_standby = false;

  std::string to_text() const;
  bool operator==(const Plan&) const = default;
};

/// The key of the row that a run writes into every table when the workload is over.
inline constexpr std::string_view k_final_key = "1000001";

/// They would share a handle, so a plan has each definition once.
bool same_definition(const oracle::ShapeSpec& a, const oracle::ShapeSpec& b);

std::string_view name_of(RestartKind kind);
std::string_view name_of(FaultKind kind);
std::string_view name_of(StrategyKind kind);
/// All names, by value.
std::span<const std::string_view> names_of(RestartKind);
std::span<const std::string_view> names_of(FaultKind);
std::span<const std::string_view> names_of(StrategyKind);

/// Names of all scenarios, for --help.
std::vector<std::string> scenario_names();
/// REQUIRES: `scenario` is one of scenario_names().
Plan make_plan(const std::string& scenario, std::uint64_t seed);

}  // namespace holdfast::scenarios
