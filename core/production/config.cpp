#include "core/production/config.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "core/production/config_values.hpp"

namespace holdfast::production {
namespace {

/// Reads variables into fields; the first that does not parse wins and the rest is skipped.
class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  const std::optional<ConfigError>& error() const { return error_; }
  void refuse(std::string variable, std::string message) {
    if (!error_) error_ = ConfigError{std::move(variable), std::move(message)};
  }

  /// nullptr: unset or empty.
  const std::string* text(const std::string& name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() || found->second.empty() ? nullptr : &found->second;
  }
  bool is_set(const std::string& name) const { return environment_.contains(name); }

  /// Puts what `parse` makes of the variable into `field`; an unset one leaves it alone.
  template <class Field, class Parse>
  void read(const std::string& name, Field& field, Parse parse) {
    const std::string* const value = text(name);
    if (value == nullptr || error_) return;
    auto parsed = parse(*value);
    if (parsed.ok()) {
      field = static_cast<Field>(std::move(parsed).value());
    } else {
      refuse(name, "\"" + *value + "\" " + parsed.error().message);
    }
  }
  template <class Field>
  void integer(const std::string& name, Field& field, std::uint64_t least, std::uint64_t most) {
    read(name, field, [=](const std::string& value) { return parse_integer(value, least, most); });
  }

 private:
  const Environment& environment_;
  std::optional<ConfigError> error_;
};

/// They are left out, as by upstream; but whoever wrote "sslrootcert" thinks of a verified server.
void warn_about_parameters(const std::string& variable, const DatabaseAddress& address,
                           Config& config) {
  for (const std::string& name : address.ignored_parameters)
    config.warnings.push_back(
        variable + ": the parameter \"" + name + "\" has no effect" +
        (name == "sslrootcert" ? "; ELECTRIC_DATABASE_CA_CERTIFICATE_FILE has the server verified"
                               : ""));
}

void read_database(Reader& reader, Config& config) {
  const std::string* const url = reader.text("DATABASE_URL");
  if (url == nullptr)
    return reader.refuse("DATABASE_URL",
                         "must be set, such as postgresql://user:password@localhost:5432/app");
  const auto address = parse_database_url(*url);
  if (!address.ok()) return reader.refuse("DATABASE_URL", address.error().message);
  config.database_url = config.pooled_database_url = *url;
  config.database = *address;
  warn_about_parameters("DATABASE_URL", *address, config);
  // The newer name is read last and so wins.
  for (const char* name : {"ELECTRIC_QUERY_DATABASE_URL", "ELECTRIC_POOLED_DATABASE_URL"}) {
    const std::string* const pooled = reader.text(name);
    if (pooled == nullptr) continue;
    const auto pooled_address = parse_database_url(*pooled);
    if (!pooled_address.ok()) return reader.refuse(name, pooled_address.error().message);
    warn_about_parameters(name, *pooled_address, config);
    config.pooled_database_url = *pooled;
  }
  if (const std::string* const file = reader.text("ELECTRIC_DATABASE_CA_CERTIFICATE_FILE")) {
    for (const std::string& each : {config.database_url, config.pooled_database_url})
      if (parse_database_url(each)->sslmode == "disable")
        return reader.refuse("ELECTRIC_DATABASE_CA_CERTIFICATE_FILE",
                             "sslmode must be omitted from the database URLs or set to a value "
                             "other than 'disable' when this is set");
    config.ca_certificate_file = *file;
  }
  reader.integer("ELECTRIC_DB_POOL_SIZE", config.pool_size, 2, 1000);
  reader.read("ELECTRIC_DATABASE_TCP_KEEPALIVE_IDLE", config.tcp_keepalive_idle, parse_time);
  reader.read("ELECTRIC_DATABASE_TCP_KEEPALIVE_INTERVAL", config.tcp_keepalive_interval,
              parse_time);
  reader.integer("ELECTRIC_DATABASE_TCP_KEEPALIVE_COUNT", config.tcp_keepalive_count, 1, 127);
  reader.read("ELECTRIC_DATABASE_TCP_USER_TIMEOUT", config.tcp_user_timeout, parse_time);
  // A name in Postgres has at most 63 bytes, "electric_publication_" takes 21 of them.
  reader.read("ELECTRIC_REPLICATION_STREAM_ID", config.replication_stream_id,
              [](const std::string& value) { return parse_identifier(value, 42); });
  reader.read("ELECTRIC_MANUAL_TABLE_PUBLISHING", config.manual_table_publishing, parse_bool);
}

void read_security(Reader& reader, Config& config) {
  bool insecure = false;
  reader.read("ELECTRIC_INSECURE", insecure, parse_bool);
  const std::string* const secret = reader.text("ELECTRIC_SECRET");
  if (reader.is_set("ELECTRIC_SECRET") && secret == nullptr)
    return reader.refuse("ELECTRIC_SECRET", "must not be empty");
  if (secret != nullptr && insecure)
    return reader.refuse("ELECTRIC_INSECURE",
                         "You cannot set both ELECTRIC_SECRET and ELECTRIC_INSECURE=true");
  if (secret == nullptr && !insecure)
    return reader.refuse("ELECTRIC_SECRET",
                         "You must set ELECTRIC_SECRET unless ELECTRIC_INSECURE=true. Without a "
                         "secret everybody who reaches the port can read the database");
  if (secret != nullptr) config.secret = *secret;
  if (insecure)
    config.warnings.push_back(
        "ELECTRIC_INSECURE is set: everybody who reaches the port can read the database");
}

Result<std::string> parse_ip_address(const std::string& text) {
  in6_addr any{};
  const bool v4 = ::inet_pton(AF_INET, text.c_str(), &any) == 1;
  // Of one link: "fe80::1%eth0".
  const bool v6 = ::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &any) == 1;
  if (v4 || v6) return text;
  return fail("must be an IPv4 or IPv6 address, such as 127.0.0.1 or ::1");
}

