// Connection's other half: rows given up, and the stream of CopyData.
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>

#include "core/production/libpq/connection.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;

namespace {

/// Long enough for a live server to say why it ended a copy or stopped a query.
constexpr Duration k_last_words = std::chrono::seconds(5);
/// Until a request to stop is repeated; doubled each time.
constexpr Duration k_first_pause = std::chrono::milliseconds(50);

}  // namespace

// After an error the server still has to say that it is ready for the next statement.
DatabaseError Connection::end_rows(const pg_result* result) {
  const DatabaseError error = failed(result, DatabaseActivity::querying);
  while (!end_ && await_result(deadline_after(k_last_words), DatabaseActivity::querying).ok()) {
    pg_result* more = PQgetResult(connection_);
    if (more == nullptr) return error;
    PQclear(more);
    if (PQstatus(connection_) == CONNECTION_BAD) end_ = error;
  }
  return error;
}

void Connection::request_cancel() {
  PGcancel* const cancel = PQgetCancel(connection_);
  if (cancel == nullptr) return;
  char ignored[256];
  PQcancel(cancel, ignored, sizeof ignored);
  PQfreeCancel(cancel);
}

// Not `wait`: an interrupt is often why the statement is given up, and must not end this too.
Connection::Statement Connection::read_to_its_end(std::chrono::steady_clock::time_point until) {
  for (;;) {
    while (PQisBusy(connection_) != 0) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return Statement::running;
      pollfd entry{PQsocket(connection_), POLLIN, 0};
      ::poll(&entry, 1, static_cast<int>(left.count()));
      if (entry.revents != 0 && PQconsumeInput(connection_) == 0) return Statement::broken;
    }
    pg_result* const result = PQgetResult(connection_);
    if (result == nullptr) return stopped_ ? Statement::stopped : Statement::ended;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) stopped_ = true;
    PQclear(result);
    if (PQstatus(connection_) == CONNECTION_BAD) return Statement::broken;
  }
}

// Postgres ignores a request that reaches a backend before its statement does, so one is not
// enough: on a busy machine the statement would run on, holding its snapshot and its locks.
Connection::Statement Connection::stop_statement(Duration at_most) {
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const auto end = now() + at_most;
  auto pause = k_first_pause;
  Statement seen = Statement::running;
  stopped_ = false;
  while (seen == Statement::running && now() < end) {
    request_cancel();
    seen = read_to_its_end(std::min(now() + pause, end));
    pause *= 2;
  }
  return seen;
}

void Connection::cancel_rows() {
  if (end_) return;
  switch (stop_statement(k_last_words)) {
    case Statement::stopped:
      return;
    case Statement::running:
      abandoned(Wait::deadline);
      return;
    case Statement::broken:
      lost(DatabaseActivity::querying);
      return;
    case Statement::ended:
      // The request may be left behind, to hit the next statement.
      end_ = DatabaseError{DatabaseFailure::connection, {}, "the query was given up"};
      return;
  }
}

DatabaseResult<void> Connection::start_copy_both(const std::string& sql, Deadline deadline) {
  if (end_) return Failure{*end_};
  if (PQsendQuery(connection_, sql.c_str()) == 0)
    return Failure{lost(DatabaseActivity::replicating)};
  if (auto flushed = flush(deadline, DatabaseActivity::replicating); !flushed.ok()) return flushed;
  if (auto ready = await_result(deadline, DatabaseActivity::replicating); !ready.ok()) return ready;
  pg_result* result = PQgetResult(connection_);
  if (result == nullptr) return Failure{lost(DatabaseActivity::replicating)};
  const ResultRows owned(result);
  if (PQresultStatus(result) == PGRES_COPY_BOTH) return {};
  const DatabaseError error = failed(result, DatabaseActivity::replicating);
  end_ = error;  // whether the refusal left a usable session is of no interest: it is set up anew
  return Failure{error};
}

DatabaseResult<std::vector<std::string>> Connection::receive_copy(Deadline deadline,
                                                                  std::size_t max) {
  if (end_) return Failure{*end_};
  std::vector<std::string> received;
  while (received.size() < max) {
    char* payload = nullptr;
    const int size = PQgetCopyData(connection_, &payload, 1);
    if (size > 0) {
      received.emplace_back(payload, static_cast<std::size_t>(size));
      PQfreemem(payload);
    } else if (size == 0) {
      if (!received.empty()) return received;
      const Wait waited = wait(POLLIN, deadline);
      if (waited == Wait::deadline) return received;
      if (waited == Wait::interrupted) {
        const DatabaseError error = abandoned(waited);
        cancel_at_end_ = false;  // a walsender that streams ends with its socket
        return Failure{error};
      }
      if (PQconsumeInput(connection_) == 0) return Failure{lost(DatabaseActivity::replicating)};
    } else {
      // What came before is delivered first; the next call reports the end.
      end_ = end_of_copy();
      if (received.empty()) return Failure{*end_};
      return received;
    }
  }
  return received;
}

DatabaseError Connection::end_of_copy() {
  DatabaseError error{DatabaseFailure::connection, {}, "the server ended the replication stream"};
  if (!await_result(deadline_after(k_last_words), DatabaseActivity::replicating).ok()) return *end_;
  pg_result* result = PQgetResult(connection_);
  if (result == nullptr) return error;
  const ResultRows owned(result);
  if (PQresultStatus(result) == PGRES_FATAL_ERROR)
    error = failed(result, DatabaseActivity::streaming);
  return error;
}

DatabaseResult<void> Connection::send_copy(std::string_view payload, Deadline deadline) {
  if (end_) return Failure{*end_};
  for (;;) {
    const int sent = PQputCopyData(connection_, payload.data(), static_cast<int>(payload.size()));
    if (sent < 0) return Failure{lost(DatabaseActivity::replicating)};
    if (auto flushed = flush(deadline, DatabaseActivity::replicating); !flushed.ok())
      return flushed;
    if (sent > 0) return {};
  }
}

}  // namespace holdfast::production
