// env::QuerySession over libpq: a thread with a connection for snapshots, which may lead through a
// pooler, and, once an administrative call needs it, another to the server itself. With one URL for
// both it is the same connection.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "core/production/libpq/blocking_query.hpp"
#include "core/production/libpq/own_backends.hpp"
#include "core/production/libpq/session_thread.hpp"

namespace holdfast::production {

struct QuerySettings {
  ConnectionSettings direct;
  ConnectionSettings pooled;
};

class LibpqQuerySession final : public env::QuerySession {
 public:
  /// SUSPENDS.
  static env::DatabaseResult<std::unique_ptr<env::QuerySession>> open(
      const QuerySettings& settings, std::shared_ptr<ThreadCount> threads,
      std::shared_ptr<OwnBackends> own);
  ~LibpqQuerySession() override;

  env::DatabaseResult<std::optional<postgres::RelationInfo>> inspect(
      const postgres::RelationName& name) override;
  env::DatabaseResult<env::PublishOutcome> publish(const std::string& publication,
                                                   const postgres::RelationName& table) override;
  env::DatabaseResult<void> unpublish(const std::string& publication,
                                      const env::PublishedTable& table,
                                      const std::string& slot) override;
  env::DatabaseResult<env::PublicationState> verify_published(
      const std::string& publication, const postgres::RelationName& table) override;
  env::DatabaseResult<std::vector<env::PublishedTable>> published(
      const std::string& publication) override;
  env::DatabaseResult<std::unique_ptr<env::SnapshotRead>> begin_snapshot(
      const postgres::RelationName& table) override;
  env::DatabaseResult<postgres::Snapshot> current_snapshot() override;
  /// Does nothing while this process has no replication session of its own to spare.
  env::DatabaseResult<unsigned> break_lock(const std::string& slot) override;

  /// Touched by the thread's jobs only.
  struct Blocking {
    QuerySettings settings;
    std::shared_ptr<Interrupt> interrupt;
    std::unique_ptr<BlockingQuery> snapshots;
    std::unique_ptr<BlockingQuery> direct;  ///< null: `snapshots` serves, or none was needed yet
    env::DatabaseResult<BlockingQuery*> administrative();
  };

 private:
  LibpqQuerySession(const QuerySettings& settings, std::shared_ptr<ThreadCount> threads,
                    std::shared_ptr<OwnBackends> own);
  /// `f(BlockingQuery&)` on the connection to the server itself.
  template <class F>
  auto administer(const char* label, F f) -> std::invoke_result_t<F, BlockingQuery&> {
    using R = std::invoke_result_t<F, BlockingQuery&>;
    return thread_->run(label, [blocking = blocking_, f = std::move(f)]() mutable -> R {
      auto connection = blocking->administrative();
      if (!connection.ok()) return connection.failure();
      return f(**connection);
    });
  }

  std::shared_ptr<OwnBackends> own_;
  std::shared_ptr<SessionThread> thread_;  // a SnapshotRead may be destroyed later than this
  std::shared_ptr<Blocking> blocking_;
};

}  // namespace holdfast::production
