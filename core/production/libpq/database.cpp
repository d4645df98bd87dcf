#include "core/production/libpq/database.hpp"

#include "core/production/libpq/replication_session.hpp"

namespace holdfast::production {

LibpqDatabase::~LibpqDatabase() {
  threads_->wait_until_none(std::chrono::seconds(5));
}

env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> LibpqDatabase::connect_replication() {
  return LibpqReplicationSession::open(settings_.direct, threads_, own_);
}

env::DatabaseResult<std::unique_ptr<env::QuerySession>> LibpqDatabase::connect() {
  return LibpqQuerySession::open(settings_, threads_, own_);
}

}  // namespace holdfast::production
