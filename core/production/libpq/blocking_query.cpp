#include "core/production/libpq/blocking_query.hpp"

#include "core/base/assert.hpp"
#include "core/postgres/parse_text.hpp"
#include "core/postgres/query_text.hpp"
#include "core/production/libpq/display_settings.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::quote_relation;
using postgres::RelationName;

namespace {

/// A single 64-bit advisory lock has objsubid 1 and its halves in classid and objid. A holder that
/// was busy within the grace is alive: it may be the rightful owner between its lock and its
/// stream. A slot is active also while it is being made. Where there is none, its holder was lost
/// before it made one (postgres.md §7.2 would wait for ever).
constexpr const char* k_break_lock =
    "SELECT pg_catalog.pg_terminate_backend(l.pid)"
    " FROM pg_catalog.pg_locks l"
    " JOIN pg_catalog.pg_database d ON d.oid = l.database"
    "  AND d.datname = pg_catalog.current_database()"
    " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted"
    "  AND (l.classid::bigint << 32) | l.objid::bigint = pg_catalog.hashtext($1)::bigint"
    "  AND l.pid <> ALL ($2::int[])"
    "  AND coalesce(a.state_change < pg_catalog.clock_timestamp() - $3::interval, true)"
    "  AND NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1"
    "   AND s.database = pg_catalog.current_database() AND s.active)";

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) +
         "ms";
}

}  // namespace

DatabaseResult<std::unique_ptr<BlockingQuery>> BlockingQuery::open(
    const ConnectionSettings& settings, std::shared_ptr<Interrupt> interrupt) {
  auto connection = Connection::open(settings, SessionKind::query, std::move(interrupt));
  if (!connection.ok()) return connection.failure();
  return std::unique_ptr<BlockingQuery>(new BlockingQuery(settings, std::move(*connection)));
}

std::string BlockingQuery::array_of(const std::vector<int>& numbers) {
  std::string text = "{";
  for (const int number : numbers) text += (text.size() > 1 ? "," : "") + std::to_string(number);
  return text + "}";
}

DatabaseResult<void> BlockingQuery::limit_lock_waits(Duration limit) {
  auto set = run("SET LOCAL lock_timeout = " + quote_literal(milliseconds(limit)));
  if (!set.ok()) return set.failure();
  return {};
}

DatabaseResult<unsigned> BlockingQuery::break_lock(const std::string& slot,
                                                   const std::vector<int>& own_backends) {
  const std::string own = array_of(own_backends);
  auto rows = connection_->run(k_break_lock, {slot, own, milliseconds(settings_.lock_holder_grace)},
                               soon());
  if (!rows.ok()) return rows.failure();
  unsigned ended = 0;
  for (std::size_t i = 0; i < rows->rows(); ++i)
    if (rows->text(i, 0) == "t") ++ended;
  return ended;
}

// -- snapshots ------------------------------------------------------------------------------------

DatabaseResult<postgres::Snapshot> BlockingQuery::read_snapshot(const ResultRows& rows) {
  auto snapshot = postgres::parse_snapshot(rows.text(0, 0));
  const auto lsn = postgres::parse_lsn(rows.text(0, 1));
  if (!snapshot || !lsn)
    return Failure{
        DatabaseError{DatabaseFailure::query,
                      {},
                      "unreadable snapshot " + rows.text(0, 0) + " at " + rows.text(0, 1)}};
  snapshot->insert_lsn = *lsn;
  return std::move(*snapshot);
}

DatabaseResult<postgres::Snapshot> BlockingQuery::current_snapshot() {
  auto rows =
      run("SELECT pg_catalog.pg_current_snapshot(), pg_catalog.pg_current_wal_insert_lsn()");
  if (!rows.ok()) return rows.failure();
  return read_snapshot(*rows);
}

