// The variables Holdfast knows, as data: what --help prints and what parse_config warns by.
#include <algorithm>
#include <array>

#include "core/production/config.hpp"

namespace holdfast::production {
namespace {

constexpr Support k_ignored = Support::ignored;
constexpr Support k_unsupported = Support::unsupported;

constexpr auto k_variables = std::to_array<Variable>({
    {"DATABASE_URL", "URL", "required", "postgresql://user:password@host:port/database"},
    {"ELECTRIC_POOLED_DATABASE_URL", "URL", "DATABASE_URL", "for snapshots; may be a pooler"},
    {"ELECTRIC_QUERY_DATABASE_URL", "URL", "", "old name of ELECTRIC_POOLED_DATABASE_URL"},
    {"ELECTRIC_DATABASE_CA_CERTIFICATE_FILE", "path", "",
     "verify the database server's certificate by this file"},
    {"ELECTRIC_DB_POOL_SIZE", "number", "20", "connections for snapshots and catalogue questions"},
    {"ELECTRIC_DATABASE_TCP_KEEPALIVE_IDLE", "time", "30s", "TCP_KEEPIDLE of database connections"},
    {"ELECTRIC_DATABASE_TCP_KEEPALIVE_INTERVAL", "time", "10s", "TCP_KEEPINTVL"},
    {"ELECTRIC_DATABASE_TCP_KEEPALIVE_COUNT", "number", "3", "TCP_KEEPCNT"},
    {"ELECTRIC_DATABASE_TCP_USER_TIMEOUT", "time", "60s", "TCP_USER_TIMEOUT"},
    {"ELECTRIC_REPLICATION_STREAM_ID", "identifier", "default",
     "names the slot electric_slot_<id> and the publication electric_publication_<id>"},

    {"ELECTRIC_SECRET", "text", "", "API secret; required unless ELECTRIC_INSECURE=true"},
    {"ELECTRIC_INSECURE", "true|false", "false", "serve without a secret"},
    {"ELECTRIC_PORT", "0-65535", "3000", "HTTP port; 0: any free port, which is logged"},
    {"ELECTRIC_LISTEN_ON_IPV6", "true|false", "false", "listen on :: (IPv6 and IPv4)"},
    {"HOLDFAST_LISTEN_ADDRESS", "IP address", "0.0.0.0", "listen on this address only"},
    {"ELECTRIC_TCP_SEND_TIMEOUT", "time", "30s", "a client that takes nothing for so long is cut"},
    {"ELECTRIC_TCP_READ_TIMEOUT", "time", "60s", "idle keep-alive connections end after this"},
    {"ELECTRIC_TWEAKS_CONN_MAX_REQUESTS", "number", "0", "requests per connection; 0: no limit"},
    {"ELECTRIC_LONG_POLL_TIMEOUT", "time", "20s", "how long a live request is held"},
    {"ELECTRIC_CACHE_MAX_AGE", "seconds", "60", "max-age of responses that are not live"},
    {"ELECTRIC_CACHE_STALE_AGE", "seconds", "300", "their stale-while-revalidate"},
    {"ELECTRIC_MAX_CONCURRENT_REQUESTS", "JSON", "{\"initial\":300,\"existing\":10000}",
     "admission limits"},
    {"ELECTRIC_MANUAL_TABLE_PUBLISHING", "true|false", "false",
     "somebody else publishes the tables and sets their replica identity"},
    {"ELECTRIC_TWEAKS_SCHEMA_RECONCILER_PERIOD", "time", "60s",
     "between two looks at the catalogue and the publication"},
    {"ELECTRIC_TWEAKS_PUBLICATION_REFRESH_PERIOD", "time", "60s",
     "the same: they are looked at together, after the shorter time"},
    {"ELECTRIC_ENABLE_INTEGRATION_TESTING", "true|false", "false", "allow DELETE of shapes"},
    {"HOLDFAST_SHARDS", "0-64", "0", "threads of the engine; 0: one a processor, at most 4"},
    {"HOLDFAST_DRAIN_TIMEOUT", "time", "8s", "how long a SIGTERM waits for requests in flight"},

    {"ELECTRIC_STORAGE", "FAST_FILE|MEMORY", "FAST_FILE",
     "MEMORY: in a temporary directory that is removed at the end"},
    {"ELECTRIC_STORAGE_DIR", "path", "./persistent", "where shapes are kept"},
    {"ELECTRIC_SHAPE_CHUNK_BYTES_THRESHOLD", "bytes", "10485760", "size of a response's chunk"},

    {"ELECTRIC_MAX_SHAPES", "number", "no limit",
     "beyond it, once a minute, the shapes that were read longest ago are removed"},
    {"ELECTRIC_EXPERIMENTAL_MAX_SHAPES", "number", "", "old name of ELECTRIC_MAX_SHAPES"},

    {"ELECTRIC_LOG_LEVEL", "error|warning|info|debug", "info", "least level that is logged"},
    {"ELECTRIC_PROMETHEUS_PORT", "1-65535", "off", "port of GET /metrics"},

    {"ELECTRIC_DATABASE_USE_IPV6", "", "", "IPv6 and IPv4 are both tried, in the resolver's order",
     k_unsupported},
    {"ELECTRIC_PERSISTENT_STATE", "", "", "state is always kept, in ELECTRIC_STORAGE_DIR",
     k_unsupported},
    {"ELECTRIC_INSTANCE_ID", "", "", "", k_ignored},
    {"ELECTRIC_SERVICE_NAME", "", "", "", k_ignored},
    {"ELECTRIC_VERSION", "", "", "", k_ignored},
    {"ELECTRIC_TWEAKS_HTTP_API_NUM_ACCEPTORS", "", "", "", k_ignored},
    {"ELECTRIC_TWEAKS_HANDLER_FULLSWEEP_AFTER", "", "", "", k_ignored},
    {"ELECTRIC_TWEAKS_PROCESS_REGISTRY_PARTITIONS", "", "", "", k_ignored},
    {"ELECTRIC_PROCESS_SPAWN_OPTS", "", "", "", k_ignored},
    {"ELECTRIC_CONSUMER_GC_HEAP_THRESHOLD", "", "", "", k_ignored},
    {"ELECTRIC_CONSUMER_PARTITIONS", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_HIBERNATE_AFTER", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_SUSPEND_CONSUMER", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_SUSPEND_AFTER", "", "", "", k_ignored},
    {"ELECTRIC_FLUSH_STALL_GRACE_PERIOD", "", "", "", k_ignored},
    {"ELECTRIC_CLEANUP_INTERVAL_MS", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_DB_CACHE_SIZE", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_DB_SYNCHRONOUS", "", "", "", k_ignored},  // always FULL
    {"ELECTRIC_SHAPE_DB_ENABLE_STATS", "", "", "", k_ignored},
    {"ELECTRIC_SHAPE_DB_ENABLE_MEMORY_STATS", "", "", "", k_ignored},
    {"ELECTRIC_PROFILE_WHERE_CLAUSES", "", "", "", k_ignored},
    {"ELECTRIC_EXPERIMENTAL_MAX_BATCH_SIZE", "", "", "", k_ignored},
    {"ELECTRIC_PUBLICATION_ALTER_DEBOUNCE_TIME", "", "", "", k_ignored},
    {"ELECTRIC_LOG_COLORS", "", "", "", k_ignored},
    {"ELECTRIC_LOG_OTP_REPORTS", "", "", "", k_ignored},
    {"ELECTRIC_SYSTEM_METRICS_POLL_INTERVAL", "", "", "", k_ignored},
    {"ELECTRIC_STACK_TELEMETRY_INIT_DELAY", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_TOP_PROCESS_LIMIT", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_TOP_PROCESS_COUNT", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_LONG_GC_THRESHOLD", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_LONG_SCHEDULE_THRESHOLD", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_LONG_MESSAGE_QUEUE_ENABLE_THRESHOLD", "", "", "", k_ignored},
    {"ELECTRIC_TELEMETRY_LONG_MESSAGE_QUEUE_DISABLE_THRESHOLD", "", "", "", k_ignored},
    {"ELECTRIC_METRICS_SAMPLING_RATIO", "", "", "", k_ignored},
    {"ELECTRIC_DROP_EMPTY_RESPONSE_SPANS", "", "", "", k_ignored},
    {"ELECTRIC_EXCLUDE_SPANS", "", "", "", k_ignored},
    {"ELECTRIC_OTEL_SAMPLING_RATIO", "", "", "", k_ignored},
    {"ELECTRIC_OTEL_EXPORT_PERIOD", "", "", "", k_ignored},
    {"ELECTRIC_OTEL_DEBUG", "", "", "", k_ignored},

    {"CLEANUP_REPLICATION_SLOTS_ON_SHUTDOWN", "", "", "the slot stays", k_unsupported},
    {"ELECTRIC_TEMPORARY_REPLICATION_SLOT_USE_RANDOM_NAME", "", "", "the slot is permanent",
     k_unsupported},
    {"ELECTRIC_REPLICATION_IDLE_TIMEOUT", "", "", "database connections are never scaled down",
     k_unsupported},
    {"ELECTRIC_EXPERIMENTAL_MAX_TXN_SIZE", "", "", "the size of a transaction has no limit",
     k_unsupported},
    {"ELECTRIC_SUBQUERY_BUFFER_MAX_TRANSACTIONS", "", "",
     "what the buffer cannot hold waits in the store", k_unsupported},
    {"ELECTRIC_DATABASE_ID", "", "", "the stack's id is \"single_stack\"", k_unsupported},
    {"ELECTRIC_SHAPE_DB_EXCLUSIVE_MODE", "", "", "the store has a reader beside the writer",
     k_unsupported},
    {"ELECTRIC_SHAPE_DB_STORAGE_DIR", "", "", "everything is kept in ELECTRIC_STORAGE_DIR",
     k_unsupported},
    {"ELECTRIC_FEATURE_FLAGS", "", "", "there are no feature flags", k_unsupported},
    {"ELECTRIC_OTLP_ENDPOINT", "", "", "no telemetry leaves the process", k_unsupported},
    {"ELECTRIC_HNY_API_KEY", "", "", "no telemetry leaves the process", k_unsupported},
    {"ELECTRIC_HNY_DATASET", "", "", "no telemetry leaves the process", k_unsupported},
    {"ELECTRIC_STATSD_HOST", "", "", "no telemetry leaves the process", k_unsupported},
    {"SENTRY_DSN", "", "", "no telemetry leaves the process", k_unsupported},
    {"ELECTRIC_LIVE_DASHBOARD_PORT", "", "", "there is no dashboard", k_unsupported},
});

}  // namespace

std::span<const Variable> known_variables() {
  return k_variables;
}

std::string variables_table() {
  std::size_t name_width = 0, syntax_width = 0;
  for (const Variable& variable : k_variables) {
    if (variable.support != Support::honoured) continue;
    name_width = std::max(name_width, variable.name.size());
    syntax_width = std::max(syntax_width, variable.syntax.size());
  }
  std::string table;
  for (const Variable& variable : k_variables) {
    if (variable.support != Support::honoured) continue;
    table.append("  ").append(variable.name);
    table.append(name_width + 2 - variable.name.size(), ' ').append(variable.syntax);
    table.append(syntax_width + 2 - variable.syntax.size(), ' ').append(variable.meaning);
    if (!variable.standard.empty()) table.append(" [").append(variable.standard).append("]");
    table += '\n';
  }
  return table;
}

}  // namespace holdfast::production
