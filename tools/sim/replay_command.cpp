#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/sim/commands.hpp"
#include "tools/sim/history.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;

/// What is to be run again, and what it gave the first time.
struct Repro {
  std::string scenario;
  std::uint64_t seed = 0;
  std::vector<std::string> without;
  std::optional<std::string> property;
  std::optional<std::string> trace_hash;
};

Result<Repro> read_repro(const std::string& path) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path))
    return fail(path + ": cannot be read; give a seed or a repro file");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  try {
    const json repro = json::parse(text);
    if (repro.at("format") != 1) return fail(path + ": format is not 1");
    Repro result;
    result.scenario = repro.at("scenario");
    result.seed = repro.at("seed");
    result.without = repro.at("without").get<std::vector<std::string>>();
    result.property = repro.at("verdict").at("property").get<std::string>();
    result.trace_hash = repro.at("trace_hash").get<std::string>();
    return result;
  } catch (const json::parse_error& error) {
    const std::size_t at = std::min(error.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    return fail(path + ":" + std::to_string(line) + ": " + error.what());
  } catch (const json::exception& error) {
    return fail(path + ": " + error.what());
  }
}

Result<Repro> find_repro(const ReplayOptions& options) {
  const std::string& what = options.seed_or_file;
  const bool number =
      !what.empty() && what.size() < 20 &&
      std::all_of(what.begin(), what.end(), [](unsigned char c) { return std::isdigit(c); });
  if (!number) return read_repro(what);
  return Repro{options.scenario, std::stoull(what), options.without, {}, {}};
}

int judge(const Repro& repro, const scenarios::RunReport& report) {
  const std::string hash = report.trace_hash.to_hex();
  if (repro.trace_hash && *repro.trace_hash != hash && repro.property != "crash") {
    std::printf("diverged: the trace hash is %s, the repro file says %s\n", hash.c_str(),
                repro.trace_hash->c_str());
    return k_exit_diverged;
  }
  if (report.failed()) return k_exit_found;
  if (repro.property) std::printf("passes now: '%s' was not violated\n", repro.property->c_str());
  return k_exit_passed;
}

}  // namespace

int replay(const ReplayOptions& options) {
  const auto repro = find_repro(options);
  if (!repro.ok()) {
    std::fprintf(stderr, "holdfast-sim replay: %s\n", repro.error().message.c_str());
    return k_exit_usage;
  }
  const auto guards = guards_without(repro->without);
  const auto scenario = check_scenario(repro->scenario);
  if (!guards.ok() || !scenario.ok()) {
    std::fprintf(stderr, "holdfast-sim replay: %s\n",
                 (guards.ok() ? scenario.error() : guards.error()).message.c_str());
    return k_exit_usage;
  }
  const scenarios::Plan plan = scenarios::make_plan(repro->scenario, repro->seed);
  std::printf("%s\n", plan.to_text().c_str());
  scenarios::RunOptions run{.guards = *guards};
  std::uint64_t lines = 0;
  if (options.trace)
    run.trace = [&](const std::string& line) {
      if (options.until == 0 || lines++ < options.until) std::printf("%s\n", line.c_str());
    };
  const scenarios::RunReport report = scenarios::run_plan(plan, run);
  if (report.failed() && !options.trace) {
    std::printf("the last steps:\n");
    for (const std::string& line : report.last_lines) std::printf("  %s\n", line.c_str());
    std::printf("\n");
  }
  for (const oracle::Violation& violation : report.violations)
    std::printf("violated at %lld ms by %s: %s\n  %s\n",
                static_cast<long long>(violation.at.since_start.count() / 1'000'000),
                violation.client.empty() ? "the engine" : violation.client.c_str(),
                violation.property.c_str(), violation.what.c_str());
  std::printf(
      "%s: %llu steps, %llu requests, %llu markers compared, %.1f s of virtual time\n"
      "trace hash %s\n",
      report.failed() ? "FAILED" : "passed", static_cast<unsigned long long>(report.steps),
      static_cast<unsigned long long>(report.requests),
      static_cast<unsigned long long>(report.compared_markers),
      static_cast<double>(report.virtual_time.count()) / 1e9, report.trace_hash.to_hex().c_str());
  return judge(*repro, report);
}

int list_guards(bool as_json) {
  json list = json::array();
  for (const GuardInfo& info : k_guards) {
    list.push_back({{"name", info.name},
                    {"kind", "guard"},
                    {"cut", json::array({info.name})},
                    {"failure_mode", info.failure_mode},
                    {"summary", info.summary},
                    {"file", info.file}});
    if (!as_json)
      std::printf("%-46s %-5s %s\n", std::string(info.name).c_str(),
                  std::string(info.failure_mode).c_str(), std::string(info.summary).c_str());
  }
  if (as_json) std::printf("%s\n", list.dump().c_str());
  return k_exit_passed;
}

}  // namespace holdfast::tools
