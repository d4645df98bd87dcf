#include "core/stack/publication_manager.hpp"

#include "core/stack/connection_pool.hpp"

namespace holdfast::stack {

env::DatabaseResult<void> PublicationManager::add(postgres::RelationName table, postgres::Oid oid) {
  const auto known = published_.find(table);
  if (known != published_.end() && known->second == oid) return {};
  auto outcome = with_session(*this, *context_, [&](env::QuerySession& session) {
    return session.publish(context_->options.publication, table);
  });
  if (!outcome.ok()) return outcome.failure();
  published_.insert_or_assign(std::move(table), oid);
  return {};
}

}  // namespace holdfast::stack
