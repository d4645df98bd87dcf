#include "core/storage/schema.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_application_id = 0x486f6c64;  // "Hold"
constexpr std::uint64_t k_format_version = 2;

// A new directory starts its handle counter at the clock, so that a directory which was lost and
// made anew does not give its predecessor's handles to other shapes. From there on it only counts.
constexpr const char* k_create =
    "PRAGMA application_id=1215261796;"
    "PRAGMA user_version=2;"
    "CREATE TABLE state(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, applied INTEGER NOT NULL,"
    " confirmable INTEGER NOT NULL, sealed_row INTEGER NOT NULL, sealed_item INTEGER NOT NULL,"
    " next_shape INTEGER NOT NULL, handle_base INTEGER NOT NULL, system_identity TEXT NOT NULL,"
    " owner TEXT NOT NULL);"
    "INSERT INTO state VALUES(1,0,0,0,0,0,1,CAST(strftime('%s','now') AS INTEGER)*1000000,'','');"
    "CREATE TABLE shape(id INTEGER PRIMARY KEY, handle TEXT NOT NULL, identity BLOB NOT NULL,"
    " chunks INTEGER, snapshot BLOB, definition BLOB NOT NULL, role INTEGER NOT NULL,"
    " inners BLOB NOT NULL);"
    "CREATE TABLE shape_state(shape INTEGER NOT NULL, space INTEGER NOT NULL, key BLOB NOT NULL,"
    " value BLOB NOT NULL, PRIMARY KEY(shape, space, key)) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX shape_identity ON shape(identity);"
    "CREATE TABLE removed(id INTEGER PRIMARY KEY, handle TEXT NOT NULL, reason TEXT NOT NULL,"
    " at INTEGER NOT NULL, state INTEGER NOT NULL, definition BLOB);"
    "CREATE TABLE journal(id INTEGER PRIMARY KEY, refs BLOB NOT NULL);"
    "CREATE TABLE item(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, size INTEGER NOT NULL,"
    " live INTEGER NOT NULL);"
    "CREATE TABLE run(shape INTEGER NOT NULL, last BLOB NOT NULL, segment INTEGER NOT NULL,"
    " position INTEGER NOT NULL, length INTEGER NOT NULL, crc INTEGER NOT NULL,"
    " closes INTEGER NOT NULL, open_bytes INTEGER NOT NULL,"
    " PRIMARY KEY(shape, last)) WITHOUT ROWID;"
    "CREATE INDEX run_segment ON run(segment);"
    "CREATE TABLE snapshot_part(id INTEGER PRIMARY KEY, segment INTEGER, first INTEGER NOT NULL,"
    " length INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB);";

enum class SchemaState : std::uint8_t { fresh, ours };

StoreResult<SchemaState> identify(Connection& connection) {
  bool ok = true;
  const std::uint64_t application = connection.scalar("PRAGMA application_id", ok);
  if (!ok) return Failure{connection.failure("cannot read the database")};
  const std::uint64_t version = connection.scalar("PRAGMA user_version", ok);
  if (!ok) return Failure{connection.failure("cannot read the database")};
  if (application == 0 && version == 0) {
    const std::uint64_t objects = connection.scalar("SELECT count(*) FROM sqlite_schema", ok);
    if (!ok) return Failure{connection.failure("cannot read the database")};
    if (objects == 0) return SchemaState::fresh;
  }
  if (application != k_application_id)
    return Failure{connection.corrupt("this is not a Holdfast store (application id " +
                                      std::to_string(application) + ")")};
  if (version != k_format_version)
    return Failure{connection.corrupt("format version " + std::to_string(version) +
                                      " is not supported; this build reads version " +
                                      std::to_string(k_format_version))};
  return SchemaState::ours;
}

}  // namespace

std::string database_path(const std::string& directory) {
  return directory + "/" + k_database_name;
}

StoreResult<void> create_schema(Connection& connection) {
  auto found = identify(connection);
  if (!found) return found.failure();
  // Only a file that is ours, or nobody's, is touched.
  bool ok = true;
  static_assert(k_application_id == 1215261796, "the number in k_create");
  if (!connection.execute("PRAGMA journal_mode=WAL"))
    return Failure{connection.failure("cannot switch to write-ahead logging")};
  if (*found == SchemaState::ours) return {};
  if (!connection.execute("BEGIN IMMEDIATE"))
    return Failure{connection.failure("cannot create the tables")};
  const std::uint64_t objects = connection.scalar("SELECT count(*) FROM sqlite_schema", ok);
  const bool done = ok && (objects > 0 || connection.execute(k_create));
  if (done && connection.execute("COMMIT")) return {};
  const StoreError error = connection.failure("cannot create the tables");
  if (connection.in_transaction() && !connection.execute("ROLLBACK"))
    return Failure{connection.failure("cannot roll back")};
  return Failure{error};
}

StoreResult<void> check_schema(Connection& connection) {
  auto found = identify(connection);
  if (!found) return found.failure();
  if (*found == SchemaState::fresh)
    return Failure{StoreError{StoreFailure::not_found,
                              connection.path() + ": the store has not been created yet"}};
  return {};
}

StoreResult<void> check_owner(const Connection& connection, const StoreState& state,
                              const StoreOptions& options) {
  if (state.owner.empty() || state.owner == options.owner) return {};
  return Failure{StoreError{StoreFailure::foreign,
                            connection.path() + " holds the shapes of replication slot \"" +
                                state.owner + "\", not of \"" + options.owner + "\""}};
}

StoreResult<StoreState> StateReader::read() {
  Query rows = connection_.query(select_);
  if (!rows.next()) {
    if (rows.failed()) return Failure{connection_.failure("reading the state")};
    return Failure{connection_.corrupt("table state has no row")};
  }
  StoreState state;
  state.epoch = rows.number(0);
  state.applied = rows.number(1);
  state.confirmable = rows.number(2);
  state.sealed_row = rows.number(3);
  state.sealed_item = rows.number(4);
  state.next_shape = rows.number(5);
  state.handle_base = rows.number(6);
  state.system_identity = std::string(rows.bytes(7));
  state.owner = std::string(rows.bytes(8));
  return state;
}

}  // namespace holdfast::storage
