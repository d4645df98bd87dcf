// A database whose sessions do not keep their contract, around one that does. One an instance: what
// its sessions share lives and dies with it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/env/database.hpp"
#include "sim/mutants/mutant_set.hpp"

namespace holdfast::sim::mutants {

/// What the sessions of one instance know of each other.
struct SessionsOfInstance {
  postgres::Lsn received;        ///< end of the last transaction that any session received
  postgres::Lsn last_of_former;  ///< commit position of the last one that an earlier one received
  std::vector<std::pair<std::string, postgres::RelationName>> to_publish;
};

class BrokenDatabase final : public env::Database {
 public:
  /// `inner` outlives it.
  BrokenDatabase(const MutantSet& set, env::Database& inner) : set_(set), inner_(inner) {}
  env::DatabaseResult<std::unique_ptr<env::ReplicationSession>> connect_replication() override;
  env::DatabaseResult<std::unique_ptr<env::QuerySession>> connect() override;

 private:
  MutantSet set_;
  env::Database& inner_;
  std::shared_ptr<SessionsOfInstance> shared_ = std::make_shared<SessionsOfInstance>();
};

}  // namespace holdfast::sim::mutants
