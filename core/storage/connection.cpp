#include "core/storage/connection.hpp"

#include <sqlite3.h>

#include "core/base/assert.hpp"
#include "core/storage/store.hpp"

namespace holdfast::storage {
namespace {

StoreFailure classify(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ? StoreFailure::corrupt
                                                               : StoreFailure::io;
}

}  // namespace

void configure_sqlite() {
  const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  ASSERT(code == SQLITE_OK, "SQLite is configured before its first use");
}

Statement::~Statement() {
  sqlite3_finalize(compiled_);
}

Query::~Query() {
  if (compiled_ != nullptr) sqlite3_reset(compiled_);
}

bool Query::next() {
  if (failed()) return false;
  const int code = sqlite3_step(compiled_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) failed_ = !connection_.remember(code);
  return false;
}

std::uint64_t Query::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(compiled_, column));
}

std::string_view Query::bytes(int column) const {
  const void* data = sqlite3_column_blob(compiled_, column);
  const int size = sqlite3_column_bytes(compiled_, column);
  return data == nullptr
             ? std::string_view{}
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(compiled_, column) == SQLITE_NULL;
}

StoreResult<std::unique_ptr<Connection>> Connection::open(const std::string& path, const char* vfs,
                                                          ConnectionRole role) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                    (role == ConnectionRole::writer ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, vfs);
  std::unique_ptr<Connection> connection(new Connection(path, handle));
  if (!connection->remember(code)) return Failure{connection->failure("cannot open")};
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, k_busy_timeout_ms);
  // Lookaside makes behaviour depend on addresses; both worlds run without it. Nobody checkpoints
  // when closing: a standby's close would remove a WAL that a killed leader still needs.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_autocheckpoint(handle, 0);
  sqlite3_wal_hook(handle, &Connection::on_wal_commit, connection.get());
  const char* settings = role == ConnectionRole::writer
                             ? "PRAGMA page_size=4096; PRAGMA synchronous=FULL; "
                               "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; "
                               "PRAGMA mmap_size=0;"
                             : "PRAGMA query_only=1; PRAGMA cache_size=-4096; "
                               "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;";
  if (!connection->execute(settings)) return Failure{connection->failure("cannot open")};
  return connection;
}

Connection::~Connection() {
  const int code = sqlite3_close_v2(handle_);
  ASSERT(code == SQLITE_OK, "sqlite3_close_v2 takes any connection");
}

int Connection::on_wal_commit(void* self, sqlite3*, const char*, int frames) noexcept {
  static_cast<Connection*>(self)->wal_frames_ = static_cast<std::uint64_t>(frames);
  return SQLITE_OK;
}

sqlite3_stmt* Connection::prepare(Statement& statement) {
  if (statement.compiled_ == nullptr) {
    const int code = sqlite3_prepare_v3(handle_, statement.sql_, -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement.compiled_, nullptr);
    if (!remember(code)) return nullptr;
  }
  ASSERT(!sqlite3_stmt_busy(statement.compiled_), "a statement serves one query at a time");
  return statement.compiled_;
}

bool Connection::finish(sqlite3_stmt* compiled) {
  const int code = sqlite3_step(compiled);
  const bool ok = code == SQLITE_DONE || code == SQLITE_ROW || remember(code);
  sqlite3_reset(compiled);
  return ok;
}

bool Connection::remember(int code) {
  if (code == SQLITE_OK) return true;
  code_ = code;
  message_ = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  return false;
}

bool Connection::bind(sqlite3_stmt* compiled, int column, std::uint64_t value, Lifetime) {
  return remember(sqlite3_bind_int64(compiled, column, static_cast<std::int64_t>(value)));
}

bool Connection::bind(sqlite3_stmt* compiled, int column, Text value, Lifetime lifetime) {
  return remember(sqlite3_bind_text64(
      compiled, column, value.value.data() == nullptr ? "" : value.value.data(), value.value.size(),
      lifetime == Lifetime::call ? SQLITE_STATIC : SQLITE_TRANSIENT, SQLITE_UTF8));
}

bool Connection::bind(sqlite3_stmt* compiled, int column, Blob value, Lifetime lifetime) {
  return remember(sqlite3_bind_blob64(
      compiled, column, value.value.data() == nullptr ? "" : value.value.data(), value.value.size(),
      lifetime == Lifetime::call ? SQLITE_STATIC : SQLITE_TRANSIENT));
}

bool Connection::bind(sqlite3_stmt* compiled, int column, Null, Lifetime) {
  return remember(sqlite3_bind_null(compiled, column));
}

bool Connection::execute(const char* sql) {
  return remember(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr));
}

std::uint64_t Connection::scalar(const char* sql, bool& ok) {
  Statement statement(sql);
  Query rows = query(statement);
  const std::uint64_t value = rows.next() ? rows.number(0) : 0;
  ok = !rows.failed();
  return value;
}

StoreError Connection::failure(std::string_view what) const {
  std::string message = path_ + ": ";
  message.append(what).append(": ").append(message_);
  message += " (SQLite " + std::to_string(code_) + ")";
  return {classify(code_), std::move(message)};
}

StoreError Connection::corrupt(std::string_view what) const {
  return {StoreFailure::corrupt, path_ + ": " + std::string(what)};
}

bool Connection::checkpoint(int mode, int& copied) {
  int in_log = 0;
  copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, mode, &in_log, &copied);
  copied = copied < 0 ? 0 : copied;
  return (code & 0xff) == SQLITE_BUSY || remember(code);
}

void Connection::set_busy_timeout(int milliseconds) {
  sqlite3_busy_timeout(handle_, milliseconds);
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

int Connection::changes() const {
  return sqlite3_changes(handle_);
}

}  // namespace holdfast::storage
