#include "core/production/server/server_main.hpp"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <thread>

#include "core/api/engine.hpp"
#include "core/production/certificate_file.hpp"
#include "core/production/http/server.hpp"
#include "core/production/libpq/database.hpp"
#include "core/production/posix_disk.hpp"
#include "core/production/server/event_log.hpp"
#include "core/production/server/metrics.hpp"
#include "core/production/server/signals.hpp"
#include "core/production/system_clock.hpp"
#include "core/production/system_random.hpp"
#include "core/production/thread_worker.hpp"
#include "core/production/threaded_executor.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace holdfast::production {
namespace {

using observe::Level;

unsigned processors() {
  return std::max(1u, std::thread::hardware_concurrency());
}

/// What a large answer took goes back to the system with it: glibc's own threshold grows with the
/// first of them, and the others would stay in its arenas.
void give_large_memory_back() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

/// Each connection is a descriptor: the soft limit of 1,024 that many systems start with would be
/// the first to be reached.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

ConnectionSettings connection_settings(const Config& config, const std::string& url) {
  ConnectionSettings settings;
  settings.url = url;
  settings.ca_certificate_file = config.ca_certificate_file;
  if (config.tcp_keepalive_idle) settings.tcp_keepalive_idle = *config.tcp_keepalive_idle;
  if (config.tcp_keepalive_interval)
    settings.tcp_keepalive_interval = *config.tcp_keepalive_interval;
  if (config.tcp_keepalive_count) settings.tcp_keepalive_count = *config.tcp_keepalive_count;
  if (config.tcp_user_timeout) settings.tcp_user_timeout = *config.tcp_user_timeout;
  return settings;
}

api::EngineOptions engine_options(const Config& config, const std::string& directory) {
  api::EngineOptions options;
  options.stack.store.directory = directory;
  options.stack.store.chunk_bytes = config.chunk_bytes;
  options.stack.slot = "electric_slot_" + config.replication_stream_id;
  options.stack.store.owner = options.stack.slot;
  options.stack.publication = "electric_publication_" + config.replication_stream_id;
  options.stack.manual_table_publishing = config.manual_table_publishing;
  options.stack.connection_pool_size = config.pool_size;
  options.stack.schema_reconciler_period = config.reconciliation_period();
  options.stack.max_shapes = config.max_shapes;
  options.api.authentication =
      config.secret ? api::Authentication::required : api::Authentication::insecure;
  options.api.secret = config.secret;
  options.api.deletion = config.deletion_allowed ? api::Deletion::allowed : api::Deletion::refused;
  options.api.long_poll_timeout = config.long_poll_timeout;
  options.api.cache_max_age = config.cache_max_age;
  options.api.cache_stale_age = config.cache_stale_age;
  options.api.max_initial_requests = config.max_initial_requests;
  options.api.max_existing_requests = config.max_existing_requests;
  return options;
}

http::Options http_options(const Config& config, const api::ApiOptions& api, EventLog& log) {
  http::Options options;
  options.address = config.listen_address;
  options.port = config.port;
  options.threads = std::clamp(processors() / 2, 1u, 4u);
  // What is too long for the API, and can be read, gets the API's own answer.
  options.limits.body_bytes = 2 * api.max_body_bytes;
  options.max_requests_per_connection = config.max_requests_per_connection;
  options.idle_timeout = config.read_timeout;
  options.send_timeout = config.send_timeout;
  options.log = [&log](const std::string& line) { log.say(Level::warning, line); };
  return options;
}

/// The directory of ELECTRIC_STORAGE_DIR, or with ELECTRIC_STORAGE=MEMORY one that goes with the
/// process.
class StorageDirectory {
 public:
  static Result<std::unique_ptr<StorageDirectory>> make(const Config& config, env::Disk& disk) {
    std::string path = config.storage_dir;
    const bool temporary = config.storage == Storage::memory;
    if (temporary) {
      path = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
      if (::mkdtemp(path.data()) == nullptr) return fail("cannot create a directory like " + path);
    } else if (const auto made = disk.create_directory(path); !made.ok()) {
      return fail("ELECTRIC_STORAGE_DIR cannot be used: " + made.error().message);
    }
    if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0)
      return fail("ELECTRIC_STORAGE_DIR cannot be used: no permission to write in " + path);
    return std::unique_ptr<StorageDirectory>(new StorageDirectory(std::move(path), temporary));
  }
  ~StorageDirectory() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  StorageDirectory(std::string path, bool temporary)
      : path_(std::move(path)), temporary_(temporary) {}
  std::string path_;
  bool temporary_;
};

/// What a running server consists of. Members stand in the order in which they are made; the
/// destructor takes them down in reverse, after stop().
class Server {
 public:
  Server(const Config& config, EventLog& log, SystemClock& clock, PosixDisk& disk,
         const std::string& directory)
      : log_(log),
        executor_({.shards = config.shards != 0 ? config.shards : std::min(processors(), 4u)},
                  clock, random_),
        write_worker_(executor_.make_worker("store/write")),
        database_(std::make_unique<LibpqDatabase>(
            connection_settings(config, config.database_url),
            connection_settings(config, config.pooled_database_url))) {
    stack::StackEnvironment environment;
    environment.disk = &disk;
    environment.database = database_.get();
    environment.write_worker = write_worker_.get();
    for (unsigned i = 0; i < std::clamp(processors(), 2u, 8u); ++i) {
      read_workers_.push_back(executor_.make_worker("store/read" + std::to_string(i)));
      environment.read_workers.push_back(read_workers_.back().get());
    }
    environment.events = &log;
    environment.marks = &marks_;
    auto options = engine_options(config, directory);
    http_options_ = http_options(config, options.api, log);
    http_options_.spill_directory = directory;
    engine_ = std::make_unique<api::Engine>(executor_.runtime(), std::move(environment),
                                            std::move(options));
  }

