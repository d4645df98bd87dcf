// The simulated Postgres: one server that engine instances reach through env::Database, that the
// workload writes to, that faults break, and that the oracle asks for the truth. One thread,
// virtual time, no static state. Trusted as far as tests/postgres_model checks it against a real
// Postgres 15.
//
// Calls that the engine makes suspend (ModelHooks); of the calls below only commit() pauses.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/env/database.hpp"
#include "sim/postgres/hooks.hpp"
#include "sim/postgres/options.hpp"
#include "sim/postgres/statement.hpp"
#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/storage/table_catalog.hpp"
#include "sim/postgres/storage/transactions.hpp"
#include "sim/postgres/trouble.hpp"

namespace holdfast::sim::postgres {

class MembershipHistory;
class ModelState;
class RepeatedQuery;

/// A workload session with an open transaction. Ends with commit or rollback, or when the server
/// crashes.
struct Session {
  std::uint64_t id = 0;
};

enum class Synchronous : std::uint8_t { on, off };

struct CommitResult {
  bool committed = false;  ///< false: rolled back because it had failed, or the session was gone
  FullXid xid;             ///< 0: it wrote nothing, so there is no commit record
  Lsn commit_lsn;
  Lsn end_lsn;
};

/// Which transactions a reader of the truth sees: commit LSN <= up_to, or visible in the snapshot.
struct VisibleSet {
  Lsn up_to;
  std::optional<Snapshot> snapshot;
  bool contains(const Transaction& transaction) const;
};

/// Texts of the primary key, or of all columns if there is none; and of the columns that were asked
/// for (nullopt: NULL).
using RowKey = std::vector<std::optional<std::string>>;
using RowCells = std::vector<std::optional<std::string>>;
using RowMap = std::map<RowKey, RowCells>;

struct SlotReport {
  Lsn created_at;
  Lsn confirmed_flush;
  std::optional<std::uint32_t> active_pid;
  bool invalidated = false;
};

enum class HalfOpen : std::uint8_t { no, yes };
enum class SlotsAfterCrash : std::uint8_t { keep, back_to_checkpoint };

class PostgresModel {
 public:
  explicit PostgresModel(ModelOptions options = {}, ModelHooks hooks = {});
  ~PostgresModel();
  PostgresModel(const PostgresModel&) = delete;
  PostgresModel& operator=(const PostgresModel&) = delete;

  // -- the engine's view --------------------------------------------------------------------------
  /// The same object for the same instance; lives as long as the model. Sessions must end before
  /// it.
  env::Database& database(unsigned instance);

  // -- catalogue; each statement is its own committed transaction ---------------------------------
  Oid create_table(TableDefinition definition);
  /// false: somebody holds the table, try again (as a blocked Statement).
  bool drop_table(const RelationName& name);
  bool rename_table(const RelationName& from, const RelationName& to);
  bool add_column(const RelationName& table, Column column);
  bool drop_column(const RelationName& table, const std::string& column);
  bool rename_column(const RelationName& table, const std::string& from, const std::string& to);
  /// To a wider type of numbers, which rewrites the table. false also: some value does not fit.
  bool change_type(const RelationName& table, const std::string& column, TypeId type);
  /// SET and DROP NOT NULL. false also: the column is missing, or some row has NULL there.
  bool set_not_null(const RelationName& table, const std::string& column, bool not_null);
  bool set_replica_identity(const RelationName& table, ReplicaIdentity identity);
  void create_publication(const std::string& publication);
  bool has_publication(const std::string& publication) const;
  void drop_publication(const std::string& publication);
  /// ALTER PUBLICATION alone: takes no lock that writers notice (postgres.md §16.2).
  void add_to_publication(const std::string& publication, const RelationName& table);
  void remove_from_publication(const std::string& publication, const RelationName& table);
  std::vector<RelationName> published(const std::string& publication) const;
  /// GRANT and REVOKE of SELECT, for all sessions of engines.
  bool set_readable(const RelationName& table, bool readable);
  std::optional<holdfast::postgres::RelationInfo> describe(const RelationName& table) const;

  // -- workload -----------------------------------------------------------------------------------
  Session begin();
  ExecuteResult execute(Session session, const Statement& statement);
  /// Both steps, with a pause before each and between them.
  CommitResult commit(Session session, Synchronous synchronous);
  void rollback(Session session);
  bool open(Session session) const;
  /// The two steps by themselves: the commit record (flushed if synchronous), then visibility.
  CommitResult log_commit(Session session, Synchronous synchronous);
  void show_commit(Session session);
  /// WAL that concerns no published table, as a busy other database writes it.
  void write_unrelated_wal(std::size_t bytes);
  void flush_wal();
  void checkpoint();
  /// Does what time alone makes the server do. Every engine call does so too.
  void tick();
  /// Without a clock in the hooks: moves time, then ticks.
  void move_time(Duration by);

