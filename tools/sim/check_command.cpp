#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "sim/postgres/condition_trees.hpp"
#include "tools/sim/build_identity.hpp"
#include "tools/sim/commands.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/worker_pool.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

struct Failure {
  std::uint64_t seed = 0;
  std::string property;
  std::string what;
  std::string file;
};

/// What all histories of a check add up to.
struct Summary {
  std::uint64_t histories = 0;
  std::uint64_t steps = 0, requests = 0, markers = 0, legitimate = 0, spurious = 0, crossed = 0;
  std::vector<std::uint64_t> restarts = std::vector<std::uint64_t>(scenarios::k_restart_kinds);
  std::vector<std::uint64_t> during = std::vector<std::uint64_t>(scenarios::k_restart_moments);
  std::vector<std::uint64_t> injected = std::vector<std::uint64_t>(scenarios::k_fault_kinds);
  std::vector<std::uint64_t> consequential = std::vector<std::uint64_t>(scenarios::k_fault_kinds);
  std::vector<std::uint64_t> marks = std::vector<std::uint64_t>(k_mark_names.size());
  std::map<std::uint64_t, Hash128> hashes;
  std::vector<Failure> failures;
  double seconds = 0;

  void add(const json& history);
  Hash128 hash() const {
    RollingHash all;
    for (const auto& [seed, one] : hashes) {
      all.add(seed);
      all.add(one.high);
      all.add(one.low);
    }
    return all.value();
  }
};

void add_all(std::vector<std::uint64_t>& sums, const json& counts) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += counts.at(i).get<std::uint64_t>();
}

void Summary::add(const json& history) {
  histories++;
  steps += history.at("steps").get<std::uint64_t>();
  requests += history.at("requests").get<std::uint64_t>();
  markers += history.at("markers").get<std::uint64_t>();
  legitimate += history.at("legitimate").get<std::uint64_t>();
  spurious += history.at("spurious").get<std::uint64_t>();
  crossed += history.at("crossed").get<bool>() ? 1 : 0;
  add_all(restarts, history.at("restarts"));
  add_all(during, history.at("during"));
  add_all(injected, history.at("injected"));
  add_all(consequential, history.at("consequential"));
  add_all(marks, history.at("marks"));
  hashes[history.at("seed").get<std::uint64_t>()] = {history.at("high").get<std::uint64_t>(),
                                                     history.at("low").get<std::uint64_t>()};
}

/// Marks that a run of this scenario must reach in so many histories; a miss means that the harness
/// no longer gets where it should.
std::vector<std::string> missing_marks(const Summary& summary, const CheckOptions& options) {
  std::vector<std::string> missing;
  constexpr std::uint64_t k_enough = 500;
  if (options.scenario != "mixed" || summary.histories < k_enough) return missing;
  for (std::size_t i = 0; i < k_mark_names.size(); ++i)
    if (summary.marks[i] == 0) missing.emplace_back(k_mark_names[i]);
  for (std::size_t i = 1; i < scenarios::k_restart_moments; ++i)
    if (summary.during[i] == 0)
      missing.push_back("restart during " +
                        std::string(scenarios::name_of(static_cast<scenarios::RestartMoment>(i))));
  for (std::size_t i = 0; i < scenarios::k_fault_kinds; ++i)
    if (summary.consequential[i] == 0)
      missing.push_back("fault with effect: " +
                        std::string(scenarios::name_of(static_cast<scenarios::FaultKind>(i))));
  return missing;
}

