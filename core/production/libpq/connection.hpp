// One libpq connection, used by one thread at a time; every call blocks that thread in poll(),
// never longer than its deadline or until another thread interrupts it. A call that was left that
// way ends the connection: its destructor asks the server to cancel what still runs there.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/env/database.hpp"
#include "core/production/libpq/errors.hpp"
#include "core/production/libpq/settings.hpp"

struct pg_conn;
struct pg_result;

namespace holdfast::production {

/// Makes a blocked call of a connection end; once fired, every later call too. Thread-safe.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  void fire();
  bool fired() const;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;  // an eventfd, readable from fire() on
};

/// nullopt: as long as it takes.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;
Deadline deadline_after(Duration duration);

/// The rows of a finished query.
class ResultRows {
 public:
  explicit ResultRows(pg_result* result) : result_(result) {}
  std::size_t rows() const;
  /// REQUIRES: inside the result. NULL gives nullopt.
  std::optional<std::string> cell(std::size_t row, std::size_t column) const;
  /// A cell that cannot be NULL.
  std::string text(std::size_t row, std::size_t column) const;

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

enum class SessionKind : std::uint8_t { query, replication };

class Connection {
 public:
  static env::DatabaseResult<std::unique_ptr<Connection>> open(
      const ConnectionSettings& settings, SessionKind kind, std::shared_ptr<Interrupt> interrupt);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int backend_pid() const;

  /// One statement by the simple protocol, the only one that replication sessions speak.
  env::DatabaseResult<ResultRows> run(const std::string& sql, Deadline deadline,
                                      DatabaseActivity activity);
  /// One statement with parameters $1…, by the extended protocol and unnamed.
  env::DatabaseResult<ResultRows> run(const std::string& sql,
                                      const std::vector<std::string>& parameters,
                                      Deadline deadline);

  /// Starts a query whose rows are then fetched as they arrive; nothing else may run until they
  /// end.
  env::DatabaseResult<void> start_rows(const std::string& sql);
  /// Adds rows to `batch` until it has `max_rows` or `max_bytes`. False: the last row was added.
  env::DatabaseResult<bool> fetch_rows(postgres::RowBatch& batch, Deadline deadline,
                                       std::size_t max_rows, std::size_t max_bytes);
  /// Gives up the rows still to come, telling the server to stop.
  void cancel_rows();

  /// START_REPLICATION: returns once the server has switched to COPY BOTH.
  env::DatabaseResult<void> start_copy_both(const std::string& sql, Deadline deadline);
  /// At least one CopyData payload and at most `max`; none if the deadline passed, after which the
  /// connection goes on.
  env::DatabaseResult<std::vector<std::string>> receive_copy(Deadline deadline, std::size_t max);
  env::DatabaseResult<void> send_copy(std::string_view payload, Deadline deadline);

 private:
  enum class Wait : std::uint8_t { ready, deadline, interrupted };
  /// What became of a statement that is to stop: ended is by itself, stopped with an error.
  enum class Statement : std::uint8_t { running, ended, stopped, broken };

  Connection(pg_conn* connection, std::shared_ptr<Interrupt> interrupt)
      : connection_(connection), interrupt_(std::move(interrupt)) {}
  env::DatabaseResult<void> finish_connecting(Deadline deadline);
  Wait wait(short events, Deadline deadline, short* found = nullptr);
  env::DatabaseError lost(DatabaseActivity activity);
  env::DatabaseError abandoned(Wait wait);
  void request_cancel();
  Statement read_to_its_end(std::chrono::steady_clock::time_point until);
  /// Tells the server to stop until it has, and takes what it still sends.
  Statement stop_statement(Duration at_most);
  env::DatabaseError end_rows(const pg_result* result);
  env::DatabaseError end_of_copy();
  env::DatabaseError failed(const pg_result* result, DatabaseActivity activity);
  std::optional<env::DatabaseError> unusable() const;
  env::DatabaseResult<void> flush(Deadline deadline, DatabaseActivity activity);
  env::DatabaseResult<void> await_result(Deadline deadline, DatabaseActivity activity);
  env::DatabaseResult<ResultRows> collect(Deadline deadline, DatabaseActivity activity);

  pg_conn* connection_;
  std::shared_ptr<Interrupt> interrupt_;
  /// Set when a call was left before the server had answered, or the connection broke.
  std::optional<env::DatabaseError> end_;
  bool cancel_at_end_ = false;
  bool stopped_ = false;  ///< the statement that is being stopped has said so
};

}  // namespace holdfast::production
