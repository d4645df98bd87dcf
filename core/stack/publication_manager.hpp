// PublicationManager: a table is published with full replica identity before any snapshot of it is
// taken (postgres.md §18.1), so that every transaction a snapshot does not see is in the stream.
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

  /// Returns once the table is in the publication and committed so. Another table under a known
  /// name is another table. SUSPENDS.
  env::DatabaseResult<void> add(postgres::RelationName table, postgres::Oid oid);
  /// The connection was set up anew: what was published before is to be checked again.
  void forget_all() { published_.clear(); }

 private:
  Context context_;
  std::map<postgres::RelationName, postgres::Oid> published_;
};

}  // namespace holdfast::stack
