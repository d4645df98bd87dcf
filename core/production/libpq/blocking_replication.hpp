// env::ReplicationSession's work as calls that block their thread: set-up in the order of
// postgres.md §8.1, then the stream. Used by one thread at a time; the adapter in sessions.hpp
// suspends instead.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "core/production/libpq/connection.hpp"

namespace holdfast::production {

class BlockingReplication {
 public:
  static env::DatabaseResult<std::unique_ptr<BlockingReplication>> open(
      const ConnectionSettings& settings, std::shared_ptr<Interrupt> interrupt);

  int backend_pid() const { return connection_->backend_pid(); }

  env::DatabaseResult<env::SystemIdentity> identify_system();
  env::DatabaseResult<env::ServerSettings> settings();
  env::DatabaseResult<void> acquire_lock(const std::string& name);
  /// A new publication is committed together with the removal of the old slot, by ensure_slot: a
  /// slot whose WAL is older than its publication can never be decoded (§8.1). An existing one must
  /// publish all four operations, else `configuration`.
  env::DatabaseResult<bool> ensure_publication(const std::string& publication);
  env::DatabaseResult<void> drop_slot(const std::string& slot);
  /// Waits for open transactions, without limit. An invalidated slot is dropped and reported as
  /// slot_invalidated, so that the next attempt makes a new one.
  env::DatabaseResult<env::SlotState> ensure_slot(const std::string& slot);
  env::DatabaseResult<void> start_streaming(const std::string& slot,
                                            const std::string& publication);
  env::DatabaseResult<std::vector<std::string>> receive(Deadline deadline);
  env::DatabaseResult<void> send_status(postgres::Lsn received, postgres::Lsn flushed);

 private:
  BlockingReplication(const ConnectionSettings& settings, std::unique_ptr<Connection> connection)
      : settings_(settings), connection_(std::move(connection)) {}
  env::DatabaseResult<ResultRows> run(const std::string& sql);
  env::DatabaseResult<void> check_publication(const std::string& publication);
  env::DatabaseResult<void> replace_publication(const std::string& slot);
  env::DatabaseResult<env::SlotState> existing_slot(const std::string& slot);

  ConnectionSettings settings_;
  std::unique_ptr<Connection> connection_;
  std::uint32_t server_version_ = 0;
  bool publication_uncommitted_ = false;
};

}  // namespace holdfast::production