json to_json(const Summary& s, const CheckOptions& options) {
  json result;
  result["scenario"] = options.scenario;
  result["histories"] = s.histories;
  result["failures"] = json::array();
  for (const Failure& f : s.failures)
    result["failures"].push_back(
        {{"seed", f.seed}, {"property", f.property}, {"what", f.what}, {"file", f.file}});
  result["spurious_conflicts"] = s.spurious;
  result["legitimate_conflicts"] = s.legitimate;
  result["steps"] = s.steps;
  result["requests"] = s.requests;
  result["compared_markers"] = s.markers;
  result["seconds"] = s.seconds;
  result["trace_hash"] = s.hash().to_hex();
  for (std::size_t i = 0; i < s.restarts.size(); ++i)
    result["restarts"][std::string(name_of(static_cast<scenarios::RestartKind>(i)))] =
        s.restarts[i];
  for (std::size_t i = 0; i < s.during.size(); ++i)
    result["restarts_during"][std::string(name_of(static_cast<scenarios::RestartMoment>(i)))] =
        s.during[i];
  for (std::size_t i = 0; i < s.injected.size(); ++i)
    result["faults"][std::string(name_of(static_cast<scenarios::FaultKind>(i)))] = {
        {"injected", s.injected[i]}, {"consequential", s.consequential[i]}};
  result["continuing_client_share"] =
      s.histories == 0 ? 0.0 : static_cast<double>(s.crossed) / static_cast<double>(s.histories);
  const auto missing = missing_marks(s, options);
  for (std::size_t i = 0; i < k_mark_names.size(); ++i)
    result["marks"]["reached"][std::string(k_mark_names[i])] = s.marks[i];
  result["marks"]["declared"] = k_mark_names.size();
  result["marks"]["missing"] = missing;
  return result;
}

void print_counts(const char* title,
                  const std::vector<std::pair<std::string, std::uint64_t>>& rows) {
  std::printf("  %-18s", title);
  for (const auto& [name, count] : rows)
    std::printf("%s %llu  ", name.c_str(), static_cast<unsigned long long>(count));
  std::printf("\n");
}

template <class Kind>
std::vector<std::pair<std::string, std::uint64_t>> named(const std::vector<std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  for (std::size_t i = 0; i < counts.size(); ++i)
    rows.emplace_back(std::string(name_of(static_cast<Kind>(i))), counts[i]);
  return rows;
}

void print_summary(const Summary& s, const CheckOptions& options) {
  const double seconds = std::max(s.seconds, 0.001);
  std::printf("\n%llu histories of '%s' in %.1f s (%.0f/s, %.0f steps/s), %zu failed\n",
              static_cast<unsigned long long>(s.histories), options.scenario.c_str(), s.seconds,
              static_cast<double>(s.histories) / seconds, static_cast<double>(s.steps) / seconds,
              s.failures.size());
  std::printf("  %-18s%llu requests, %llu up-to-date markers compared with the database\n",
              "clients", static_cast<unsigned long long>(s.requests),
              static_cast<unsigned long long>(s.markers));
  std::printf("  %-18s%llu spurious, %llu with a cause\n", "409",
              static_cast<unsigned long long>(s.spurious),
              static_cast<unsigned long long>(s.legitimate));
  print_counts("restarts", named<scenarios::RestartKind>(s.restarts));
  print_counts("  that hit", named<scenarios::RestartMoment>(s.during));
  print_counts("faults", named<scenarios::FaultKind>(s.injected));
  print_counts("  with effect", named<scenarios::FaultKind>(s.consequential));
  std::printf("  %-18s%.1f %% of histories\n", "crossed a restart",
              100.0 * static_cast<double>(s.crossed) /
                  static_cast<double>(std::max<std::uint64_t>(s.histories, 1)));
  std::printf("  %-18s%s\n", "trace hash", s.hash().to_hex().c_str());
  const auto missing = missing_marks(s, options);
  for (const std::string& mark : missing) std::printf("  NOT REACHED: %s\n", mark.c_str());
  std::size_t shown = 0;
  for (const Failure& failure : s.failures) {
    if (++shown > 10) break;
    std::printf("\nseed %llu: %s\n  %s\n", static_cast<unsigned long long>(failure.seed),
                failure.property.c_str(), failure.what.c_str());
  }
  if (!s.failures.empty())
    std::printf("\n%s\n",
                replay_command(options.scenario, s.failures.front().seed, options.without).c_str());
}

std::string save(const CheckOptions& options, const Failure& failure,
                 const std::optional<Hash128>& hash) {
  if (options.save_failures.empty()) return {};
  scenarios::Repro repro = repro_of_seed(options.scenario, failure.seed, options.without);
  repro.build = build_identity();
  repro.verdict = {failure.property, failure.what};
  repro.trace_hash = hash;
  const std::string path =
      options.save_failures + "/" + options.scenario + "-" + std::to_string(failure.seed) + ".json";
  const auto written = write_repro(repro, path);
  if (!written.ok()) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return path;
}