DatabaseResult<BlockingQuery::LockedTable> BlockingQuery::begin_snapshot(
    const RelationName& table) {
  ASSERT(!in_snapshot_, "a session has one snapshot at a time");
  auto begun = run("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (!begun.ok()) return begun.failure();
  in_snapshot_ = true;
  // Neither SET nor LOCK takes the snapshot; the SELECT after them does. LOCAL: nothing stays
  // behind on a server connection that a pooler shares (postgres.md §18.1).
  std::string settings;
  for (const DisplaySetting& setting : k_display_settings)
    settings +=
        std::string("SET LOCAL ") + setting.name + " = " + quote_literal(setting.value) + ";";
  auto set = run(settings);
  if (!set.ok()) return set.failure();
  const Duration limit = settings_.first_row_timeout;
  if (auto limited = limit_lock_waits(limit); !limited.ok()) return limited.failure();
  // TRUNCATE is not MVCC-safe: one that commits after the snapshot and before the query would leave
  // the query nothing. With its partitions, since one of them may be truncated alone.
  auto locked = connection_->run("LOCK TABLE " + quote_relation(table) + " IN ACCESS SHARE MODE",
                                 deadline_after(limit + settings_.statement_timeout),
                                 DatabaseActivity::querying);
  if (!locked.ok()) return Failure{before_first_row(locked.error())};
  return describe(table);
}

// Locks of the tables in sub-selects are waited for by the query.
DatabaseError BlockingQuery::before_first_row(DatabaseError error) const {
  if (error.kind != DatabaseFailure::lock_timeout && error.kind != DatabaseFailure::timeout)
    return error;
  error.kind = DatabaseFailure::timeout;
  error.message = "Snapshot query took too long to return data (cancelled after " +
                  milliseconds(settings_.first_row_timeout) +
                  "). Please ensure snapshot queries are using an index to avoid taking up all "
                  "database connections.";
  return error;
}

DatabaseResult<void> BlockingQuery::start(const env::ShapeQuery& query) {
  ASSERT(in_snapshot_ && !rows_pending_, "a query runs in a snapshot, after the one before it");
  selected_columns_ = query.columns.size();
  first_row_by_ = deadline_after(settings_.first_row_timeout);
  auto started = connection_->start_rows(
      postgres::shape_query_text(query.table, query.columns, query.condition));
  rows_pending_ = started.ok();
  return started;
}

DatabaseResult<postgres::RowBatch> BlockingQuery::next() {
  postgres::RowBatch batch(selected_columns_);
  if (!rows_pending_) return batch;
  auto more = connection_->fetch_rows(batch, first_row_by_, k_batch_rows, k_batch_bytes);
  if (!more.ok()) {
    rows_pending_ = false;
    return Failure{first_row_by_ ? before_first_row(more.error()) : more.error()};
  }
  first_row_by_ = std::nullopt;
  rows_pending_ = *more;
  return batch;
}

DatabaseResult<void> BlockingQuery::outlast_crashes(postgres::Lsn position) {
  ASSERT(in_snapshot_ && !rows_pending_, "a snapshot's rows were read to their end");
  auto flushed =
      run("SELECT pg_catalog.pg_current_wal_flush_lsn() >= " + quote_literal(position.to_string()) +
          "::pg_catalog.pg_lsn");
  if (!flushed.ok()) return flushed.failure();
  if (flushed->text(0, 0) == "t") return {};
  // Not waited for: while no asynchronous commit follows, nobody flushes the records of an open
  // transaction. Whoever commits a record of its own flushes everything before it, in this
  // transaction too, which changes nothing; and that its connection still lives says that the
  // server has not crashed since the snapshot, also behind a pooler. LOCAL: no standby is waited
  // for.
  auto written =
      run("SET LOCAL synchronous_commit = local;"
          "SELECT pg_catalog.pg_logical_emit_message(true, 'holdfast', '')");
  if (!written.ok()) return written.failure();
  in_snapshot_ = false;
  auto committed = run("COMMIT");
  if (!committed.ok()) return committed.failure();
  return {};
}

void BlockingQuery::end_snapshot() {
  if (!in_snapshot_) return;
  if (rows_pending_) connection_->cancel_rows();
  rows_pending_ = false;
  in_snapshot_ = false;
  auto ended = run("ROLLBACK");
  if (!ended.ok()) return;  // the connection is over, and its transaction with it
}

}  // namespace holdfast::production
