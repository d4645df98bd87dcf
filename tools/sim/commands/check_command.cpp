#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tools/sim/build_identity.hpp"
#include "tools/sim/commands/check_summary.hpp"
#include "tools/sim/commands/commands.hpp"
#include "tools/sim/failure_database.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/reducing.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/workers/candidate_worker.hpp"
#include "tools/sim/workers/worker_pool.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::vector<std::uint64_t> seeds_of(const CheckOptions& options) {
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < options.seeds; ++i)
    if (i % options.shards == options.shard - 1) seeds.push_back(options.start + i);
  return seeds;
}

/// What was found before, first.
void replay_database(const CheckOptions& options, Summary& summary) {
  const FailureDatabase database(options.failures);
  CandidateWorker worker;
  for (const auto& entry : database.entries(options.scenario, options.without)) {
    const scenarios::Outcome outcome = worker.run(entry.repro, scenarios::Extent::whole);
    Replayed replayed{entry.file,
                      entry.repro.verdict ? entry.repro.verdict->property : "",
                      {},
                      outcome.verdict.has_value()};
    if (outcome.verdict) {
      replayed.property = outcome.verdict->property;
      replayed.what = outcome.verdict->what;
    } else {
      database.drop(entry);
    }
    summary.replayed.push_back(std::move(replayed));
  }
}

/// Runs all seeds in worker processes.
class Histories {
 public:
  Histories(const CheckOptions& options, const Weakened& weakened, Summary& summary)
      : options_(options), weakened_(weakened), summary_(summary) {}

  void run();

 private:
  double elapsed() const { return Seconds(steady_clock::now() - started_).count(); }
  bool go_on();
  bool finished(std::uint64_t seed, const std::string& line);
  bool crashed(std::uint64_t seed, const std::string& words);

  const CheckOptions& options_;
  const Weakened& weakened_;
  Summary& summary_;
  const steady_clock::time_point started_ = steady_clock::now();
  const bool show_progress_ = !options_.json && isatty(STDOUT_FILENO) != 0;
  double shown_ = 0;
  std::size_t planned_ = 0;
};

bool Histories::go_on() {
  if (show_progress_ && elapsed() - shown_ > 0.5) {
    shown_ = elapsed();
    std::printf("\r%llu of %zu histories, %zu failed, %.0f s ",
                static_cast<unsigned long long>(summary_.histories), planned_,
                summary_.failures.size(), shown_);
    std::fflush(stdout);
  }
  return options_.time.count() == 0 || elapsed() < static_cast<double>(options_.time.count());
}

bool Histories::finished(std::uint64_t seed, const std::string& line) {
  const json history = json::parse(line);
  summary_.add(history);
  if (!history.at("violations").empty()) {
    const json& first = history.at("violations").front();
    summary_.failures.push_back(
        {seed, first.at("property"), first.at("what"), {}, summary_.hashes[seed]});
  }
  return go_on();
}

bool Histories::crashed(std::uint64_t seed, const std::string& words) {
  summary_.histories++;
  summary_.failures.push_back(
      {seed, crash_property(words), words.empty() ? "the run ended the process" : words, {}});
  return go_on();
}

void Histories::run() {
  PoolOptions pool;
  pool.seeds = seeds_of(options_);
  planned_ = pool.seeds.size();
  pool.jobs = options_.jobs > 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency());
  scenarios::Reused reused;  // by the workers, each its own copy
  pool.run = [&](std::uint64_t seed) {
    return to_json(run_history(options_.scenario, seed, weakened_, options_.twice, &reused)).dump();
  };
  pool.finished = [&](std::uint64_t seed, const std::string& line) { return finished(seed, line); };
  pool.crashed = [&](std::uint64_t seed, const std::string& words) { return crashed(seed, words); };
  run_pool(pool);
  std::sort(summary_.failures.begin(), summary_.failures.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  summary_.seconds = elapsed();
  if (show_progress_) std::printf("\r%60s\r", "");
}

scenarios::Repro repro_of_failure(const CheckOptions& options, const Failure& failure) {
  scenarios::Repro repro = repro_of_seed(options.scenario, failure.seed, options.without);
  repro.build = build_identity();
  repro.verdict = {failure.property, failure.what};
  repro.trace_hash = failure.trace_hash;
  return repro;
}

