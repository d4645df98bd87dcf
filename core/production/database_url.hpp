// The grammar of DATABASE_URL (postgres.md §2.1), checked before anything listens. What comes out
// is for messages and logs; libpq gets the URL itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace holdfast::production {

/// Deliberately without the password.
struct DatabaseAddress {
  std::string host;
  std::uint16_t port = 5432;
  std::string user;
  std::string database;
  std::string sslmode;                            ///< empty: not given
  std::vector<std::string> ignored_parameters{};  ///< their names

  /// "user@host:port/database"
  std::string to_string() const;
};

/// The failure's sentence is upstream's and never holds the password.
Result<DatabaseAddress> parse_database_url(std::string_view url);

}  // namespace holdfast::production
