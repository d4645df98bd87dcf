// What `holdfast serve` is told by its environment: upstream's variables under upstream's names,
// and a few of our own (HOLDFAST_*). Values only; reading the environment itself is server_main's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/observe/events.hpp"
#include "core/production/database_url.hpp"

namespace holdfast::production {

enum class Storage : std::uint8_t { file, memory };

struct Config {
  // -- database -----------------------------------------------------------------------------------
  std::string database_url;         ///< holds the password: never printed
  std::string pooled_database_url;  ///< for snapshots; equals database_url unless set
  DatabaseAddress database;         ///< of database_url, for people
  std::string ca_certificate_file;  ///< empty: none
  unsigned pool_size = 20;
  std::string replication_stream_id = "default";
  bool manual_table_publishing = false;
  std::optional<std::chrono::milliseconds> tcp_keepalive_idle;
  std::optional<std::chrono::milliseconds> tcp_keepalive_interval;
  std::optional<unsigned> tcp_keepalive_count;
  std::optional<std::chrono::milliseconds> tcp_user_timeout;

  // -- server -------------------------------------------------------------------------------------
  std::optional<std::string> secret;  ///< nullopt: insecure was asked for
  std::uint16_t port = 3000;
  std::string listen_address = "0.0.0.0";
  std::chrono::milliseconds send_timeout{30'000};
  std::chrono::milliseconds read_timeout{60'000};
  std::chrono::milliseconds long_poll_timeout{20'000};
  std::chrono::seconds cache_max_age{60};
  std::chrono::seconds cache_stale_age{300};
  std::uint32_t max_initial_requests = 300;
  std::uint32_t max_existing_requests = 10'000;
  unsigned max_requests_per_connection = 0;  ///< 0: no limit
  bool deletion_allowed = false;
  std::optional<std::uint16_t> prometheus_port;
  std::chrono::milliseconds drain_timeout{8'000};
  unsigned shards = 0;  ///< 0: as many as processors, at most 4

  // -- shapes and storage -------------------------------------------------------------------------
  Storage storage = Storage::file;
  std::string storage_dir = "./persistent";
  std::uint64_t chunk_bytes = 10'485'760;
  std::optional<std::uint64_t> max_shapes;
  std::chrono::milliseconds schema_reconciler_period{60'000};
  std::chrono::milliseconds publication_refresh_period{60'000};
  /// The catalogue and the publication are looked at together, as often as either is to be.
  std::chrono::milliseconds reconciliation_period() const {
    return std::min(schema_reconciler_period, publication_refresh_period);
  }

  observe::Level log_level = observe::Level::info;
  /// What a person should know about the environment, one sentence each.
  std::vector<std::string> warnings;
};

struct ConfigError {
  std::string variable;
  std::string message;  ///< names the accepted values; never holds a secret
  std::string to_string() const { return variable + ": " + message; }
};

using Environment = std::map<std::string, std::string>;

/// Unset and empty are the same, except for ELECTRIC_SECRET, where empty is an error.
Result<Config, ConfigError> parse_config(const Environment& environment);

/// How Holdfast treats a variable that upstream reads.
enum class Support : std::uint8_t {
  honoured,
  ignored,      ///< tunes what Holdfast does not have (BEAM); accepted silently
  unsupported,  ///< would change what clients or operators see; a warning if set
};

struct Variable {
  std::string_view name;
  std::string_view syntax;
  std::string_view standard;  ///< its default, as text
  std::string_view meaning;
  Support support = Support::honoured;
};

/// Every variable that Holdfast knows, grouped, in the order in which people should read them.
std::span<const Variable> known_variables();
/// The honoured ones as a table, for --help.
std::string variables_table();

}  // namespace holdfast::production
