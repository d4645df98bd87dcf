// One SQLite connection with the settings every connection of the store has, and its prepared
// statements. Owned by a Store or a Reader and used by one store job at a time. Knows no table.
//
// Failures are remembered, not thrown: an operation answers false (or a query stops), and failure()
// turns the remembered code into a StoreError that names the path.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/storage/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::storage {

/// Unsigned values are stored as the same 64 bits; SQL never compares them, C++ does.
struct Text {
  std::string_view value;
};
struct Blob {
  std::string_view value;
};
struct Null {};

/// How long a connection waits for another one's lock.
inline constexpr int k_busy_timeout_ms = 5000;

enum class ConnectionRole : std::uint8_t {
  writer,  ///< creates the file if need be
  reader,  ///< query_only; never creates, checkpoints or recovers by writing the database
};

class Connection;

/// SQL text and, from the first use on, its compiled form, kept as long as the connection.
class Statement {
 public:
  explicit Statement(const char* sql) : sql_(sql) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

 private:
  friend class Connection;
  friend class Query;
  const char* sql_;
  sqlite3_stmt* compiled_ = nullptr;
};

/// Rows of a statement, one at a time. Resets the statement when it goes.
class Query {
 public:
  Query(Connection& connection, sqlite3_stmt* compiled)
      : connection_(connection), compiled_(compiled) {}
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// True: a row is there. False: no more, or failed().
  bool next();
  bool failed() const { return failed_ || compiled_ == nullptr; }

  std::uint64_t number(int column) const;
  /// Valid until the next row.
  std::string_view bytes(int column) const;
  bool is_null(int column) const;

 private:
  Connection& connection_;
  sqlite3_stmt* compiled_;
  bool failed_ = false;
};

class Connection {
 public:
  /// Opens the file and applies the settings that need no transaction.
  static StoreResult<std::unique_ptr<Connection>> open(const std::string& path, const char* vfs,
                                                       ConnectionRole role);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs a statement that returns no rows. Blobs need to live only for the call.
  template <class... Args>
  bool run(Statement& statement, const Args&... args) {
    sqlite3_stmt* compiled = prepare(statement);
    if (compiled == nullptr) return false;
    int column = 0;
    if (!(bind(compiled, ++column, args, Lifetime::call) && ...)) return false;
    return finish(compiled);
  }
  template <class... Args>
  Query query(Statement& statement, const Args&... args) {
    sqlite3_stmt* compiled = prepare(statement);
    int column = 0;
    if (compiled != nullptr && !(bind(compiled, ++column, args, Lifetime::copy) && ...))
      compiled = nullptr;
    return Query(*this, compiled);
  }
  /// Statements that are used once.
  bool execute(const char* sql);
  /// The first column of the first row; 0 when there is none. `ok` tells a failure apart.
  std::uint64_t scalar(const char* sql, bool& ok);

  /// The error of the last failed operation.
  StoreError failure(std::string_view what) const;
  /// An error of this database file that SQLite itself did not notice.
  StoreError corrupt(std::string_view what) const;

  /// One of SQLite's checkpoint modes. Readers or another checkpoint in the way are no failure;
  /// `copied` says how many frames of the WAL are in the database now.
  bool checkpoint(int mode, int& copied);
  void set_busy_timeout(int milliseconds);

  bool in_transaction() const;
  int changes() const;
  const std::string& path() const { return path_; }
  sqlite3* raw() { return handle_; }
  /// Frames in the write-ahead log after this connection's last commit.
  std::uint64_t wal_frames() const { return wal_frames_; }

 private:
  friend class Query;
  enum class Lifetime : std::uint8_t { call, copy };

  Connection(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}
  sqlite3_stmt* prepare(Statement& statement);
  bool finish(sqlite3_stmt* compiled);
  bool remember(int code);
  bool bind(sqlite3_stmt* compiled, int column, std::uint64_t value, Lifetime lifetime);
  bool bind(sqlite3_stmt* compiled, int column, Text value, Lifetime lifetime);
  bool bind(sqlite3_stmt* compiled, int column, Blob value, Lifetime lifetime);
  bool bind(sqlite3_stmt* compiled, int column, Null value, Lifetime lifetime);
  static int on_wal_commit(void* self, sqlite3* handle, const char* name, int frames) noexcept;

  std::string path_;
  sqlite3* handle_;
  int code_ = 0;
  std::string message_;
  std::uint64_t wal_frames_ = 0;
};

}  // namespace holdfast::storage
