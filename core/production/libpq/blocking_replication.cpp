#include "core/production/libpq/blocking_replication.hpp"

#include <charconv>

#include "core/postgres/parse_text.hpp"
#include "core/postgres/query_text.hpp"
#include "core/postgres/status_message.hpp"
#include "core/production/libpq/display_settings.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;
using postgres::quote_identifier;
using postgres::quote_literal;

namespace {

constexpr std::size_t k_messages_per_receive = 500;  // postgres.md §9.6
constexpr std::uint32_t k_version_18 = 180'000;

std::uint32_t number(const std::string& text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Failure<DatabaseError> unexpected(const char* what) {
  return {DatabaseError{DatabaseFailure::query, {}, std::string("unexpected answer to ") + what}};
}

/// The replication grammar knows no E'…': only quotes are doubled.
std::string quote_replication_literal(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back(c);
    out.push_back(c);
  }
  return out + "'";
}

WallTime system_time() {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  return {duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

}  // namespace

DatabaseResult<std::unique_ptr<BlockingReplication>> BlockingReplication::open(
    const ConnectionSettings& settings, std::shared_ptr<Interrupt> interrupt) {
  auto connection = Connection::open(settings, SessionKind::replication, std::move(interrupt));
  if (!connection.ok()) return connection.failure();
  std::unique_ptr<BlockingReplication> opened(
      new BlockingReplication(settings, std::move(*connection)));
  // Without this a backend that waits for the lock or for open transactions outlives its client,
  // holding the lock (§7.3). Not every system supports it; a refusal changes nothing.
  auto ignored = opened->run("SET client_connection_check_interval = '2s'");
  if (!ignored.ok() && ignored.error().kind == DatabaseFailure::connection)
    return ignored.failure();
  return opened;
}

DatabaseResult<ResultRows> BlockingReplication::run(const std::string& sql) {
  return connection_->run(sql, deadline_after(settings_.statement_timeout),
                          DatabaseActivity::replicating);
}

DatabaseResult<env::SystemIdentity> BlockingReplication::identify_system() {
  auto rows = run("IDENTIFY_SYSTEM");
  if (!rows.ok()) return rows.failure();
  if (rows->rows() != 1) return unexpected("IDENTIFY_SYSTEM");
  return env::SystemIdentity{rows->text(0, 0), number(rows->text(0, 1))};
}

DatabaseResult<env::ServerSettings> BlockingReplication::settings() {
  auto rows =
      run("SELECT current_setting('server_version_num'), setting FROM pg_catalog.pg_settings"
          " WHERE name = 'wal_sender_timeout'");
  if (!rows.ok()) return rows.failure();
  if (rows->rows() != 1) return unexpected("the question for settings");
  server_version_ = number(rows->text(0, 0));
  return env::ServerSettings{server_version_, std::chrono::milliseconds(number(rows->text(0, 1)))};
}

DatabaseResult<void> BlockingReplication::acquire_lock(const std::string& name) {
  auto rows = connection_->run(
      "SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext(" + quote_literal(name) + "))",
      std::nullopt, DatabaseActivity::waiting_for_lock);
  if (!rows.ok()) return rows.failure();
  return {};
}

DatabaseResult<bool> BlockingReplication::ensure_publication(const std::string& publication) {
  if (auto begun = run("BEGIN"); !begun.ok()) return begun.failure();
  std::string sql = "CREATE PUBLICATION " + quote_identifier(publication);
  if (server_version_ >= k_version_18) sql += " WITH (publish_generated_columns = stored)";
  auto created = run(sql);
  if (created.ok()) {
    publication_uncommitted_ = true;
    return true;
  }
  const DatabaseError error = created.error();
  if (error.sqlstate != "42710" && error.sqlstate != "42501") return created.failure();
  if (auto ended = run("ROLLBACK"); !ended.ok()) return ended.failure();
  if (auto checked = check_publication(publication); !checked.ok()) return checked.failure();
  return false;
}

DatabaseResult<void> BlockingReplication::check_publication(const std::string& publication) {
  auto rows =
      run("SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate"
          " FROM pg_catalog.pg_publication WHERE pubname = " +
          quote_literal(publication));
  if (!rows.ok()) return rows.failure();
  const std::string name = "Publication \"" + publication + "\"";
  if (rows->rows() == 0)
    return Failure{
        DatabaseError{DatabaseFailure::configuration, {}, name + " not found in the database"}};
  if (rows->text(0, 0) != "t")
    return Failure{DatabaseError{DatabaseFailure::configuration,
                                 {},
                                 name +
                                     " does not publish all required operations: INSERT, UPDATE, "
                                     "DELETE, TRUNCATE"}};
  return {};
}

// Dropping a slot cannot be rolled back, creating a publication can: a crash in between leaves
// neither or the publication's absence, and the next start does both again.
DatabaseResult<void> BlockingReplication::replace_publication(const std::string& slot) {
  publication_uncommitted_ = false;
  if (auto dropped = drop_slot(slot); !dropped.ok()) {
    if (auto undone = run("ROLLBACK"); !undone.ok()) return undone.failure();
    return dropped.failure();
  }
  auto committed = run("COMMIT");
  if (!committed.ok()) return committed.failure();
  return {};
}

// Of a slot that is somebody else's existing_slot() says so.
DatabaseResult<void> BlockingReplication::drop_slot(const std::string& slot) {
  auto dropped =
      run("SELECT pg_catalog.pg_drop_replication_slot(slot_name)"
          " FROM pg_catalog.pg_replication_slots WHERE plugin = 'pgoutput'"
          " AND database = pg_catalog.current_database() AND slot_name = " +
          quote_literal(slot));
  if (!dropped.ok()) return dropped.failure();
  return {};
}

DatabaseResult<env::SlotState> BlockingReplication::ensure_slot(const std::string& slot) {
  if (publication_uncommitted_)
    if (auto replaced = replace_publication(slot); !replaced.ok()) return replaced.failure();
  auto created = connection_->run(
      "CREATE_REPLICATION_SLOT " + quote_identifier(slot) + " LOGICAL pgoutput NOEXPORT_SNAPSHOT",
      std::nullopt, DatabaseActivity::replicating);
  if (!created.ok()) {
    if (created.error().sqlstate == "42710") return existing_slot(slot);
    return created.failure();
  }
  // slot_name, consistent_point, snapshot_name, output_plugin
  const auto point = created->rows() == 1 ? postgres::parse_lsn(created->text(0, 1)) : std::nullopt;
  if (!point) return unexpected("CREATE_REPLICATION_SLOT");
  return env::SlotState{true, *point};
}

DatabaseResult<env::SlotState> BlockingReplication::existing_slot(const std::string& slot) {
  auto rows =
      run("SELECT confirmed_flush_lsn, wal_status = 'lost',"
          " plugin = 'pgoutput' AND database = pg_catalog.current_database()"
          " FROM pg_catalog.pg_replication_slots WHERE slot_name = " +
          quote_literal(slot));
  if (!rows.ok()) return rows.failure();
  if (rows->rows() == 0)
    return Failure{DatabaseError{DatabaseFailure::connection,
                                 {},
                                 "replication slot \"" + slot + "\" has just been dropped"}};
  if (rows->text(0, 2) != "t")
    return Failure{DatabaseError{
        DatabaseFailure::configuration,
        {},
        "replication slot \"" + slot + "\" belongs to another database or output plugin"}};
  if (rows->text(0, 1) == "t") {
    if (auto dropped = drop_slot(slot); !dropped.ok()) return dropped.failure();
    return Failure{DatabaseError{
        DatabaseFailure::slot_invalidated, "55000",
        "Couldn't start replication: slot has been invalidated because it exceeded the maximum "
        "reserved size."}};
  }
  const auto position = postgres::parse_lsn(rows->text(0, 0));
  if (!position)  // none yet: its creation still waits for open transactions
    return Failure{DatabaseError{
        DatabaseFailure::slot_active, "55006",
        "replication slot \"" + slot + "\" is still being created by another connection"}};
  return env::SlotState{false, *position};
}

DatabaseResult<void> BlockingReplication::start_streaming(const std::string& slot,
                                                          const std::string& publication) {
  for (const DisplaySetting& setting : k_display_settings) {
    auto set = run(std::string("SET ") + setting.name + " = " + quote_literal(setting.value));
    if (!set.ok()) return set.failure();
  }
  // publication_names is a list of identifiers inside of a literal.
  return connection_->start_copy_both("START_REPLICATION SLOT " + quote_identifier(slot) +
                                          " LOGICAL 0/0 (proto_version '1', publication_names " +
                                          quote_replication_literal(quote_identifier(publication)) +
                                          ")",
                                      deadline_after(settings_.connect_timeout));
}

DatabaseResult<std::vector<std::string>> BlockingReplication::receive(Deadline deadline) {
  return connection_->receive_copy(deadline, k_messages_per_receive);
}

DatabaseResult<void> BlockingReplication::send_status(postgres::Lsn received,
                                                      postgres::Lsn flushed) {
  return connection_->send_copy(postgres::encode_status(received, flushed, system_time()),
                                deadline_after(settings_.tcp_user_timeout));
}

}  // namespace holdfast::production