void write_junit(const Summary& s, const CheckOptions& options) {
  if (options.junit.empty()) return;
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == '<')
        out += "&lt;";
      else if (c == '&')
        out += "&amp;";
      else if (c == '"')
        out += "&quot;";
      else
        out.push_back(static_cast<unsigned char>(c) < 32 ? ' ' : c);
    }
    return out;
  };
  std::ofstream file(options.junit);
  if (!file) throw std::runtime_error(options.junit + ": cannot be written");
  file << "<testsuite name=\"holdfast-sim " << options.scenario << "\" tests=\"" << s.histories
       << "\" failures=\"" << s.failures.size() << "\">\n";
  for (const Failure& f : s.failures)
    file << "  <testcase name=\"seed " << f.seed << "\"><failure message=\"" << escaped(f.property)
         << "\">" << escaped(f.what) << "</failure></testcase>\n";
  file << "</testsuite>\n";
}

std::vector<std::uint64_t> seeds_of(const CheckOptions& options) {
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < options.seeds; ++i)
    if (i % options.shards == options.shard - 1) seeds.push_back(options.start + i);
  return seeds;
}

}  // namespace

int check(const CheckOptions& options) {
  const auto guards = guards_without(options.without);
  const auto scenario = check_scenario(options.scenario);
  if (!guards.ok() || !scenario.ok()) {
    std::fprintf(stderr, "holdfast-sim check: %s\n",
                 (guards.ok() ? scenario.error() : guards.error()).message.c_str());
    return k_exit_usage;
  }
  Summary summary;
  const auto started = steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(steady_clock::now() - started).count();
  };
  const bool show_progress = !options.json && isatty(STDOUT_FILENO) != 0;
  double shown = 0;
  const auto go_on = [&] {
    if (show_progress && elapsed() - shown > 0.5) {
      shown = elapsed();
      std::printf("\r%llu of %llu histories, %zu failed, %.0f s ",
                  static_cast<unsigned long long>(summary.histories),
                  static_cast<unsigned long long>(options.seeds), summary.failures.size(), shown);
      std::fflush(stdout);
    }
    return options.time.count() == 0 || elapsed() < static_cast<double>(options.time.count());
  };
  PoolOptions pool;
  pool.seeds = seeds_of(options);
  pool.jobs = options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  // Used by the workers, each its own copy.
  sim::Stacks stacks;
  sim::postgres::ConditionTrees trees;
  pool.run = [&](std::uint64_t seed) {
    return to_json(run_history(options.scenario, seed, *guards, options.twice, &stacks, &trees))
        .dump();
  };
  pool.finished = [&](std::uint64_t seed, const std::string& line) {
    const json history = json::parse(line);
    summary.add(history);
    if (!history.at("violations").empty()) {
      const json& first = history.at("violations").front();
      Failure failure{seed, first.at("property"), first.at("what"), {}};
      failure.file = save(options, failure, summary.hashes[seed]);
      summary.failures.push_back(std::move(failure));
    }
    return go_on();
  };
  pool.crashed = [&](std::uint64_t seed, const std::string& words) {
    summary.histories++;
    Failure failure{
        seed, crash_property(words), words.empty() ? "the run ended the process" : words, {}};
    failure.file = save(options, failure, std::nullopt);
    summary.failures.push_back(std::move(failure));
    return go_on();
  };
  run_pool(pool);
  std::sort(summary.failures.begin(), summary.failures.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  summary.seconds = elapsed();
  if (show_progress) std::printf("\r%60s\r", "");
  if (options.json)
    std::printf("%s\n", to_json(summary, options).dump().c_str());
  else
    print_summary(summary, options);
  write_junit(summary, options);
  return summary.failures.empty() && missing_marks(summary, options).empty() ? k_exit_passed
                                                                             : k_exit_found;
}

}  // namespace holdfast::tools
