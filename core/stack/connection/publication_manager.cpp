#include "core/stack/connection/publication_manager.hpp"

#include <set>

#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_manager.hpp"
#include "core/stack/connection/connection_pool.hpp"

namespace holdfast::stack {
namespace {

/// Both names between one pair of quotes (postgres.md §16.3).
std::string in_quotes(const postgres::RelationName& table) {
  std::string text = "\"";
  for (const char c : table.schema + "." + table.table)
    text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + '"';
}

Failure<env::DatabaseError> refusal(const postgres::RelationName& table, const std::string& why) {
  return {env::DatabaseError{
      env::DatabaseFailure::not_published, {}, "Database table " + in_quotes(table) + " " + why}};
}

Failure<env::DatabaseError> missing(const postgres::RelationName& table,
                                    const std::string& publication, const std::string& why) {
  return refusal(table, "is missing from the publication \"" + publication + "\" and " + why);
}

}  // namespace

env::DatabaseResult<void> PublicationManager::add(postgres::RelationName table, postgres::Oid oid) {
  const auto known = published_.find(table);
  if (known != published_.end() && known->second == oid) return {};
  auto outcome = with_session(*this, *context_, [&](env::QuerySession& session) {
    return context_->options.manual_table_publishing ? verify(session, table)
                                                     : publish(session, table);
  });
  if (!outcome.ok() && outcome.error().kind == env::DatabaseFailure::no_publication) {
    context_->reached(Mark::publication_found_missing);
    cast<&ConnectionManager::publication_missing>(names::connection_manager);
  }
  if (!outcome.ok()) return outcome;
  published_.insert_or_assign(std::move(table), oid);
  return {};
}

env::DatabaseResult<void> PublicationManager::publish(env::QuerySession& session,
                                                      const postgres::RelationName& table) const {
  const auto outcome = session.publish(context_->options.publication, table);
  if (outcome.ok()) return {};
  const env::DatabaseError& error = outcome.error();
  if (error.kind == env::DatabaseFailure::privilege &&
      error.message.starts_with("must be owner of publication"))
    return missing(table, context_->options.publication, "Electric lacks privileges to add it");
  return outcome.failure();
}

env::DatabaseResult<void> PublicationManager::verify(env::QuerySession& session,
                                                     const postgres::RelationName& table) const {
  const auto state = session.verify_published(context_->options.publication, table);
  if (!state.ok()) return state.failure();
  switch (*state) {
    case env::PublicationState::complete:
      return {};
    case env::PublicationState::not_a_member:
      return missing(table, context_->options.publication,
                     "the ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding "
                     "it");
    case env::PublicationState::identity_not_full:
      break;
  }
  return refusal(table, "does not have its replica identity set to FULL");
}

void PublicationManager::repair(postgres::RelationName table, postgres::Oid oid) {
  if (context_->options.manual_table_publishing) return;
  forget(table);
  if (add(std::move(table), oid).ok()) context_->reached(Mark::replica_identity_set_again);
}

env::DatabaseResult<void> PublicationManager::sweep() {
  if (context_->options.manual_table_publishing) return {};
  // Whoever makes a shape from here on asks for its table when this is done.
  const auto shapes = runtime::TableRef(runtime(), tables::shape_meta).rows();
  if (!shapes.found()) return {};
  std::set<postgres::Oid> read;
  for (const auto& [handle, meta] : shapes.value())
    shape::for_each_definition(
        *meta.definition, [&](const shape::Definition& each) { read.insert(each.relation().oid); });
  const std::string& publication = context_->options.publication;
  return with_session(
      *this, *context_, [&](env::QuerySession& session) -> env::DatabaseResult<void> {
        const auto tables = session.published(publication);
        if (!tables.ok()) return tables.failure();
        for (const env::PublishedTable& table : *tables) {
          if (read.contains(table.oid)) continue;
          std::erase_if(published_, [&](const auto& known) { return known.second == table.oid; });
          if (auto left = session.unpublish(publication, table, context_->options.slot); !left.ok())
            return left;
          context_->reached(Mark::table_left_the_publication);
          context_->emit(
              {observe::Level::info, "table_unpublished", {{"table", in_quotes(table.name)}}});
        }
        return {};
      });
}

}  // namespace holdfast::stack
