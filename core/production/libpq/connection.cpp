#include "core/production/libpq/connection.hpp"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/assert.hpp"
#include "core/production/libpq/url.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;

/// How long an abandoned connection is kept for its server to stop what runs there.
constexpr Duration k_stop_at_end = std::chrono::seconds(2);

std::string seconds_at_least_one(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  return std::to_string(std::max<long>(1, static_cast<long>(seconds)));
}

std::string milliseconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

/// Later entries win over what the URL says.
std::vector<std::pair<std::string, std::string>> parameters_of(const ConnectionSettings& settings,
                                                               SessionKind kind) {
  std::vector<std::pair<std::string, std::string>> out = {
      {"dbname", libpq_url(settings.url)},
      {"fallback_application_name", "holdfast"},
      {"client_encoding", "UTF8"},
      {"gssencmode", "disable"},
      {"keepalives", "1"},
      {"keepalives_idle", seconds_at_least_one(settings.tcp_keepalive_idle)},
      {"keepalives_interval", seconds_at_least_one(settings.tcp_keepalive_interval)},
      {"keepalives_count", std::to_string(settings.tcp_keepalive_count)},
      {"tcp_user_timeout", milliseconds(settings.tcp_user_timeout)},
  };
  if (kind == SessionKind::replication) out.emplace_back("replication", "database");
  if (!settings.ca_certificate_file.empty()) {
    out.emplace_back("sslrootcert", settings.ca_certificate_file);
    out.emplace_back("sslmode", "verify-full");
  }
  return out;
}

std::string field(const pg_result* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

const char* or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

// -- Interrupt, ResultRows ------------------------------------------------------------------------

Interrupt::Interrupt() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ASSERT(descriptor_ >= 0, "the system gives an eventfd");
}

Interrupt::~Interrupt() {
  ::close(descriptor_);
}

void Interrupt::fire() {
  ::eventfd_write(descriptor_, 1);
}

bool Interrupt::fired() const {
  pollfd entry{descriptor_, POLLIN, 0};
  return ::poll(&entry, 1, 0) > 0;
}

Deadline deadline_after(Duration duration) {
  return std::chrono::steady_clock::now() + duration;
}

void ResultRows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

std::size_t ResultRows::rows() const {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::optional<std::string> ResultRows::cell(std::size_t row, std::size_t column) const {
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  ASSERT(r < PQntuples(result_.get()) && c < PQnfields(result_.get()),
         "a cell is read inside its result");
  if (PQgetisnull(result_.get(), r, c) != 0) return std::nullopt;
  return std::string(PQgetvalue(result_.get(), r, c),
                     static_cast<std::size_t>(PQgetlength(result_.get(), r, c)));
}

std::string ResultRows::text(std::size_t row, std::size_t column) const {
  auto found = cell(row, column);
  return found ? std::move(*found) : std::string();
}

// -- opening and closing --------------------------------------------------------------------------

DatabaseResult<std::unique_ptr<Connection>> Connection::open(const ConnectionSettings& settings,
                                                             SessionKind kind,
                                                             std::shared_ptr<Interrupt> interrupt) {
  const auto parameters = parameters_of(settings, kind);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const Deadline deadline = deadline_after(settings.connect_timeout);
  std::unique_ptr<Connection> opened(new Connection(
      PQconnectStartParams(keywords.data(), values.data(), 1), std::move(interrupt)));
  ASSERT(opened->connection_ != nullptr, "libpq has memory for a connection");
  if (auto connected = opened->finish_connecting(deadline); !connected.ok())
    return connected.failure();
  return opened;
}

DatabaseResult<void> Connection::finish_connecting(Deadline deadline) {
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
  // A refusal during start-up has no fields, only a text; this puts the code into the text.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  PostgresPollingStatusType next =
      PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (next == PGRES_POLLING_FAILED) {
      const std::string text = PQerrorMessage(connection_);
      const ServerFailure failure = parse_connect_failure(text);
      end_ = failure.sqlstate.empty()
                 ? classify_transport(text, DatabaseActivity::connecting,
                                      or_empty(PQhost(connection_)), or_empty(PQport(connection_)))
                 : classify(failure, DatabaseActivity::connecting);
      return Failure{*end_};
    }
    const Wait waited = wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
    if (waited == Wait::deadline) {
      end_ = classify_transport("timeout expired", DatabaseActivity::connecting,
                                or_empty(PQhost(connection_)), or_empty(PQport(connection_)));
      return Failure{*end_};
    }
    if (waited == Wait::interrupted) return Failure{abandoned(waited)};
    next = PQconnectPoll(connection_);
  }
  PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
  PQsetnonblocking(connection_, 1);
  return {};
}

Connection::~Connection() {
  if (cancel_at_end_) stop_statement(k_stop_at_end);
  PQfinish(connection_);
}

int Connection::backend_pid() const {
  return PQbackendPID(connection_);
}

// -- waiting and failing --------------------------------------------------------------------------

Connection::Wait Connection::wait(short events, Deadline deadline, short* found) {
  for (;;) {
    pollfd entries[2] = {{PQsocket(connection_), events, 0}, {interrupt_->descriptor(), POLLIN, 0}};
    int timeout_ms = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::clamp<long>(left.count(), 0, 1'000'000'000));
    }
    const int ready = ::poll(entries, 2, timeout_ms);
    if (ready < 0) {
      ASSERT(errno == EINTR, "poll fails only by a signal");
      continue;
    }
    if (entries[1].revents != 0) return Wait::interrupted;
    if (entries[0].revents != 0) {
      if (found != nullptr) *found = entries[0].revents;
      return Wait::ready;
    }
    if (deadline && std::chrono::steady_clock::now() >= *deadline) return Wait::deadline;
  }
}

