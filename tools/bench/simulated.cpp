#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

#include "core/runtime/runtime.hpp"
#include "scenarios/run.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "tools/bench/benches.hpp"

namespace holdfast::bench {
namespace {

using std::chrono::steady_clock;

/// Wall time, and this process's own: on a machine that others use too, only the second says what
/// the work costs.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(steady_clock::now() - began_).count();
  }
  double cpu_seconds() const {
    return static_cast<double>(std::clock() - cpu_began_) / CLOCKS_PER_SEC;
  }

 private:
  steady_clock::time_point began_ = steady_clock::now();
  std::clock_t cpu_began_ = std::clock();
};

class Player : public runtime::Process {
 public:
  void ball(runtime::Ref<Player> from) { cast<&Player::ball>(from, runtime::Ref<Player>{self()}); }
};

}  // namespace

Result<Figures> scheduler(const SchedulerOptions& options) {
  if (options.steps == 0) return fail("--steps must be at least 1");
  sim::SimulatedExecutor executor;
  runtime::Runtime instance(
      runtime::RuntimeOptions{.root = "bench", .shard = 0, .mailbox_limit = 1'000}, executor,
      std::make_shared<runtime::Directory>());
  const auto first = instance.spawn_root<Player>({.role = "player", .key = "1"});
  const auto second = instance.spawn_root<Player>({.role = "player", .key = "2"});
  instance.cast_from_outside<&Player::ball>(first, second);
  const auto never = [] { return false; };
  executor.run_until(never, {.most_steps = 10'000});
  const std::uint64_t before = executor.steps();
  const Stopwatch watch;
  executor.run_until(never, {.most_steps = options.steps});
  const double seconds = watch.seconds();
  const double cpu_seconds = watch.cpu_seconds();
  const auto steps = static_cast<double>(executor.steps() - before);
  instance.destroy_all();
  return Figures{{"steps_per_second", steps / seconds, "1/s"},
                 {"steps_per_cpu_second", steps / cpu_seconds, "1/s"},
                 {"step", seconds / steps * 1e9, "ns"},
                 {"steps", steps, ""}};
}

Result<Figures> history(const HistoryOptions& options) {
  const auto names = scenarios::scenario_names();
  if (std::find(names.begin(), names.end(), options.scenario) == names.end()) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    return fail("no scenario is called '" + options.scenario + "'; there are: " + known);
  }
  if (options.histories == 0) return fail("--histories must be at least 1");
  scenarios::Reused reused;
  scenarios::RunOptions run;
  run.reused = &reused;
  std::uint64_t steps = 0, requests = 0, failed = 0;
  double virtual_seconds = 0;
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < options.histories; ++i) {
    const auto plan = scenarios::make_plan(options.scenario, options.first_seed + i);
    const scenarios::RunReport report = scenarios::run_plan(plan, run);
    steps += report.steps;
    requests += report.requests;
    failed += report.failed() ? 1 : 0;
    virtual_seconds += std::chrono::duration<double>(report.virtual_time).count();
  }
  const double seconds = watch.seconds();
  const double cpu_seconds = watch.cpu_seconds();
  const auto histories = static_cast<double>(options.histories);
  return Figures{{"histories_per_second", histories / seconds, "1/s"},
                 {"histories_per_cpu_second", histories / cpu_seconds, "1/s"},
                 {"steps_per_second", static_cast<double>(steps) / seconds, "1/s"},
                 {"steps_per_cpu_second", static_cast<double>(steps) / cpu_seconds, "1/s"},
                 {"history", seconds / histories * 1e3, "ms"},
                 {"steps_per_history", static_cast<double>(steps) / histories, ""},
                 {"requests_per_history", static_cast<double>(requests) / histories, ""},
                 {"virtual_time_per_history", virtual_seconds / histories, "s"},
                 {"failed_histories", static_cast<double>(failed), ""}};
}

}  // namespace holdfast::bench
