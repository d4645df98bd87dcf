// Connection's other half: rows given up, and the stream of CopyData.
#include <libpq-fe.h>
#include <poll.h>

#include "core/production/libpq/connection.hpp"

namespace holdfast::production {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;

namespace {

/// Long enough for a live server to say why it ended a copy or stopped a query.
constexpr Duration k_last_words = std::chrono::seconds(5);

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

void Connection::cancel_rows() {
  if (end_) return;
  PGcancel* cancel = PQgetCancel(connection_);
  if (cancel != nullptr) {
    char ignored[256];
    PQcancel(cancel, ignored, sizeof ignored);
    PQfreeCancel(cancel);
  }
  bool stopped = false;
  const Deadline deadline = deadline_after(k_last_words);
  while (await_result(deadline, DatabaseActivity::querying).ok()) {
    pg_result* result = PQgetResult(connection_);
    if (result == nullptr) break;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR) stopped = true;
    PQclear(result);
    if (PQstatus(connection_) == CONNECTION_BAD) break;
  }
  // A query that ended by itself may leave the request behind, to hit the next statement.
  if (!end_ && !stopped)
    end_ = DatabaseError{DatabaseFailure::connection, {}, "the query was given up"};
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
    error = failed(result, DatabaseActivity::replicating);
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
