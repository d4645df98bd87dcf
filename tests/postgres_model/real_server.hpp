// A real Postgres beside the model: one server for the test program, plain connections to it.
#pragma once

#include <libpq-fe.h>

#include <optional>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "tools/postgres/throwaway_postgres.hpp"

namespace holdfast::test {

/// How many times its small budget a comparison with the real server gets: HOLDFAST_MODEL_CHECKS,
/// else 1.
unsigned effort();

/// The rows of a result as texts, or the SQLSTATE of its error.
struct RealResult {
  std::string sqlstate;  ///< empty: it worked
  std::string message;
  std::vector<std::vector<std::optional<std::string>>> rows;
  bool ok() const { return sqlstate.empty(); }
};

class RealConnection {
 public:
  explicit RealConnection(const std::string& url);
  ~RealConnection() { PQfinish(connection_); }
  RealConnection(const RealConnection&) = delete;
  RealConnection& operator=(const RealConnection&) = delete;

  RealResult run(const std::string& sql);
  /// Ends the program with the error if it fails.
  RealResult must(const std::string& sql);
  /// The first cell.
  std::string ask(const std::string& sql);
  PGconn* raw() { return connection_; }

 private:
  PGconn* connection_;
};

/// The server of this test program; started by the first who asks, gone with the program.
tools::ThrowawayPostgres& real_server();

/// What production sends for the query.
std::string shape_sql(const env::ShapeQuery& query);

/// The payloads that the slot gives for publication "pub", wrapped as CopyData; they are consumed.
std::vector<std::string> take_stream(RealConnection& connection, const std::string& slot);

/// A bytea printed as hex, as bytes: \\x6162 -> "ab".
std::string unhex(const std::string& text);

}  // namespace holdfast::test
