// BlockingQuery's questions and changes about publications.
#include <charconv>

#include "core/postgres/query_text.hpp"
#include "core/production/libpq/blocking_query.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;
using env::PublicationState;
using env::PublishedTable;
using env::PublishOutcome;
using postgres::quote_identifier;
using postgres::quote_literal;
using postgres::quote_relation;
using postgres::RelationName;

namespace {

/// ADD TABLE and REPLICA IDENTITY each need the table once; what of it is due is asked first, since
/// both take locks that an already published table need not wait for. A member with a row filter or
/// a column list is none: its stream is not the table's. (Columns that Postgres 14 does not have.)
constexpr const char* k_publication_state =
    "SELECT c.relreplident = 'f', EXISTS (SELECT FROM pg_catalog.pg_publication_rel r"
    "  JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid"
    "  WHERE r.prrelid = c.oid AND p.pubname = $3"
    "  AND pg_catalog.to_jsonb(r) ->> 'prqual' IS NULL"
    "  AND pg_catalog.to_jsonb(r) ->> 'prattrs' IS NULL),"
    " EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.pubname = $3"
    "  AND NOT (p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate))"
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// Who may have written to the table, and has not ended.
constexpr const char* k_writers =
    "SELECT l.virtualtransaction FROM pg_catalog.pg_locks l"
    " JOIN pg_catalog.pg_database d ON d.oid = l.database"
    "  AND d.datname = pg_catalog.current_database()"
    " JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE l.locktype = 'relation' AND l.granted AND n.nspname = $1 AND c.relname = $2"
    "  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareUpdateExclusiveLock')"
    " ORDER BY 1";

/// The name means the table that was meant, and one of these backends holds the slot's lock.
constexpr const char* k_may_unpublish =
    "SELECT $1::pg_catalog.regclass::oid = $2::oid AND EXISTS (SELECT FROM pg_catalog.pg_locks l"
    "  JOIN pg_catalog.pg_database d ON d.oid = l.database"
    "   AND d.datname = pg_catalog.current_database()"
    "  WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted"
    "   AND (l.classid::bigint << 32) | l.objid::bigint = pg_catalog.hashtext($3)::bigint"
    "   AND l.pid = ANY ($4::int[]))";

std::uint32_t number(const std::string& text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

DatabaseResult<PublishOutcome> BlockingQuery::publish(const std::string& publication,
                                                      const RelationName& table) {
  if (auto begun = run("BEGIN"); !begun.ok()) return begun.failure();
  auto outcome = publish_in_transaction(publication, table);
  auto ended = run(outcome.ok() ? "COMMIT" : "ROLLBACK");
  if (outcome.ok() && !ended.ok()) return ended.failure();
  return outcome;
}

DatabaseResult<PublishOutcome> BlockingQuery::publish_in_transaction(const std::string& publication,
                                                                     const RelationName& table) {
  const auto state = publication_state(publication, table);
  if (!state.ok()) return state.failure();
  if (*state == PublicationState::complete) return PublishOutcome::already_published;
  if (auto limited = limit_lock_waits(lock_limit()); !limited.ok()) return limited.failure();
  // The publication first: its lock is the weaker one (postgres.md §16.2).
  if (*state == PublicationState::not_a_member) {
    auto added = run("ALTER PUBLICATION " + quote_identifier(publication) + " ADD TABLE " +
                     quote_relation(table));
    if (!added.ok()) {
      DatabaseError error = added.error();
      // The table is there, as was just seen; a message may be in any language.
      if (error.sqlstate == "42704") error.kind = DatabaseFailure::no_publication;
      return Failure{std::move(error)};
    }
  }
  // Also where the identity is full already: it takes the table's lock, and so waits for writers
  // that are at work. What they wrote before the table was published is never streamed, and a
  // snapshot taken before they commit does not see it either.
  auto set = run("ALTER TABLE " + quote_relation(table) + " REPLICA IDENTITY FULL");
  if (!set.ok()) return set.failure();
  return PublishOutcome::published;
}

DatabaseResult<void> BlockingQuery::unpublish(const std::string& publication,
                                              const PublishedTable& table, const std::string& slot,
                                              const std::vector<int>& own_backends) {
  if (auto begun = run("BEGIN"); !begun.ok()) return begun.failure();
  if (auto limited = limit_lock_waits(lock_limit()); !limited.ok())
    return limited;  // the connection broke
  const std::string name = quote_relation(table.name);
  auto dropped = run("ALTER PUBLICATION " + quote_identifier(publication) + " DROP TABLE " + name);
  // From here to the end of the transaction the name stays with the table that was dropped.
  bool same = dropped.ok();
  if (same) {
    const auto now = connection_->run(
        k_may_unpublish, {name, std::to_string(table.oid.value), slot, array_of(own_backends)},
        soon());
    same = now.ok() && now->text(0, 0) == "t";
  }
  auto ended = run(same ? "COMMIT" : "ROLLBACK");
  if (!dropped.ok()) {
    const std::string& code = dropped.error().sqlstate;
    // Dropped from the publication, or altogether.
    const bool absent = code == "42P01" || code == "3F000" ||
                        (code == "42704" && dropped.error().message.starts_with("relation "));
    if (!absent) return dropped.failure();
  }
  if (!ended.ok()) return ended.failure();
  return {};
}

DatabaseResult<PublicationState> BlockingQuery::publication_state(const std::string& publication,
                                                                  const RelationName& table) {
  auto state =
      connection_->run(k_publication_state, {table.schema, table.table, publication}, soon());
  if (!state.ok()) return state.failure();
  if (state->rows() == 0)
    return Failure{DatabaseError{DatabaseFailure::undefined_object, "42P01",
                                 "relation " + quote_relation(table) + " does not exist"}};
  if (state->text(0, 2) == "t")
    return Failure{DatabaseError{DatabaseFailure::not_published,
                                 {},
                                 "Publication \"" + publication +
                                     "\" does not publish all required operations: INSERT, "
                                     "UPDATE, DELETE, TRUNCATE"}};
  if (state->text(0, 1) != "t") return PublicationState::not_a_member;
  return state->text(0, 0) == "t" ? PublicationState::complete
                                  : PublicationState::identity_not_full;
}

DatabaseResult<std::set<std::string>> BlockingQuery::writers(const RelationName& table) {
  auto rows = connection_->run(k_writers, {table.schema, table.table}, soon());
  if (!rows.ok()) return rows.failure();
  std::set<std::string> found;
  for (std::size_t i = 0; i < rows->rows(); ++i) found.insert(rows->text(i, 0));
  return found;
}

// By their locks, since who only looks may have no right to a lock that would wait for them.
DatabaseResult<PublicationState> BlockingQuery::verify_published(const std::string& publication,
                                                                 const RelationName& table) {
  const auto state = publication_state(publication, table);
  if (!state.ok() || *state != PublicationState::complete) return state;
  auto waited_for = writers(table);
  for (const auto deadline = soon(); waited_for.ok() && !waited_for->empty();) {
    if (std::chrono::steady_clock::now() > deadline)
      return Failure{DatabaseError{DatabaseFailure::lock_timeout, "55P03",
                                   "somebody is writing to " + quote_relation(table)}};
    if (auto slept = run("SELECT pg_catalog.pg_sleep(0.02)"); !slept.ok()) return slept.failure();
    const auto now = writers(table);
    if (!now.ok()) return now.failure();
    std::erase_if(*waited_for, [&](const std::string& one) { return !now->contains(one); });
  }
  if (!waited_for.ok()) return waited_for.failure();
  return state;
}

DatabaseResult<std::vector<PublishedTable>> BlockingQuery::published(
    const std::string& publication) {
  // Since its place in the publication or the publication itself was changed: what was left out for
  // a while shows by nothing else. A publication that leaves out operations has no table whole.
  auto rows = connection_->run(
      "SELECT nspname, relname, oid, xmin, pg_catalog.age(xmin) BETWEEN 0 AND 1000000000 FROM ("
      "SELECT n.nspname, c.relname, c.oid,"
      " CASE WHEN pg_catalog.age(p.xmin) < pg_catalog.age(r.xmin) THEN p.xmin ELSE r.xmin END xmin"
      " FROM pg_catalog.pg_publication_rel r"
      " JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid"
      " JOIN pg_catalog.pg_class c ON c.oid = r.prrelid"
      " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
      " WHERE p.pubname = $1 AND p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate) t"
      " ORDER BY nspname COLLATE \"C\", relname COLLATE \"C\"",
      {publication}, soon());
  if (!rows.ok()) return rows.failure();
  std::vector<PublishedTable> out;
  for (std::size_t i = 0; i < rows->rows(); ++i) {
    PublishedTable& table = out.emplace_back();
    table.name = {rows->text(i, 0), rows->text(i, 1)};
    table.oid = {number(rows->text(i, 2))};
    // Numbers wrap: one from long ago would look like one that is still to come.
    if (rows->text(i, 4) == "t") table.added_by = postgres::Xid{number(rows->text(i, 3))};
  }
  return out;
}

}  // namespace holdfast::production