DatabaseError Connection::lost(DatabaseActivity activity) {
  end_ = classify_transport(PQerrorMessage(connection_), activity, or_empty(PQhost(connection_)),
                            or_empty(PQport(connection_)));
  return *end_;
}

DatabaseError Connection::abandoned(Wait wait) {
  end_ = wait == Wait::deadline
             ? DatabaseError{DatabaseFailure::timeout, {}, "the database did not answer in time"}
             : DatabaseError{DatabaseFailure::connection, {}, "the database session was closed"};
  cancel_at_end_ = PQstatus(connection_) == CONNECTION_OK;
  return *end_;
}

DatabaseError Connection::failed(const pg_result* result, DatabaseActivity activity) {
  const ServerFailure failure{
      field(result, PG_DIAG_SEVERITY_NONLOCALIZED), field(result, PG_DIAG_SQLSTATE),
      field(result, PG_DIAG_MESSAGE_PRIMARY), field(result, PG_DIAG_MESSAGE_DETAIL)};
  if (failure.sqlstate.empty()) return lost(activity);
  DatabaseError error = classify(failure, activity);
  if (failure.severity == "FATAL" || failure.severity == "PANIC") end_ = error;
  return error;
}

std::optional<DatabaseError> Connection::unusable() const {
  return end_;
}

// -- queries --------------------------------------------------------------------------------------

DatabaseResult<void> Connection::flush(Deadline deadline, DatabaseActivity activity) {
  for (;;) {
    const int pending = PQflush(connection_);
    if (pending < 0) return Failure{lost(activity)};
    if (pending == 0) return {};
    short found = 0;
    const Wait waited = wait(POLLIN | POLLOUT, deadline, &found);
    if (waited != Wait::ready) return Failure{abandoned(waited)};
    // Reading while writing: else both sides may wait for the other's buffer to empty.
    if ((found & (POLLIN | POLLHUP | POLLERR)) != 0 && PQconsumeInput(connection_) == 0)
      return Failure{lost(activity)};
  }
}

DatabaseResult<void> Connection::await_result(Deadline deadline, DatabaseActivity activity) {
  while (PQisBusy(connection_) != 0) {
    const Wait waited = wait(POLLIN, deadline);
    if (waited != Wait::ready) return Failure{abandoned(waited)};
    // A failure shows in the next result, with the server's last words if there were any.
    if (PQconsumeInput(connection_) == 0 && PQisBusy(connection_) != 0)
      return Failure{lost(activity)};
  }
  return {};
}

DatabaseResult<ResultRows> Connection::collect(Deadline deadline, DatabaseActivity activity) {
  if (auto flushed = flush(deadline, activity); !flushed.ok()) return flushed.failure();
  std::optional<ResultRows> rows;
  std::optional<DatabaseError> error;
  for (;;) {
    if (auto ready = await_result(deadline, activity); !ready.ok())
      return error ? Failure{*error} : ready.failure();
    pg_result* result = PQgetResult(connection_);
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result);
    ResultRows owned(result);
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (!error) error = failed(result, activity);
      if (PQstatus(connection_) == CONNECTION_BAD) {
        end_ = error;
        break;
      }
    } else if (!error) {
      rows = std::move(owned);
    }
  }
  if (error) return Failure{*error};
  if (!rows) return Failure{lost(activity)};
  return std::move(*rows);
}

DatabaseResult<ResultRows> Connection::run(const std::string& sql, Deadline deadline,
                                           DatabaseActivity activity) {
  if (const auto end = unusable()) return Failure{*end};
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Failure{lost(activity)};
  return collect(deadline, activity);
}

DatabaseResult<ResultRows> Connection::run(const std::string& sql,
                                           const std::vector<std::string>& parameters,
                                           Deadline deadline) {
  if (const auto end = unusable()) return Failure{*end};
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                        values.data(), nullptr, nullptr, 0) == 0)
    return Failure{lost(DatabaseActivity::querying)};
  return collect(deadline, DatabaseActivity::querying);
}

DatabaseResult<void> Connection::start_rows(const std::string& sql) {
  if (const auto end = unusable()) return Failure{*end};
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Failure{lost(DatabaseActivity::querying)};
  const bool one_by_one = PQsetSingleRowMode(connection_) != 0;
  ASSERT(one_by_one, "single-row mode is chosen right after sending");
  return flush(std::nullopt, DatabaseActivity::querying);
}

DatabaseResult<bool> Connection::fetch_rows(postgres::RowBatch& batch, Deadline deadline,
                                            std::size_t max_rows, std::size_t max_bytes) {
  if (const auto end = unusable()) return Failure{*end};
  // O(cells); libpq allocates one result a row, which measured faster than a cursor or COPY.
  while (batch.rows() < max_rows && batch.bytes() < max_bytes) {
    if (PQisBusy(connection_) != 0) {
      // Rows that are here go out rather than wait for more.
      if (auto ready = await_result(deadline, DatabaseActivity::querying); !ready.ok())
        return ready.failure();
    }
    pg_result* result = PQgetResult(connection_);
    if (result == nullptr) return false;
    const ResultRows owned(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) continue;  // the end of the rows; null follows
    if (status != PGRES_SINGLE_TUPLE) return Failure{end_rows(result)};
    const int columns = PQnfields(result);
    ASSERT(static_cast<std::size_t>(columns) == batch.columns(),
           "a shape query gives the columns that it selects");
    for (int i = 0; i < columns; ++i) {
      if (PQgetisnull(result, 0, i) != 0)
        batch.add_cell(std::nullopt);
      else
        batch.add_cell(std::string_view(PQgetvalue(result, 0, i),
                                        static_cast<std::size_t>(PQgetlength(result, 0, i))));
    }
  }
  return true;
}

}  // namespace holdfast::production
