// PublicationManager: keeps the publication (postgres.md §16). A table is published with full
// replica identity before any snapshot of it is taken (§18.1), so that every transaction a snapshot
// does not see is in the stream; it leaves when no shape reads it any more (I-62). Where somebody
// else keeps the publication, it only looks. It does one thing after the other, so that a table
// which leaves and is wanted again meanwhile is back before the snapshot that needs it (F-55).
#pragma once

#include <map>
#include <string>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

class PublicationManager : public runtime::Process {
 public:
  explicit PublicationManager(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  /// Returns once the table is in the publication and committed so; `not_published` says in whose
  /// words why it is not. Another table under a known name is another table. SUSPENDS.
  env::DatabaseResult<void> add(postgres::RelationName table, postgres::Oid oid);
  /// Somebody changed what was set: before the next snapshot it is set again.
  void forget(postgres::RelationName table) { published_.erase(table); }
  /// The connection was set up anew: what was published before is to be checked again.
  void forget_all() { published_.clear(); }
  /// Sets again what somebody unset, if it can be. SUSPENDS.
  void repair(postgres::RelationName table, postgres::Oid oid);
  /// Takes out of the publication what no shape reads. SUSPENDS.
  env::DatabaseResult<void> sweep();

 private:
  env::DatabaseResult<void> publish(env::QuerySession& session,
                                    const postgres::RelationName& table) const;
  env::DatabaseResult<void> verify(env::QuerySession& session,
                                   const postgres::RelationName& table) const;

  Context context_;
  std::map<postgres::RelationName, postgres::Oid> published_;
};

}  // namespace holdfast::stack
