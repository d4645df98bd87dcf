// env::QuerySession's work as calls that block their thread: catalogue questions, publishing,
// snapshots. Used by one thread at a time; the adapter in sessions.hpp suspends instead.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "core/production/libpq/connection.hpp"

namespace holdfast::production {

class BlockingQuery {
 public:
  static env::DatabaseResult<std::unique_ptr<BlockingQuery>> open(
      const ConnectionSettings& settings, std::shared_ptr<Interrupt> interrupt);

  env::DatabaseResult<std::optional<postgres::RelationInfo>> inspect(
      const postgres::RelationName& name);
  /// Locks are waited for no longer than the statement timeout: then `lock_timeout`.
  env::DatabaseResult<env::PublishOutcome> publish(const std::string& publication,
                                                   const postgres::RelationName& table);
  /// Not being published is no error.
  env::DatabaseResult<void> unpublish(const std::string& publication,
                                      const env::PublishedTable& table, const std::string& slot,
                                      const std::vector<int>& own_backends);
  /// Writers are waited for no longer than the statement timeout: then `lock_timeout`.
  env::DatabaseResult<env::PublicationState> verify_published(const std::string& publication,
                                                              const postgres::RelationName& table);
  env::DatabaseResult<std::vector<env::PublishedTable>> published(const std::string& publication);
  /// `own_backends`: replication sessions of this very process, which are never ended.
  env::DatabaseResult<unsigned> break_lock(const std::string& slot,
                                           const std::vector<int>& own_backends);

  // -- one snapshot at a time ---------------------------------------------------------------------

  static constexpr std::size_t k_batch_rows = 500;
  static constexpr std::size_t k_batch_bytes = 256 * 1024;  // large rows make small batches

  /// In no transaction: of the moment.
  env::DatabaseResult<postgres::Snapshot> current_snapshot();
  /// What a snapshot shows, and the table as it is while the snapshot's transaction holds its lock.
  struct LockedTable {
    postgres::Snapshot snapshot;
    postgres::RelationInfo relation;
  };
  /// Waits for the table's lock as long as for a first row (settings.hpp): then `timeout`. Readers
  /// that wait keep nobody from writing, unlike publish().
  env::DatabaseResult<LockedTable> begin_snapshot(const postgres::RelationName& table);
  /// REQUIRES: a snapshot, and no query started in it whose end was not reached.
  env::DatabaseResult<void> start(const env::ShapeQuery& query);
  /// Rows of the started query; an empty batch ends it. The first must come within the time limit
  /// of settings.hpp, the others whenever they do.
  env::DatabaseResult<postgres::RowBatch> next();
  /// Returns once everything before `position`, which the snapshot states, is on the server's disk.
  /// REQUIRES: a snapshot, and no query in it whose end was not reached. May end its transaction.
  env::DatabaseResult<void> outlast_crashes(postgres::Lsn position);
  /// Ends the snapshot's transaction, if there is one, and a query that still runs in it.
  void end_snapshot();

 private:
  BlockingQuery(const ConnectionSettings& settings, std::unique_ptr<Connection> connection)
      : settings_(settings), connection_(std::move(connection)) {}
  Deadline soon() const { return deadline_after(settings_.statement_timeout); }
  env::DatabaseResult<ResultRows> run(const std::string& sql) {
    return connection_->run(sql, soon(), DatabaseActivity::querying);
  }
  env::DatabaseResult<std::optional<postgres::RelationInfo>> inspect_in_transaction(
      const postgres::RelationName& name);
  env::DatabaseResult<env::PublishOutcome> publish_in_transaction(
      const std::string& publication, const postgres::RelationName& table);
  env::DatabaseResult<env::PublicationState> publication_state(const std::string& publication,
                                                               const postgres::RelationName& table);
  /// Virtual transactions; none of them comes back once it has ended.
  env::DatabaseResult<std::set<std::string>> writers(const postgres::RelationName& table);
  /// Of this transaction.
  env::DatabaseResult<void> limit_lock_waits(Duration limit);
  /// As the server's answer about a lock comes a little before our own deadline.
  Duration lock_limit() const { return settings_.statement_timeout * 9 / 10; }
  /// `error`, or that the snapshot's rows did not begin in time if that is what it means.
  env::DatabaseError before_first_row(env::DatabaseError error) const;
  static std::string array_of(const std::vector<int>& numbers);
  static env::DatabaseResult<postgres::Snapshot> read_snapshot(const ResultRows& rows);
  /// The catalogue's answer about a table's columns, with the snapshot under which it is true.
  env::DatabaseResult<LockedTable> describe(const postgres::RelationName& table);

  ConnectionSettings settings_;
  std::unique_ptr<Connection> connection_;
  std::size_t selected_columns_ = 0;
  Deadline first_row_by_;
  bool in_snapshot_ = false;
  bool rows_pending_ = false;
};

}  // namespace holdfast::production
