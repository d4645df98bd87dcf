#include "tools/sim/live/postgres_session.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <stdexcept>

#include "core/production/libpq/display_settings.hpp"

namespace holdfast::tools::live {
namespace {

std::string words_of(pg_conn* connection) {
  std::string words = PQerrorMessage(connection);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

SqlRows rows_of(const PGresult* result) {
  SqlRows rows;
  for (int r = 0; r < PQntuples(result); ++r) {
    SqlRow& row = rows.emplace_back();
    for (int c = 0; c < PQnfields(result); ++c)
      row.push_back(PQgetisnull(result, r, c) != 0
                        ? std::nullopt
                        : std::optional<std::string>(PQgetvalue(result, r, c)));
  }
  return rows;
}

/// The place of the path, "/app", in a URL; its length may be 0.
std::pair<std::size_t, std::size_t> path_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find('?', authority), url.size());
  const std::size_t path = std::min(url.find('/', authority), end);
  return {path, end - path};
}

}  // namespace

void PostgresSession::Close::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PostgresSession::PostgresSession(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error(words_of(connection_.get()));
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  run(std::string("SET application_name = '") + k_application + "'");
  for (const production::DisplaySetting& setting : production::k_display_settings)
    run(std::string("SET ") + setting.name + " = '" + setting.value + "'");
}

Result<SqlRows> PostgresSession::take(pg_result* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows_of(result);
  if (PQstatus(connection_.get()) != CONNECTION_OK)
    throw std::runtime_error("live mode lost its session with Postgres: " +
                             words_of(connection_.get()));
  return fail(words_of(connection_.get()));
}

SqlRows PostgresSession::run(const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
      PQexec(connection_.get(), sql.c_str()), PQclear);
  auto rows = take(result.get());
  if (!rows.ok()) throw std::runtime_error(rows.error().message + " (" + sql + ")");
  return std::move(*rows);
}

std::string PostgresSession::cell(const std::string& sql) {
  const SqlRows rows = run(sql);
  return rows.empty() || rows[0].empty() ? std::string() : rows[0][0].value_or("");
}

Result<SqlRows> PostgresSession::run(const std::string& sql, boost::asio::io_context& loop,
                                     boost::asio::yield_context yield) {
  pg_conn* const connection = connection_.get();
  if (PQsendQuery(connection, sql.c_str()) == 0)
    throw std::runtime_error("live mode lost its session with Postgres: " + words_of(connection));
  // A descriptor of our own on the same socket, so that libpq keeps its one.
  boost::asio::posix::stream_descriptor socket(loop, ::dup(PQsocket(connection)));
  Result<SqlRows> answer = SqlRows{};
  for (;;) {
    while (PQisBusy(connection) != 0) {
      socket.async_wait(boost::asio::posix::stream_descriptor::wait_read, yield);
      if (PQconsumeInput(connection) == 0)
        throw std::runtime_error("live mode lost its session with Postgres: " +
                                 words_of(connection));
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(connection), PQclear);
    if (!result) return answer;
    if (answer.ok()) answer = take(result.get());
  }
}

std::string with_database(const std::string& url, const std::string& database) {
  const auto [path, length] = path_of(url);
  return url.substr(0, path) + "/" + database + url.substr(path + length);
}

std::string without_password(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@', path_of(url).first);
  const std::size_t colon = url.find(':', authority);
  if (at == std::string::npos || colon == std::string::npos || colon > at) return url;
  return url.substr(0, colon) + url.substr(at);
}

}  // namespace holdfast::tools::live