void read_server(Reader& reader, Config& config) {
  reader.integer("ELECTRIC_PORT", config.port, 0, 65535);
  bool ipv6 = false;
  reader.read("ELECTRIC_LISTEN_ON_IPV6", ipv6, parse_bool);
  if (ipv6) config.listen_address = "::";
  reader.read("HOLDFAST_LISTEN_ADDRESS", config.listen_address, parse_ip_address);
  reader.read("ELECTRIC_TCP_SEND_TIMEOUT", config.send_timeout, parse_time);
  reader.read("ELECTRIC_TCP_READ_TIMEOUT", config.read_timeout, parse_time);
  reader.read("ELECTRIC_LONG_POLL_TIMEOUT", config.long_poll_timeout, parse_time);
  reader.integer("ELECTRIC_TWEAKS_CONN_MAX_REQUESTS", config.max_requests_per_connection, 0,
                 1'000'000'000);
  const auto seconds = [](const std::string& value) -> Result<std::chrono::seconds> {
    const auto number = parse_integer(value, 0, 1'000'000'000);
    if (!number.ok()) return number.failure();
    return std::chrono::seconds(*number);
  };
  reader.read("ELECTRIC_CACHE_MAX_AGE", config.cache_max_age, seconds);
  reader.read("ELECTRIC_CACHE_STALE_AGE", config.cache_stale_age, seconds);
  std::pair limits(config.max_initial_requests, config.max_existing_requests);
  reader.read("ELECTRIC_MAX_CONCURRENT_REQUESTS", limits,
              [&](const std::string& value) { return parse_concurrency(value, limits); });
  std::tie(config.max_initial_requests, config.max_existing_requests) = limits;
  reader.read("ELECTRIC_ENABLE_INTEGRATION_TESTING", config.deletion_allowed, parse_bool);
  reader.integer("ELECTRIC_PROMETHEUS_PORT", config.prometheus_port, 1, 65535);
  reader.integer("HOLDFAST_SHARDS", config.shards, 0, 64);
  reader.read("HOLDFAST_DRAIN_TIMEOUT", config.drain_timeout, parse_time);
}

Result<Storage> parse_storage(const std::string& text) {
  std::string upper = text;
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (upper == "FAST_FILE") return Storage::file;
  if (upper == "MEMORY") return Storage::memory;
  return fail("must be one of FAST_FILE, MEMORY");
}

Result<observe::Level> parse_level(const std::string& text) {
  using observe::Level;
  constexpr std::array<std::pair<std::string_view, Level>, 9> k_levels = {
      {{"debug", Level::debug},
       {"info", Level::info},
       {"notice", Level::info},
       {"warn", Level::warning},
       {"warning", Level::warning},
       {"error", Level::error},
       {"critical", Level::error},
       {"alert", Level::error},
       {"emergency", Level::error}}};
  for (const auto& [name, level] : k_levels)
    if (text == name) return level;
  return fail("must be one of error, warning, info, debug");
}

void read_storage(Reader& reader, Config& config) {
  reader.read("ELECTRIC_STORAGE", config.storage, parse_storage);
  if (const std::string* const directory = reader.text("ELECTRIC_STORAGE_DIR"))
    config.storage_dir = *directory;
  reader.read("ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", config.chunk_bytes, parse_size);
  for (const char* name : {"ELECTRIC_EXPERIMENTAL_MAX_SHAPES", "ELECTRIC_MAX_SHAPES"})
    reader.integer(name, config.max_shapes, 1, 1'000'000'000);
  reader.read("ELECTRIC_TWEAKS_SCHEMA_RECONCILER_PERIOD", config.schema_reconciler_period,
              parse_time);
  reader.read("ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD", config.publication_refresh_period,
              parse_time);
  reader.read("ELECTRIC_LOG_LEVEL", config.log_level, parse_level);
}

/// Letters to change, add or drop to get from one name to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row[b.size()];
}

std::string unknown_variable(const std::string& name) {
  std::string message = name + " is not a variable that Holdfast knows";
  std::size_t nearest = 4;  // farther names are no misspellings
  std::string_view guess;
  for (const Variable& variable : known_variables()) {
    const std::size_t distance = edit_distance(name, variable.name);
    if (distance < nearest) nearest = distance, guess = variable.name;
  }
  if (!guess.empty()) message.append("; did you mean ").append(guess).append("?");
  return message;
}

void warn_about_others(const Environment& environment, Config& config) {
  const auto known = known_variables();
  for (const auto& [name, value] : environment) {
    if (value.empty()) continue;
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Variable& each) { return each.name == name; });
    if (found == known.end()) {
      if (name.starts_with("ELECTRIC_") || name.starts_with("HOLDFAST_"))
        config.warnings.push_back(unknown_variable(name));
    } else if (found->support == Support::unsupported) {
      config.warnings.push_back(
          name + " is not supported and has no effect: " + std::string(found->meaning));
    }
  }
}

}  // namespace

Result<Config, ConfigError> parse_config(const Environment& environment) {
  Config config;
  Reader reader(environment);
  read_database(reader, config);
  if (!reader.error()) read_security(reader, config);
  if (!reader.error()) read_server(reader, config);
  if (!reader.error()) read_storage(reader, config);
  if (reader.error()) return Failure<ConfigError>{*reader.error()};
  warn_about_others(environment, config);
  return config;
}

}  // namespace holdfast::production
