// A session of live mode's own with the real Postgres: writers, the history, what an administrator
// would do. Texts come back as the engine's sessions print them. Whatever fails without being part
// of the workload throws a std::runtime_error. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"

struct pg_conn;
struct pg_result;

namespace holdfast::tools::live {

/// By it the sessions of a server under test are told from ours.
inline constexpr const char* k_application = "holdfast-live";

using SqlRow = std::vector<std::optional<std::string>>;
using SqlRows = std::vector<SqlRow>;

class PostgresSession {
 public:
  explicit PostgresSession(const std::string& url);

  /// Blocks. A statement that fails throws.
  SqlRows run(const std::string& sql);
  /// The first cell of the first row, "" if there is none or it is NULL.
  std::string cell(const std::string& sql);
  /// SUSPENDS the coroutine, so that a lock can be waited for. The server's refusal is a result, a
  /// lost session throws.
  Result<SqlRows> run(const std::string& sql, boost::asio::io_context& loop,
                      boost::asio::yield_context yield);

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  Result<SqlRows> take(pg_result* result);
  std::unique_ptr<pg_conn, Close> connection_;
};

/// The same server, another database.
std::string with_database(const std::string& url, const std::string& database);
/// Without the password, for people to read.
std::string without_password(const std::string& url);

}  // namespace holdfast::tools::live
