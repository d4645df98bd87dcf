#include "core/stack/publication_manager.hpp"

#include "core/stack/connection_pool.hpp"

namespace holdfast::stack {

env::DatabaseResult<void> PublicationManager::add(postgres::RelationName table) {
  if (published_.contains(table)) return {};
  auto outcome = with_session(*this, *context_, [&](env::QuerySession& session) {
    return session.publish(context_->options.publication, table);
  });
  if (!outcome.ok()) return outcome.failure();
  published_.insert(std::move(table));
  return {};
}

}  // namespace holdfast::stack