  /// Listens, then starts the engine: a port that is taken is found out before Postgres is touched.
  Result<void> start(const Config& config) {
    auto http = http::HttpServer::start(
        http_options_, [this](protocol::Request request, http::Responder responder) {
          const auto cancel = engine_->handle(
              std::move(request),
              [responder](protocol::Response response) { responder.respond(std::move(response)); });
          responder.on_disconnect(cancel);
        });
    if (!http.ok()) return http.failure();
    http_ = std::move(http).value();
    if (config.prometheus_port) {
      http::Options options;
      options.address = config.listen_address;
      options.port = *config.prometheus_port;
      auto metrics = http::HttpServer::start(options, metrics_handler(*http_, *engine_, marks_));
      if (!metrics.ok()) return metrics.failure();
      metrics_ = std::move(metrics).value();
    }
    engine_->start();
    return {};
  }

  /// Answers what is in flight and stops the engine in order. False: `limit` passed, or `hurry`
  /// said that there is no time.
  bool drain(std::chrono::milliseconds limit, StopSignals& signals) {
    const auto stopped = std::make_shared<std::atomic<bool>>(false);
    http_->drain();
    engine_->stop([stopped] { *stopped = true; });
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      if (*stopped && http_->statistics().connections == 0) break;
      if (signals.wait_for(std::chrono::milliseconds(20))) {
        log_.say(Level::warning, "second signal: ending at once");
        ::_exit(k_exit_cannot_start);
      }
    }
    stopped_in_order_ = *stopped;
    return stopped_in_order_;
  }

  ~Server() {
    if (metrics_) metrics_->stop();
    if (http_) http_->stop();
    executor_.stop();
    if (!stopped_in_order_) engine_->abandon();
    // The workers end their jobs, and the database its sessions, before the executor goes.
    read_workers_.clear();
    write_worker_.reset();
    database_.reset();
  }

  std::uint16_t port() const { return http_->port(); }
  unsigned shards() const { return executor_.shards(); }

 private:
  EventLog& log_;
  SystemRandom random_;
  Marks marks_;
  ThreadedExecutor executor_;
  std::unique_ptr<ThreadWorker> write_worker_;
  std::vector<std::unique_ptr<ThreadWorker>> read_workers_;
  std::unique_ptr<LibpqDatabase> database_;
  std::unique_ptr<api::Engine> engine_;
  http::Options http_options_;
  std::unique_ptr<http::HttpServer> http_;
  std::unique_ptr<http::HttpServer> metrics_;
  bool stopped_in_order_ = false;
};

std::string banner(const Config& config, const Server& server, const std::string& directory) {
  const bool v6 = config.listen_address.find(':') != std::string::npos;
  return "holdfast serves " + config.database.to_string() + " on http://" +
         (v6 ? "[" + config.listen_address + "]" : config.listen_address) + ":" +
         std::to_string(server.port()) + ", storage in " + directory + ", slot electric_slot_" +
         config.replication_stream_id + ", " + std::to_string(server.shards()) +
         (server.shards() == 1 ? " shard" : " shards");
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return environment;
}

int serve(const Environment& environment) {
  const auto parsed = parse_config(environment);
  const auto wrong = parsed.ok() ? wrong_ca_certificate(*parsed) : parsed.error();
  if (wrong) {
    std::fprintf(stderr, "holdfast: %s\n", wrong->to_string().c_str());
    std::fprintf(stderr, "Run \"holdfast serve --help\" for the variables and examples.\n");
    return k_exit_bad_configuration;
  }
  const Config& config = *parsed;
  StopSignals signals;
  SystemClock clock;
  PosixDisk disk;
  EventLog log(clock, config.log_level, STDERR_FILENO);
  for (const std::string& warning : config.warnings) log.say(Level::warning, warning);
  raise_descriptor_limit();
  give_large_memory_back();

  const auto storage = StorageDirectory::make(config, disk);
  if (!storage.ok()) {
    log.say(Level::error, storage.error().message);
    return k_exit_cannot_start;
  }
  const std::string directory = (*storage)->path();
  const auto ours = storage::check_owner(disk, engine_options(config, directory).stack.store);
  if (!ours.ok() && ours.error().kind == storage::StoreFailure::foreign) {
    log.say(Level::error, ours.error().message +
                              ". Give ELECTRIC_REPLICATION_STREAM_ID the value that this directory "
                              "was made with, or ELECTRIC_STORAGE_DIR a directory of its own");
    return k_exit_cannot_start;
  }
  Server server(config, log, clock, disk, directory);
  if (const auto started = server.start(config); !started.ok()) {
    log.say(Level::error, started.error().message);
    return k_exit_cannot_start;
  }
  log.say(Level::info, banner(config, server, directory));
  const int signal = signals.wait();
  log.say(Level::info, std::string(signal == SIGTERM ? "SIGTERM" : "SIGINT") +
                           ": answering requests in flight, then stopping");
  if (!server.drain(config.drain_timeout, signals))
    log.say(Level::warning, "not everything ended within HOLDFAST_DRAIN_TIMEOUT: stopping anyway");
  log.say(Level::info, "stopped");
  return k_exit_stopped;
}

}  // namespace holdfast::production
