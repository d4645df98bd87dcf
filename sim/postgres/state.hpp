// Everything the simulated server knows, and the small operations on it that both the workload API
// (model.hpp) and the engine's sessions (sessions.hpp) use. Internal to sim/postgres; one thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "sim/postgres/backend.hpp"
#include "sim/postgres/hooks.hpp"
#include "sim/postgres/options.hpp"
#include "sim/postgres/statement_executor.hpp"
#include "sim/postgres/trouble.hpp"
#include "sim/postgres/where/big_stack.hpp"
#include "sim/postgres/where/condition_trees.hpp"
#include "sim/postgres/where/where_clause.hpp"

namespace holdfast::sim::postgres {

struct WorkloadSession {
  Transaction* transaction = nullptr;
  bool failed = false;
  std::uint64_t pauses = 0;
};

class ModelState {
 public:
  ModelState(ModelOptions options, ModelHooks hooks);

  // -- time, order --------------------------------------------------------------------------------
  Instant now() const;
  std::int64_t clock_us() const;  ///< microseconds since 2000-01-01 UTC
  /// Does what the server does by itself until now: WAL writer, time-outs.
  void advance();
  /// When advance() has something to do next; never if nothing is pending.
  Instant next_event() const;
  void pause(Backend& backend, const char* label);
  /// A keepalive of a flood is due.
  bool floods(const Backend& backend) const {
    return now() < flood_until && now() >= backend.next_flood;
  }
  std::uint64_t draw(Backend& backend, std::string_view site);
  bool chance(Backend& backend, std::string_view site, unsigned percent);
  /// SUSPENDS until the queue is woken, the deadline or the server's next own event.
  void wait(WaitQueue& queue, const char* label, Instant deadline);
  void wake(WaitQueue& queue);

  // -- sessions -----------------------------------------------------------------------------------
  env::DatabaseResult<BackendRef> connect(unsigned instance);
  /// Ends the backend: its locks, slot and shared table locks are free. Does not suspend.
  void close(Backend& backend, std::string reason);
  void release_tables(Backend& backend);
  void grant_next(AdvisoryLock& lock);
  /// While the server shuts down: a walsender ends once its client has everything.
  void end_walsender_if_done(Backend& backend);
  /// A slot at the end of the log; answers where.
  Lsn make_slot(const std::string& name);

  // -- transactions, WAL --------------------------------------------------------------------------
  void note_wal();  ///< WAL was written: the writer has work
  void flush_wal();
  void end_transaction(Transaction& transaction, TransactionState state);
  /// Writes the abort record, if there is anything to abort, and ends the transaction.
  void abort(Transaction& transaction);
  /// Writes the commit record; false: nothing to log, the transaction wrote nothing.
  bool log_commit(Transaction& transaction);
  /// An xid, a record and a synchronous, at once visible commit of a catalogue change.
  const Transaction& commit_catalog_change(Oid invalidated);
  /// false: there is one of this name.
  bool make_publication(const std::string& publication);
  /// pg_logical_emit_message() in a transaction that commits synchronously: flushes, tells nobody.
  void commit_message();
  Snapshot take_snapshot() const { return transactions.snapshot(); }

  // -- catalogue ----------------------------------------------------------------------------------
  Table* find_table(const RelationName& name);
  const Table* find_table(const RelationName& name) const;
  /// Replaces the description of a table; compiled conditions are forgotten.
  void change_table(Table& table, TableVersion version);
  void forget_compiled() { compiled_.clear(); }
  SqlResult<std::shared_ptr<const WhereClause>> compile(const Table& table,
                                                        const std::string& text);
  /// Against a table as it was. Nothing is remembered.
  SqlResult<std::shared_ptr<const WhereClause>> compile(const TableVersion& version,
                                                        const std::string& text);
  /// The table of this name has another form from `by` on.
  void note_form(const RelationName& name, const Transaction& by);

  const ModelOptions options;
  const ModelHooks hooks;
  Tables tables;
  std::vector<std::unique_ptr<Table>> dropped_tables;
  std::map<RelationName, std::vector<TableForm>> forms;
  std::set<std::string> publications;
  Transactions transactions;
  Wal wal;
  StatementExecutor executor;
  std::map<std::string, Slot> slots;
  std::map<std::string, AdvisoryLock> advisory_locks;
  std::vector<BackendRef> backends;  ///< alive ones, by pid
  std::map<std::uint64_t, WorkloadSession> sessions;
  std::set<unsigned> unreachable;  ///< instances that cannot connect
  env::SystemIdentity identity;
  bool shutting_down = false;  ///< or down: nobody can connect
  Instant slow_until;          ///< queries take longer
  Instant flood_until;         ///< keepalives come one after the other
  TroubleCounts trouble;
  WaitQueue stream_waiters;  ///< the flushed position moved
  WaitQueue lock_waiters;    ///< a lock, a transaction or a slot was freed

  BigStack big_stack;

  std::uint32_t next_oid;
  std::uint32_t next_pid = 1000;
  std::uint64_t next_session = 1;
  std::map<unsigned, std::uint64_t> connections;  ///< per instance: how many there were
  Instant manual_now{};

 private:
  std::optional<Instant> flush_due_;
  /// By table and text. Forgotten when any table changes: sub-selects name others.
  std::map<RelationName, std::map<std::string, std::shared_ptr<const WhereClause>>> compiled_;
  ConditionTrees own_trees_;  ///< unless the options lend some
};

}  // namespace holdfast::sim::postgres
