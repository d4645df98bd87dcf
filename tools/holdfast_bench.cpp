// holdfast-bench: the benchmarks' command line. Parses options; the benchmarks are in tools/bench.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/storage/store.hpp"
#include "tools/bench/benches.hpp"
#include "tools/sim/workers/allocator.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::bench;

constexpr int k_exit_failed = 1;
constexpr int k_exit_usage = 2;

void print(const std::string& name, const Figures& figures, bool as_json) {
  if (as_json) {
    nlohmann::ordered_json result{{"benchmark", name}};
    for (const Figure& figure : figures)
      result[figure.unit == "ms" ? figure.name + "_ms" : figure.name] = figure.value;
    std::printf("%s\n", result.dump().c_str());
    return;
  }
  std::printf("%s\n", name.c_str());
  for (const Figure& figure : figures)
    std::printf("  %-26s %14.*f %s\n", figure.name.c_str(), figure.value < 1000 ? 2 : 0,
                figure.value, figure.unit.c_str());
}

using Measure = std::function<Result<Figures>()>;

/// Prints what `measure` found, or why it could not.
void add(CLI::App& command, const bool& as_json, int& code, Measure measure) {
  command.callback([name = command.get_name(), &as_json, &code, measure = std::move(measure)] {
    const auto figures = measure();
    if (figures.ok()) return print(name, *figures, as_json);
    std::fprintf(stderr, "holdfast-bench %s: %s\n", name.c_str(), figures.error().message.c_str());
    code = k_exit_failed;
  });
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--database-url", options.database_url, "the Postgres behind the server")
      ->envname("DATABASE_URL");
  command.add_option("--server", options.server_url, "a running holdfast serve")
      ->capture_default_str();
}

void add_simulated(CLI::App& app, const bool& as_json, int& code) {
  auto* bare = app.add_subcommand("scheduler", "Steps a second of the bare simulated scheduler.");
  const auto steps = std::make_shared<SchedulerOptions>();
  bare->add_option("--steps", steps->steps)->capture_default_str();
  add(*bare, as_json, code, [steps] { return scheduler(*steps); });

  auto* runs = app.add_subcommand("history", "Simulated histories a second, on one core.");
  const auto histories = std::make_shared<HistoryOptions>();
  runs->add_option("--scenario", histories->scenario)->capture_default_str();
  runs->add_option("--start", histories->first_seed, "the first seed")->capture_default_str();
  runs->add_option("--histories", histories->histories)->capture_default_str();
  add(*runs, as_json, code, [histories] { return history(*histories); });
}

void add_served(CLI::App& app, const bool& as_json, int& code) {
  auto* live =
      app.add_subcommand("latency", "COMMIT until all live clients of one shape have the change.");
  const auto clients = std::make_shared<LatencyOptions>();
  add_server_options(*live, clients->server);
  live->add_option("--clients", clients->clients)->capture_default_str();
  live->add_option("--commits", clients->commits)->capture_default_str();
  add(*live, as_json, code, [clients] { return latency(*clients); });

  auto* initial = app.add_subcommand(
      "initial-sync", "One client reads a whole table: a new shape, then from disk.");
  const auto rows = std::make_shared<InitialSyncOptions>();
  add_server_options(*initial, rows->server);
  initial->add_option("--rows", rows->rows)->capture_default_str();
  add(*initial, as_json, code, [rows] { return initial_sync(*rows); });
}

}  // namespace

int main(int argc, char** argv) {
  tools::tune_allocator();
  holdfast::storage::configure_sqlite();
  CLI::App app("Holdfast's benchmarks.");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  holdfast-bench scheduler\n"
      "  holdfast-bench --json history --histories 500\n"
      "  holdfast-bench latency --database-url postgresql://... --clients 100\n"
      "Exit code: 0 measured, 1 could not measure, 2 usage.");
  bool as_json = false;
  int code = 0;
  app.add_flag("--json", as_json, "one line for machines");
  app.fallthrough();
  add_simulated(app, as_json, code);
  add_served(app, as_json, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : k_exit_usage;
  }
  return code;
}
