// How to reach Postgres: what config read from the environment (postgres.md §2, §24.1). Values
// only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/base/time.hpp"

namespace holdfast::production {

struct ConnectionSettings {
  /// A postgres:// URL whose form config has checked. Of its parameters only sslmode counts (§2.1).
  /// Holds the password: never printed.
  std::string url;
  /// Empty: the server's certificate is not verified; else chain and host name are (§2.2).
  std::string ca_certificate_file;

  Duration connect_timeout = std::chrono::seconds(30);
  /// Of catalogue questions and of each statement that alters something; not of shape queries, the
  /// lock, or slot creation, which may rightly last.
  Duration statement_timeout = std::chrono::seconds(5);
  /// From the start of a shape query to its first row, or to the end of an empty one (§18.4).
  Duration first_row_timeout = std::chrono::seconds(30);
  /// A lock holder that did anything this recently is alive: it may be between lock and stream
  /// (§7.2, §25 row 8).
  Duration lock_holder_grace = std::chrono::seconds(5);

  // A peer that is gone ends every call within these, also where no deadline runs. Upstream leaves
  // them to the operating system, whose default is two hours.
  Duration tcp_keepalive_idle = std::chrono::seconds(30);
  Duration tcp_keepalive_interval = std::chrono::seconds(10);
  unsigned tcp_keepalive_count = 3;
  Duration tcp_user_timeout = std::chrono::seconds(60);
};

}  // namespace holdfast::production