  // -- faults -------------------------------------------------------------------------------------
  void disconnect_all(HalfOpen half_open = HalfOpen::no);
  void disconnect(unsigned instance, HalfOpen half_open = HalfOpen::no);
  void set_reachable(unsigned instance, bool reachable);
  /// kill -9 of the server: unflushed WAL and its transactions are lost, every session ends.
  /// Answers how many commits that were visible are lost.
  std::size_t crash_and_restart(SlotsAfterCrash slots = SlotsAfterCrash::back_to_checkpoint);
  /// Fail-over to a standby without the slots, or with them as they were at the last checkpoint
  /// (Postgres 17): new timeline, sessions end.
  enum class StandbySlots : std::uint8_t { missing, behind };
  void promote_standby(StandbySlots slots = StandbySlots::missing);
  /// As disconnect_all(half open), but bytes vanish without a reset: clients find out by their own
  /// time-outs, after this long. The server finds out by its own.
  void fall_silent(Duration found_after);
  /// An orderly shutdown ("fast"): transactions are rolled back, sessions end, nobody connects; a
  /// walsender stays until its client has confirmed all of the log.
  void begin_shutdown();
  /// All sessions have ended.
  bool has_shut_down() const;
  /// Who has not ended by now is cut off. REQUIRES: begin_shutdown().
  void start_again();
  /// From now until then.
  void slow_queries(Instant until);
  void flood_keepalives(Instant until);
  const TroubleCounts& trouble() const;
  void invalidate_slot(const std::string& slot);
  /// false: active or missing.
  bool drop_slot(const std::string& slot);
  /// Somebody else makes it, after the end of the log as it is. REQUIRES: there is none.
  void make_slot(const std::string& slot);

  // -- what the oracle asks -----------------------------------------------------------------------
  /// Rows of the table that satisfy `condition` (text as after WHERE, sub-selects allowed; empty:
  /// all), as the visible set shows them. A table without primary key is keyed by all its columns.
  /// A TRUNCATE counts as a deletion by its transaction, for visible sets with it and no others.
  /// SnapshotReads differ there, as Postgres does: once a TRUNCATE has committed, older snapshots
  /// find its tables empty too.
  SqlResult<RowMap> rows(const RelationName& table, const std::vector<std::string>& columns,
                         const std::string& condition, const VisibleSet& visible) const;
  SqlResult<RowMap> rows(const RelationName& table, const std::vector<std::string>& columns,
                         const std::string& condition,
                         const std::function<bool(const Transaction&)>& visible) const;
  /// The same query to be asked often, for a sum of `hash` over its rows (repeated_query.hpp).
  std::unique_ptr<RepeatedQuery> repeat(
      const RelationName& table, const std::vector<std::string>& columns,
      const std::string& condition,
      std::function<Hash128(const RowKey&, const RowCells&)> hash) const;
  /// What the membership tests of a condition said over time (membership_history.hpp).
  std::unique_ptr<MembershipHistory> membership_history(const RelationName& table,
                                                        const std::vector<std::string>& columns,
                                                        const std::string& condition) const;
  /// How the table of this name was, oldest first; empty: there never was one.
  const std::vector<TableForm>& forms(const RelationName& name) const;
  /// rows() and repeat() as of a form. REQUIRES: there was a table.
  SqlResult<RowMap> rows(const TableForm& form, const std::vector<std::string>& columns,
                         const std::string& condition, const VisibleSet& visible) const;
  std::unique_ptr<RepeatedQuery> repeat(
      const TableForm& form, const std::vector<std::string>& columns, const std::string& condition,
      std::function<Hash128(const RowKey&, const RowCells&)> hash) const;
  /// What a new statement would see now.
  Snapshot current_snapshot() const;
  Lsn insert_position() const;
  Lsn flushed_position() const;
  std::optional<SlotReport> slot(const std::string& name) const;
  /// Who holds the advisory lock; nullopt: nobody.
  std::optional<std::uint32_t> lock_holder(const std::string& name) const;
  /// All transactions ever, in the order of their begin.
  std::vector<const Transaction*> transactions() const;
  std::size_t connected_backends() const;

 private:
  bool alter(const RelationName& name, const std::function<void(TableVersion&)>& change);
  void end_sessions(std::optional<unsigned> instance, HalfOpen half_open, const char* reason);

  std::unique_ptr<ModelState> state_;
  std::map<unsigned, std::unique_ptr<env::Database>> databases_;
};

}  // namespace holdfast::sim::postgres
