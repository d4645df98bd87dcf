// env::Database over libpq: what production gives the engine for Postgres. Each session owns a
// thread that blocks in its stead (session_thread.hpp). Thread-safe; outlives its sessions, and is
// destroyed outside fibers.
#pragma once

#include <memory>

#include "core/env/database.hpp"
#include "core/production/libpq/own_backends.hpp"
#include "core/production/libpq/query_session.hpp"
#include "core/production/libpq/session_thread.hpp"
#include "core/production/libpq/settings.hpp"

namespace holdfast::production {

class LibpqDatabase final : public env::Database {
 public:
  /// `direct` for replication and administration; `pooled`, which may be equal, for snapshots.
  LibpqDatabase(ConnectionSettings direct, ConnectionSettings pooled)
      : settings_{std::move(direct), std::move(pooled)} {}
  /// Gives session threads that are still ending a few seconds. One that does not make it (a server
  /// that cannot be reached to be told) touches nothing of this object any more.
  ~LibpqDatabase() override;

  env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> connect_replication() override;
  env::DatabaseResult<std::unique_ptr<env::QuerySession>> connect() override;

 private:
  QuerySettings settings_;
  std::shared_ptr<ThreadCount> threads_ = std::make_shared<ThreadCount>();
  std::shared_ptr<OwnBackends> own_ = std::make_shared<OwnBackends>();
};

}  // namespace holdfast::production
