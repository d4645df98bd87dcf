// env::ReplicationSession over libpq: BlockingReplication on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "core/production/libpq/blocking_replication.hpp"
#include "core/production/libpq/own_backends.hpp"
#include "core/production/libpq/session_thread.hpp"

namespace holdfast::production {

class LibpqReplicationSession final : public env::ReplicationSession {
 public:
  /// SUSPENDS.
  static env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> open(
      const ConnectionSettings& settings, std::shared_ptr<ThreadCount> threads,
      std::shared_ptr<OwnBackends> own);
  ~LibpqReplicationSession() override;

  env::DatabaseResult<env::SystemIdentity> identify_system() override;
  env::DatabaseResult<env::ServerSettings> settings() override;
  env::DatabaseResult<void> acquire_lock(const std::string& name) override;
  env::DatabaseResult<bool> ensure_publication(const std::string& publication) override;
  env::DatabaseResult<void> drop_slot(const std::string& slot) override;
  env::DatabaseResult<env::SlotState> ensure_slot(const std::string& slot) override;
  env::DatabaseResult<void> start_streaming(const std::string& slot,
                                            const std::string& publication) override;
  env::DatabaseResult<std::vector<std::string>> receive(Instant deadline) override;
  env::DatabaseResult<void> send_status(postgres::Lsn received, postgres::Lsn flushed) override;

 private:
  /// Touched by the thread's jobs only.
  struct Blocking {
    std::unique_ptr<BlockingReplication> session;
  };

  explicit LibpqReplicationSession(std::shared_ptr<OwnBackends> own) : own_(std::move(own)) {}
  template <class F>
  auto call(const char* label, F f) {
    return thread_->run(label, [blocking = blocking_, f = std::move(f)]() mutable {
      return f(*blocking->session);
    });
  }

  std::shared_ptr<OwnBackends> own_;
  int backend_pid_ = 0;
  std::shared_ptr<Blocking> blocking_ = std::make_shared<Blocking>();
  std::unique_ptr<SessionThread> thread_;
};

}  // namespace holdfast::production
