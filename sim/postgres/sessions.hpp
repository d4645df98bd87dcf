// The engine's sessions with the simulated server: env::Database and what it hands out. Internal;
// the engine sees the interfaces. Destructors end the backend, unless it has become half-open.
#pragma once

#include "sim/postgres/state.hpp"

namespace holdfast::sim::postgres {

/// The client's end of a backend.
class ClientSession {
 public:
  ClientSession(ModelState& state, BackendRef backend)
      : state_(state), backend_(std::move(backend)) {}
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  /// A round trip. SUSPENDS. Error: the connection is gone.
  env::DatabaseResult<void> round_trip(const char* label);
  /// As round_trip(), for what needs no answer: who is deaf does not notice.
  env::DatabaseResult<void> step(const char* label);
  /// Without a pause.
  env::DatabaseResult<void> check() const;
  /// Waits on `queue` until `ready` says yes or the deadline passes: whether it is ready. SUSPENDS.
  env::DatabaseResult<bool> wait_until(WaitQueue& queue, const char* label, Instant deadline,
                                       const std::function<bool()>& ready);
  /// Bytes vanish both ways, and the client has not found out yet.
  bool is_deaf() const;

  ModelState& state() { return state_; }
  Backend& backend() { return *backend_; }

 private:
  /// SUSPENDS until it is not deaf.
  void find_out(const char* label);

  ModelState& state_;
  BackendRef backend_;
};

class ModelReplicationSession final : public env::ReplicationSession {
 public:
  ModelReplicationSession(ModelState& state, BackendRef backend)
      : state_(state), client_(state, std::move(backend)) {}
  env::DatabaseResult<env::SystemIdentity> identify_system() override;
  env::DatabaseResult<env::ServerSettings> settings() override;
  env::DatabaseResult<void> acquire_lock(const std::string& name) override;
  env::DatabaseResult<bool> ensure_publication(const std::string& publication) override;
  env::DatabaseResult<void> drop_slot(const std::string& slot) override;
  env::DatabaseResult<env::SlotState> ensure_slot(const std::string& slot) override;
  env::DatabaseResult<void> start_streaming(const std::string& slot,
                                            const std::string& publication) override;
  env::DatabaseResult<std::vector<std::string>> receive(Instant deadline) override;
  env::DatabaseResult<void> send_status(Lsn received, Lsn flushed) override;

 private:
  env::DatabaseResult<void> erase_slot(const std::string& name);
  env::DatabaseResult<Lsn> create_slot(const std::string& name);
  std::vector<std::string> take_messages();
  std::optional<std::string> take_keepalive();
  bool decoding_failed();

  ModelState& state_;
  ClientSession client_;
  std::optional<std::string> uncommitted_publication_;  ///< seen by nobody else yet
  std::string publication_;  ///< that is streamed
};

class ModelQuerySession final : public env::QuerySession {
 public:
  ModelQuerySession(ModelState& state, BackendRef backend)
      : state_(state), client_(state, std::move(backend)) {}
  env::DatabaseResult<std::optional<holdfast::postgres::RelationInfo>> inspect(
      const RelationName& name) override;
  env::DatabaseResult<env::PublishOutcome> publish(const std::string& publication,
                                                   const RelationName& table) override;
  env::DatabaseResult<void> unpublish(const std::string& publication,
                                      const env::PublishedTable& table,
                                      const std::string& slot) override;
  env::DatabaseResult<env::PublicationState> verify_published(const std::string& publication,
                                                              const RelationName& table) override;
  env::DatabaseResult<std::vector<env::PublishedTable>> published(
      const std::string& publication) override;
  env::DatabaseResult<std::unique_ptr<env::SnapshotRead>> begin_snapshot(
      const RelationName& table) override;
  env::DatabaseResult<Snapshot> current_snapshot() override;
  env::DatabaseResult<unsigned> break_lock(const std::string& slot) override;

 private:
  env::DatabaseResult<void> lock_table(const RelationName& table);

  ModelState& state_;
  ClientSession client_;
};

class ModelDatabase final : public env::Database {
 public:
  ModelDatabase(ModelState& state, unsigned instance) : state_(state), instance_(instance) {}
  env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> connect_replication() override;
  env::DatabaseResult<std::unique_ptr<env::QuerySession>> connect() override;

 private:
  ModelState& state_;
  unsigned instance_;
};

}  // namespace holdfast::sim::postgres
