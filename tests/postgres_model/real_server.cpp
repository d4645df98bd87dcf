#include "tests/postgres_model/real_server.hpp"

#include <cstdlib>
#include <iostream>
#include <memory>

#include "core/postgres/query_text.hpp"

namespace holdfast::test {
namespace {

int hex_digit(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

}  // namespace

unsigned effort() {
  const char* text = std::getenv("HOLDFAST_MODEL_CHECKS");
  return text == nullptr ? 1U : static_cast<unsigned>(std::atoi(text));
}

RealConnection::RealConnection(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  must(
      "SET bytea_output = hex; SET DateStyle = 'ISO, DMY'; SET TimeZone = 'UTC'; "
      "SET extra_float_digits = 1; SET IntervalStyle = iso_8601; "
      "SET client_min_messages = error; SET lock_timeout = '10s'");
}

RealResult RealConnection::run(const std::string& sql) {
  PGresult* answer = PQexec(connection_, sql.c_str());
  RealResult result;
  const auto status = PQresultStatus(answer);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    result.sqlstate = state != nullptr ? state : "?";
    result.message = PQerrorMessage(connection_);
  }
  for (int row = 0; row < PQntuples(answer); ++row) {
    auto& cells = result.rows.emplace_back();
    for (int column = 0; column < PQnfields(answer); ++column) {
      if (PQgetisnull(answer, row, column) != 0)
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(PQgetvalue(answer, row, column));
    }
  }
  PQclear(answer);
  return result;
}

RealResult RealConnection::must(const std::string& sql) {
  RealResult result = run(sql);
  if (!result.ok()) {
    std::cerr << sql << '\n' << result.sqlstate << ' ' << result.message << '\n';
    std::abort();
  }
  return result;
}

std::string RealConnection::ask(const std::string& sql) {
  const RealResult result = must(sql);
  return result.rows.empty() ? std::string() : result.rows.front().front().value_or("");
}

tools::ThrowawayPostgres& real_server() {
  static const auto server = std::make_unique<tools::ThrowawayPostgres>();
  return *server;
}

std::string shape_sql(const env::ShapeQuery& query) {
  return postgres::shape_query_text(query.table, query.columns, query.condition);
}

std::string unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 2; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(hex_digit(text[i]) * 16 + hex_digit(text[i + 1])));
  return bytes;
}

std::vector<std::string> take_stream(RealConnection& connection, const std::string& slot) {
  const RealResult changes =
      connection.must("SELECT data FROM pg_logical_slot_get_binary_changes('" + slot +
                      "', NULL, NULL, 'proto_version', '1', 'publication_names', 'pub')");
  std::vector<std::string> payloads;
  for (const auto& row : changes.rows)
    payloads.push_back("w" + std::string(24, '\0') + unhex(row.front().value()));
  return payloads;
}

}  // namespace holdfast::test
