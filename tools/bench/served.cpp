#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "tools/bench/benches.hpp"
#include "tools/bench/shape_client.hpp"

namespace holdfast::bench {
namespace {

using std::chrono::steady_clock;

double ms_since(steady_clock::time_point began) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - began).count();
}

/// The writer's session.
class Database {
 public:
  static Result<Database> connect(const std::string& url) {
    if (url.empty()) return fail("--database-url or DATABASE_URL must say where Postgres is");
    Connection made(PQconnectdb(url.c_str()), PQfinish);
    if (PQstatus(made.get()) != CONNECTION_OK) return fail(PQerrorMessage(made.get()));
    Database database(std::move(made));
    if (const auto quiet = database.run("SET client_min_messages = warning"); !quiet.ok())
      return quiet.failure();
    return database;
  }
  Result<void> run(const std::string& sql) {
    PGresult* const result = PQexec(connection_.get(), sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
      return fail(PQerrorMessage(connection_.get()));
    return {};
  }

 private:
  using Connection = std::unique_ptr<PGconn, void (*)(PGconn*)>;
  explicit Database(Connection connection) : connection_(std::move(connection)) {}
  Connection connection_;
};

struct SyncedBytes {
  std::size_t body = 0;
  std::size_t answers = 0;
};

Result<SyncedBytes> sync(ShapeClient& client) {
  SyncedBytes total;
  for (;;) {
    const auto answer = client.ask();
    if (!answer.ok()) return answer.failure();
    total.body += answer->body_bytes;
    total.answers++;
    if (answer->up_to_date) return total;
  }
}

/// Until every client has its answer. The time of the last one.
Result<steady_clock::time_point> receive_all(std::vector<ShapeClient>& clients) {
  std::vector<pollfd> waiting;
  for (const ShapeClient& client : clients) waiting.push_back({client.socket(), POLLIN, 0});
  std::size_t left = clients.size();
  Answer answer;
  while (left > 0) {
    constexpr int k_limit_ms = 30'000;
    if (::poll(waiting.data(), static_cast<nfds_t>(waiting.size()), k_limit_ms) <= 0)
      return fail("no answer to a long poll within 30 s");
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const auto whole = clients[i].receive(answer);
      if (!whole.ok()) return whole.failure();
      if (!*whole) continue;
      waiting[i].fd = -1;
      left--;
    }
  }
  return steady_clock::now();
}

double at_share(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

Result<double> one_commit(Database& database, std::vector<ShapeClient>& clients,
                          std::size_t number) {
  for (ShapeClient& client : clients)
    if (const auto sent = client.send(); !sent.ok()) return sent.failure();
  // The requests are parked by then: what is measured is the waking, not the parsing.
  std::this_thread::sleep_for(std::chrono::milliseconds(5) +
                              std::chrono::microseconds(50) * clients.size());
  const auto written =
      database.run("UPDATE holdfast_latency SET n = " + std::to_string(number) + " WHERE id = 1");
  const auto committed = steady_clock::now();
  if (!written.ok()) return written.failure();
  const auto received = receive_all(clients);
  if (!received.ok()) return received.failure();
  return std::chrono::duration<double, std::milli>(*received - committed).count();
}

}  // namespace

Result<Figures> latency(const LatencyOptions& options) {
  if (options.clients == 0 || options.commits == 0)
    return fail("--clients and --commits must be at least 1");
  auto database = Database::connect(options.server.database_url);
  if (!database.ok()) return database.failure();
  for (const char* sql :
       {"CREATE TABLE IF NOT EXISTS holdfast_latency (id int8 PRIMARY KEY, n int8)",
        "INSERT INTO holdfast_latency VALUES (1, 0) ON CONFLICT DO NOTHING"})
    if (const auto ran = database->run(sql); !ran.ok()) return ran.failure();
  std::vector<ShapeClient> clients;
  for (std::size_t i = 0; i < options.clients; ++i) {
    auto client = ShapeClient::connect(options.server.server_url, "table=holdfast_latency");
    if (!client.ok()) return client.failure();
    clients.push_back(std::move(*client));
    if (const auto synced = sync(clients.back()); !synced.ok()) return synced.failure();
  }
  std::vector<double> times;
  constexpr std::size_t k_warm_up = 10;
  for (std::size_t i = 0; i < options.commits + k_warm_up; ++i) {
    const auto time = one_commit(*database, clients, i);
    if (!time.ok()) return time.failure();
    if (i >= k_warm_up) times.push_back(*time);
  }
  std::sort(times.begin(), times.end());
  return Figures{{"p50", at_share(times, 0.5), "ms"},
                 {"p95", at_share(times, 0.95), "ms"},
                 {"p99", at_share(times, 0.99), "ms"},
                 {"max", times.back(), "ms"},
                 {"clients", static_cast<double>(options.clients), ""},
                 {"commits", static_cast<double>(options.commits), ""}};
}

Result<Figures> initial_sync(const InitialSyncOptions& options) {
  if (options.rows == 0) return fail("--rows must be at least 1");
  auto database = Database::connect(options.server.database_url);
  if (!database.ok()) return database.failure();
  const std::string rows = std::to_string(options.rows);
  // A name of its own each time, so that the first sync always creates the shape.
  const std::string table =
      "holdfast_sync_" + std::to_string(steady_clock::now().time_since_epoch().count());
  for (const std::string& sql :
       {"CREATE TABLE " + table + " (id int8 PRIMARY KEY, title text NOT NULL, n int4, note text)",
        "INSERT INTO " + table +
            " SELECT i, 'title ' || i, i % 100, md5(i::text) FROM generate_series(1, " + rows +
            ") AS i",
        "VACUUM ANALYZE " + table})
    if (const auto ran = database->run(sql); !ran.ok()) return ran.failure();
  Figures figures{{"rows", static_cast<double>(options.rows), ""}};
  for (const std::string run : {"cold", "warm"}) {
    auto client = ShapeClient::connect(options.server.server_url, "table=" + table);
    if (!client.ok()) return client.failure();
    const auto began = steady_clock::now();
    const auto synced = sync(*client);
    const double ms = ms_since(began);
    if (!synced.ok()) return synced.failure();
    const double megabytes = static_cast<double>(synced->body) / 1e6;
    figures.push_back({run, ms, "ms"});
    figures.push_back({run + "_rate", megabytes / ms * 1e3, "MB/s"});
    if (run == "cold") {
      figures.push_back({"body", megabytes, "MB"});
      figures.push_back({"answers", static_cast<double>(synced->answers), ""});
    }
  }
  if (const auto ran = database->run("DROP TABLE " + table); !ran.ok()) return ran.failure();
  return figures;
}

}  // namespace holdfast::bench