/// Failures of one property, those with the smallest plan first.
std::vector<std::vector<Failure*>> grouped(const CheckOptions& options, Summary& summary) {
  std::map<std::string, std::vector<Failure*>> by_property;
  for (Failure& failure : summary.failures) by_property[failure.property].push_back(&failure);
  std::vector<std::vector<Failure*>> groups;
  for (auto& [property, failures] : by_property) {
    std::map<std::uint64_t, std::uint64_t> size;
    for (const Failure* failure : failures)
      size[failure->seed] =
          count_choices(scenarios::make_plan(options.scenario, failure->seed)).total();
    std::stable_sort(failures.begin(), failures.end(), [&](const Failure* a, const Failure* b) {
      return size[a->seed] < size[b->seed];
    });
    groups.push_back(failures);
  }
  return groups;
}

FailureGroup describe_group(const CheckOptions& options, const std::vector<Failure*>& failures,
                            Seconds time) {
  FailureGroup group;
  group.property = failures.front()->property;
  for (const Failure* failure : failures) group.seeds.push_back(failure->seed);
  std::sort(group.seeds.begin(), group.seeds.end());
  scenarios::Repro repro = repro_of_failure(options, *failures.front());
  if (options.shrink) {
    auto result = reduce(repro, {.time = time});
    if (result.ok()) {
      repro = std::move(result->repro);
      group.size = result->after.to_text();
      group.necessity = std::move(result->necessity);
    } else {
      std::fprintf(stderr, "seed %llu is not reduced: %s\n",
                   static_cast<unsigned long long>(failures.front()->seed),
                   result.error().message.c_str());
    }
  }
  group.file = FailureDatabase(options.failures).keep(repro);
  if (!options.save_failures.empty()) {
    group.file = options.save_failures + "/" + options.scenario + "-" +
                 std::to_string(failures.front()->seed) + ".json";
    const auto written = write_repro(repro, group.file);
    if (!written.ok()) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  }
  failures.front()->file = group.file;
  group.command = group.file.empty() ? replay_command(options.program, options.scenario,
                                                      group.seeds.front(), options.without)
                                     : replay_command(options.program, group.file);
  return group;
}

void describe_failures(const CheckOptions& options, Summary& summary) {
  const auto groups = grouped(options, summary);
  const auto end = steady_clock::now() + options.shrink_time;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Seconds left = std::max(Seconds(0), Seconds(end - steady_clock::now()));
    summary.groups.push_back(
        describe_group(options, groups[i], left / static_cast<double>(groups.size() - i)));
  }
  // What failed most often is shown first to whoever reads the end.
  std::stable_sort(
      summary.groups.begin(), summary.groups.end(),
      [](const FailureGroup& a, const FailureGroup& b) { return a.seeds.size() > b.seeds.size(); });
}

/// Before hours of work, not after them.
Result<void> check_writable(const std::string& path) {
  if (path.empty() || std::ofstream(path, std::ios::app)) return {};
  return fail(path + ": cannot be written");
}

/// Made if it is not there, and tried with a file.
Result<void> check_folder(const std::string& path) {
  if (path.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(path, error);
  const std::string trial = path + "/.holdfast-trial";
  if (error || !std::ofstream(trial)) return fail(path + ": no file can be made there");
  std::filesystem::remove(trial, error);
  return {};
}

int refuse(const Error& error) {
  std::fprintf(stderr, "holdfast-sim check: %s\n", error.message.c_str());
  return k_exit_usage;
}

}  // namespace

int check(const CheckOptions& options) {
  const auto weakened = weakened_by(options.without);
  const auto scenario = check_scenario(options.scenario);
  const auto junit = check_writable(options.junit);
  const auto folder = check_folder(options.save_failures);
  // The one by default is made when something fails.
  const bool chosen = options.failures != CheckOptions{}.failures;
  const auto database = check_folder(chosen ? options.failures : std::string());
  if (!weakened.ok()) return refuse(weakened.error());
  for (const Result<void>* each : {&scenario, &junit, &folder, &database})
    if (!each->ok()) return refuse(each->error());
  Summary summary;
  replay_database(options, summary);
  Histories(options, *weakened, summary).run();
  describe_failures(options, summary);
  if (options.json)
    std::printf("%s\n", to_json(summary, options).dump().c_str());
  else
    print_summary(summary, options);
  print_annotations(summary, options);
  if (!options.junit.empty()) {
    const auto written = write_junit(summary, options);
    if (!written.ok()) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  }
  return !summary.found() && missing_marks(summary, options).empty() ? k_exit_passed : k_exit_found;
}

}  // namespace holdfast::tools
