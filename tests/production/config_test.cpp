// The environment as people write it: upstream's forms work, mistakes are named with what would be
// right, nothing is silently something else, and no message shows a password.
#include "core/production/config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/production/certificate_file.hpp"
#include "core/production/config_values.hpp"

namespace holdfast::production {
namespace {

using namespace std::chrono_literals;

Environment with(Environment more) {
  Environment environment = {{"DATABASE_URL", "postgresql://u:p4ss@db:5433/app"},
                             {"ELECTRIC_INSECURE", "true"}};
  for (auto& [name, value] : more) environment[name] = value;
  return environment;
}

Config parsed(Environment more) {
  auto config = parse_config(with(std::move(more)));
  EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().to_string());
  return config.ok() ? *config : Config{};
}

ConfigError error_of(Environment environment) {
  const auto config = parse_config(environment);
  EXPECT_FALSE(config.ok());
  return config.ok() ? ConfigError{} : config.error();
}

bool has_warning(const Config& config, const std::string& part) {
  for (const std::string& warning : config.warnings)
    if (warning.find(part) != std::string::npos) return true;
  return false;
}

TEST(Config, TheShortestUsefulEnvironmentGivesUpstreamsDefaults) {
  const Config config = parsed({});
  EXPECT_EQ(config.port, 3000);
  EXPECT_EQ(config.listen_address, "0.0.0.0");
  EXPECT_EQ(config.database.to_string(), "u@db:5433/app");
  EXPECT_EQ(config.pooled_database_url, config.database_url);
  EXPECT_EQ(config.chunk_bytes, 10'485'760u);
  EXPECT_EQ(config.long_poll_timeout, 20s);
  EXPECT_EQ(config.replication_stream_id, "default");
  EXPECT_EQ(config.storage_dir, "./persistent");
  EXPECT_FALSE(config.secret.has_value());
}

TEST(Config, EveryHonouredVariableIsRead) {
  const Config config = parsed({{"ELECTRIC_POOLED_DATABASE_URL", "postgres://u:p@pool/app"},
                                {"ELECTRIC_QUERY_DATABASE_URL", "postgres://u:p@old/app"},
                                {"ELECTRIC_DATABASE_CA_CERTIFICATE_FILE", "/ca.pem"},
                                {"ELECTRIC_DB_POOL_SIZE", "7"},
                                {"ELECTRIC_DATABASE_TCP_KEEPALIVE_IDLE", "5s"},
                                {"ELECTRIC_DATABASE_TCP_KEEPALIVE_INTERVAL", "6s"},
                                {"ELECTRIC_DATABASE_TCP_KEEPALIVE_COUNT", "4"},
                                {"ELECTRIC_DATABASE_TCP_USER_TIMEOUT", "7s"},
                                {"ELECTRIC_REPLICATION_STREAM_ID", "Blue_2"},
                                {"ELECTRIC_MANUAL_TABLE_PUBLISHING", "1"},
                                {"ELECTRIC_PORT", "4000"},
                                {"ELECTRIC_LISTEN_ON_IPV6", "TRUE"},
                                {"ELECTRIC_TCP_SEND_TIMEOUT", "45s"},
                                {"ELECTRIC_TCP_READ_TIMEOUT", "2 min"},
                                {"ELECTRIC_TWEAKS_CONN_MAX_REQUESTS", "50"},
                                {"ELECTRIC_LONG_POLL_TIMEOUT", "1000"},
                                {"ELECTRIC_CACHE_MAX_AGE", "5"},
                                {"ELECTRIC_CACHE_STALE_AGE", "0"},
                                {"ELECTRIC_MAX_CONCURRENT_REQUESTS", R"({"initial": 5})"},
                                {"ELECTRIC_ENABLE_INTEGRATION_TESTING", "true"},
                                {"ELECTRIC_PROMETHEUS_PORT", "9090"},
                                {"ELECTRIC_STORAGE", "memory"},
                                {"ELECTRIC_STORAGE_DIR", "/data"},
                                {"ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", "1MiB"},
                                {"ELECTRIC_MAX_SHAPES", "10"},
                                {"ELECTRIC_EXPERIMENTAL_MAX_SHAPES", "20"},
                                {"ELECTRIC_TWEAKS_SCHEMA_RECONCILER_PERIOD", "1s"},
                                {"ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD", "2s"},
                                {"ELECTRIC_LOG_LEVEL", "warning"},
                                {"HOLDFAST_SHARDS", "3"},
                                {"HOLDFAST_DRAIN_TIMEOUT", "1.5s"}});
  EXPECT_EQ(config.pooled_database_url, "postgres://u:p@pool/app") << "the newer name wins";
  EXPECT_EQ(config.ca_certificate_file, "/ca.pem");
  EXPECT_EQ(config.pool_size, 7u);
  EXPECT_EQ(config.tcp_keepalive_idle, 5s);
  EXPECT_EQ(config.tcp_keepalive_interval, 6s);
  EXPECT_EQ(config.tcp_keepalive_count, 4u);
  EXPECT_EQ(config.tcp_user_timeout, 7s);
  EXPECT_EQ(config.replication_stream_id, "blue_2");
  EXPECT_TRUE(config.manual_table_publishing);
  EXPECT_EQ(config.port, 4000);
  EXPECT_EQ(config.listen_address, "::");
  EXPECT_EQ(config.send_timeout, 45s);
  EXPECT_EQ(config.read_timeout, 120s);
  EXPECT_EQ(config.max_requests_per_connection, 50u);
  EXPECT_EQ(config.long_poll_timeout, 1s);
  EXPECT_EQ(config.cache_max_age, 5s);
  EXPECT_EQ(config.cache_stale_age, 0s);
  EXPECT_EQ(config.max_initial_requests, 5u);
  EXPECT_EQ(config.max_existing_requests, 10'000u);
  EXPECT_TRUE(config.deletion_allowed);
  EXPECT_EQ(config.prometheus_port, 9090);
  EXPECT_EQ(config.storage, Storage::memory);
  EXPECT_EQ(config.storage_dir, "/data");
  EXPECT_EQ(config.chunk_bytes, 1'048'576u);
  EXPECT_EQ(config.max_shapes, 10u) << "the newer name wins";
  EXPECT_EQ(config.schema_reconciler_period, 1s);
  EXPECT_EQ(config.publication_refresh_period, 2s);
  EXPECT_EQ(config.log_level, observe::Level::warning);
  EXPECT_EQ(config.shards, 3u);
  EXPECT_EQ(config.drain_timeout, 1500ms);
  for (const char* address : {"127.0.0.1", "::1", "fe80::1%eth0"})
    EXPECT_EQ(parsed({{"HOLDFAST_LISTEN_ADDRESS", address}}).listen_address, address);
}

TEST(Config, NonsenseIsRefusedByTheVariablesNameAndTheAcceptedValues) {
  const struct {
    const char* variable;
    const char* value;
    const char* accepted;
  } cases[] = {
      {"ELECTRIC_PORT", "http", "0 to 65535"},
      {"ELECTRIC_PORT", "70000", "0 to 65535"},
      {"ELECTRIC_PORT", "-1", "0 to 65535"},
      {"ELECTRIC_PORT", "3000x", "0 to 65535"},
      {"ELECTRIC_LISTEN_ON_IPV6", "no", "true, 1, false, 0"},
      {"ELECTRIC_LONG_POLL_TIMEOUT", "0", "ms, msec, s, sec, m, min"},
      {"ELECTRIC_TCP_READ_TIMEOUT", "10 hours", "ms, msec, s, sec, m, min"},
      {"ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", "10 MX", "KB, KiB, MB, MiB, GB, GiB"},
      {"ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", "-5", "KB, KiB, MB, MiB, GB, GiB"},
      {"ELECTRIC_REPLICATION_STREAM_ID", "a-b", "letters, digits and underscores"},
      {"ELECTRIC_REPLICATION_STREAM_ID", "1a", "not beginning with a digit"},
      {"ELECTRIC_STORAGE", "FILE", "FAST_FILE, MEMORY"},
      {"ELECTRIC_LOG_LEVEL", "loud", "error, warning, info, debug"},
      {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "300", "\"initial\""},
      {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "{\"initial\": -1}", "\"initial\""},
      {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "{\"intial\": 1}", "\"initial\""},
      {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "{\"initial\": 0}", "from 1 to 10000000"},
      {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "{\"existing\":10000001}", "from 1 to 10000000"},
      {"HOLDFAST_LISTEN_ADDRESS", "999.1.1.1", "an IPv4 or IPv6 address"},
      {"HOLDFAST_LISTEN_ADDRESS", "localhost", "an IPv4 or IPv6 address"},
      {"HOLDFAST_SHARDS", "65", "0 to 64"},
  };
  for (const auto& one : cases) {
    const ConfigError error = error_of(with({{one.variable, one.value}}));
    EXPECT_EQ(error.variable, one.variable) << one.value;
    EXPECT_NE(error.message.find(one.accepted), std::string::npos) << error.to_string();
    EXPECT_NE(error.message.find(one.value), std::string::npos) << error.to_string();
  }
}

TEST(Config, TheCatalogueAndThePublicationAreLookedAtAfterTheShorterOfTheirTimes) {
  EXPECT_EQ(parsed({}).reconciliation_period(), 60s);
  EXPECT_EQ(parsed({{"ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD", "5s"}}).reconciliation_period(),
            5s);
  EXPECT_EQ(parsed({{"ELECTRIC_TWEAKS_SCHEMA_RECONCILER_PERIOD", "4s"}}).reconciliation_period(),
            4s);
  const Config config = parsed({{"ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD", "90s"}});
  EXPECT_EQ(config.reconciliation_period(), 60s);
  EXPECT_FALSE(has_warning(config, "PUBLICATION_REFRESH")) << "it is honoured";
}

TEST(Config, ASecretOrTheExplicitWishForNoneIsRequired) {
  const Environment url = {{"DATABASE_URL", "postgresql://u:p@db/app"}};
  EXPECT_EQ(error_of(url).variable, "ELECTRIC_SECRET");
  Environment both = url, empty = url, secret = url;
  both["ELECTRIC_SECRET"] = "s";
  both["ELECTRIC_INSECURE"] = "true";
  EXPECT_NE(error_of(both).message.find("cannot set both"), std::string::npos);
  empty["ELECTRIC_SECRET"] = "";
  EXPECT_EQ(error_of(empty).variable, "ELECTRIC_SECRET");
  secret["ELECTRIC_SECRET"] = "s";
  ASSERT_TRUE(parse_config(secret).ok());
  EXPECT_EQ(parse_config(secret)->secret, "s");
  EXPECT_TRUE(has_warning(parsed({}), "ELECTRIC_INSECURE"));
}

TEST(Config, VariablesWithoutEffectAreNamedAndMisspellingsAreGuessed) {
  const Config config = parsed({{"ELECTRIC_OTLP_ENDPOINT", "http://x"},
                                {"ELECTRIC_PROT", "1"},
                                {"ELECTRIC_SOMETHING_ELSE", "1"},
                                {"ELECTRIC_LOG_COLORS", "true"},
                                {"ELECTRIC_STATSD_HOST", ""},
                                {"PATH", "/bin"}});
  EXPECT_TRUE(has_warning(config, "ELECTRIC_OTLP_ENDPOINT is not supported"));
  EXPECT_TRUE(has_warning(config,
                          "ELECTRIC_PROT is not a variable that Holdfast knows; did you "
                          "mean ELECTRIC_PORT?"));
  EXPECT_TRUE(has_warning(config, "ELECTRIC_SOMETHING_ELSE is not"));
  EXPECT_FALSE(has_warning(config, "ELECTRIC_LOG_COLORS"));
  EXPECT_FALSE(has_warning(config, "ELECTRIC_STATSD_HOST"));
  EXPECT_FALSE(has_warning(config, "PATH"));
}

TEST(Config, TheTableNamesEachHonouredVariableOnce) {
  std::set<std::string_view> names;
  for (const Variable& variable : known_variables()) {
    EXPECT_TRUE(names.insert(variable.name).second) << variable.name;
    const bool shown =
        variables_table().find(std::string(variable.name) + " ") != std::string::npos;
    EXPECT_EQ(shown, variable.support == Support::honoured) << variable.name;
    EXPECT_EQ(variable.meaning.empty(), variable.support == Support::ignored) << variable.name;
  }
}

TEST(DatabaseUrl, TheUsualFormsAreTaken) {
  const struct {
    const char* url;
    const char* address;
  } cases[] = {
      {"postgresql://user:pass@host/db", "user@host:5432/db"},
      {"postgres://user@host:6543", "user@host:6543/user"},
      {"postgres://user:p%3Aw@host/", "user@host:5432/user"},
      {"postgres://us%20er:p@[::1]:5433/my%2Fdb", "us er@[::1]:5433/my/db"},
      {"postgres://a+b:p@h/d+e?sslmode=require&pgbouncer=true", "a+b@h:5432/d+e"},
  };
  for (const auto& one : cases) {
    const auto address = parse_database_url(one.url);
    ASSERT_TRUE(address.ok()) << one.url << ": " << address.error().message;
    EXPECT_EQ(address->to_string(), one.address);
  }
}

TEST(DatabaseUrl, MistakesAreNamedAndNeverShowThePassword) {
  const struct {
    const char* url;
    const char* message;
  } cases[] = {
      {"mysql://u:p4ss@h/d", "invalid URL scheme: \"mysql\""},
      {"u:p4ss@h/d", "invalid URL scheme"},
      {"postgres://u:p4ss@/d", "missing host"},
      {"postgres://user:p4ss", "invalid or missing username"},
      {"postgres://:p4ss@h/d", "invalid or missing username"},
      {"postgres://u:p4ss:x@h/d", "invalid or missing username"},
      {"postgres://u:p4ss%zz@h/d", "written %25"},
      {"postgres://u:p4ss%@h/d", "written %25"},
      {"postgres://u:p4ss%00@h/d", "%00"},
      {"postgres://u:x@p4ss@h/d", "written %40"},
      {"postgres://u:p4ss@h:0/d", "invalid port"},
      {"postgres://u:p4ss@h:x/d", "invalid port"},
      {"postgres://u:p4ss@h/d?replication=database", "unsupported \"replication\""},
      {"postgres://u:p4ss@h/d?sslmode=verify-full", "ELECTRIC_DATABASE_CA_CERTIFICATE_FILE"},
      {"postgres://u:p4ss@h/d?sslmode=yes", "disable, allow, prefer, require"},
  };
  for (const auto& one : cases) {
    const ConfigError error = error_of(with({{"DATABASE_URL", one.url}}));
    EXPECT_EQ(error.variable, "DATABASE_URL");
    EXPECT_NE(error.message.find(one.message), std::string::npos) << error.message;
    EXPECT_EQ(error.message.find("p4ss"), std::string::npos) << error.message;
  }
  EXPECT_EQ(error_of({{"ELECTRIC_INSECURE", "true"}}).variable, "DATABASE_URL");
}

TEST(DatabaseUrl, ParametersWithoutEffectAreNamed) {
  const Config usual = parsed({{"DATABASE_URL", "postgres://u@h/d?sslmode=require"}});
  EXPECT_FALSE(has_warning(usual, "DATABASE_URL"));
  const Config config =
      parsed({{"DATABASE_URL", "postgres://u:secret@h/d?pgbouncer=true&sslrootcert=/no/ca.pem"}});
  EXPECT_TRUE(has_warning(config, "DATABASE_URL: the parameter \"pgbouncer\" has no effect"));
  EXPECT_TRUE(has_warning(config,
                          "DATABASE_URL: the parameter \"sslrootcert\" has no effect; "
                          "ELECTRIC_DATABASE_CA_CERTIFICATE_FILE has the server verified"));
}

TEST(DatabaseUrl, ACertificateFileIsLookedAtOnceBeforeAnythingListens) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("holdfast-ca-" + std::to_string(::getpid()) + ".pem");
  const auto wrong_with = [&](const char* content) {
    std::filesystem::remove(path);
    if (content != nullptr) std::ofstream(path) << content;
    const auto wrong =
        wrong_ca_certificate(parsed({{"ELECTRIC_DATABASE_CA_CERTIFICATE_FILE", path.string()}}));
    return wrong ? wrong->to_string() : "";
  };
  const std::string begin =
      "ELECTRIC_DATABASE_CA_CERTIFICATE_FILE: must name a file of certificates in PEM form, and "
      "\"" +
      path.string() + "\" ";
  EXPECT_EQ(wrong_with(nullptr), begin + "is not there, cannot be read or is empty");
  EXPECT_EQ(wrong_with(""), begin + "is not there, cannot be read or is empty");
  EXPECT_EQ(wrong_with("-----BEGIN PRIVATE KEY-----\n"), begin + "holds none");
  EXPECT_EQ(wrong_with("# root\n-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"),
            "");
  EXPECT_EQ(wrong_with("-----BEGIN TRUSTED CERTIFICATE-----\n"), "");
  std::filesystem::remove(path);
  EXPECT_FALSE(wrong_ca_certificate(parsed({})));
}

TEST(DatabaseUrl, ACertificateFileWithoutTlsIsAContradictionOnEitherUrl) {
  for (const char* name : {"DATABASE_URL", "ELECTRIC_POOLED_DATABASE_URL"})
    EXPECT_EQ(error_of(with({{name, "postgres://u:p@h/d?sslmode=disable"},
                             {"ELECTRIC_DATABASE_CA_CERTIFICATE_FILE", "/ca.pem"}}))
                  .variable,
              "ELECTRIC_DATABASE_CA_CERTIFICATE_FILE");
}

}  // namespace
}  // namespace holdfast::production
