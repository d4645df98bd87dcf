#include "tools/sim/history.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sim/trace.hpp"
#include "tools/sim/shell.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;
using scenarios::RunReport;

/// The determinism property: the top bug when it fails.
constexpr const char* k_same_twice = "determinism";

void compare(RunReport& first, const RunReport& second, const std::string& scenario,
             const Weakened& weakened) {
  if (first.trace_hash == second.trace_hash) return;
  // Once more with every step kept, to name the first that differs.
  scenarios::RunOptions options{.weakened = weakened};
  options.keep_every_step = true;
  const scenarios::Plan plan = scenarios::make_plan(scenario, first.seed);
  const RunReport a = scenarios::run_plan(plan, options);
  const RunReport b = scenarios::run_plan(plan, options);
  std::size_t step = 0;
  while (step < a.every_step.size() && step < b.every_step.size() &&
         a.every_step[step] == b.every_step[step])
    ++step;
  first.violations.push_back({k_same_twice,
                              "the same seed ran differently, from step " + std::to_string(step) +
                                  " on: " + first.trace_hash.to_hex() + " and " +
                                  second.trace_hash.to_hex(),
                              {},
                              {}});
}

}  // namespace

Result<Weakened> weakened_by(const std::vector<std::string>& names) {
  Weakened weakened;
  for (const std::string& name : names) {
    if (weakened.without(name)) continue;
    std::string known;
    for (const scenarios::Weakening& one : scenarios::weakenings())
      known += "\n  " + std::string(one.name);
    return fail("no guard or mutant is called '" + name + "'; there are:" + known);
  }
  return weakened;
}

Result<void> check_scenario(const std::string& name) {
  const std::vector<std::string> names = scenarios::scenario_names();
  if (std::find(names.begin(), names.end(), name) != names.end()) return {};
  std::string known;
  for (const std::string& scenario : names) known += "\n  " + scenario;
  return fail("no scenario is called '" + name + "'; there are:" + known);
}

RunReport run_history(const std::string& scenario, std::uint64_t seed, const Weakened& weakened,
                      bool twice, scenarios::Reused* reused) {
  const scenarios::Plan plan = scenarios::make_plan(scenario, seed);
  scenarios::RunOptions options{.weakened = weakened};
  options.reused = reused;
  RunReport report = scenarios::run_plan(plan, options);
  if (twice) compare(report, scenarios::run_plan(plan, options), scenario, weakened);
  return report;
}

json to_json(const RunReport& report) {
  json failures = json::array();
  for (const oracle::Violation& violation : report.violations)
    failures.push_back({{"property", violation.property},
                        {"what", violation.what},
                        {"client", violation.client},
                        {"at_ms", violation.at.since_start.count() / 1'000'000}});
  return {{"seed", report.seed},
          {"violations", failures},
          {"high", report.trace_hash.high},
          {"low", report.trace_hash.low},
          {"steps", report.steps},
          {"committed", report.workload.committed},
          {"refused", report.workload.refused},
          {"requests", report.requests},
          {"markers", report.compared_markers},
          {"legitimate", report.legitimate_conflicts},
          {"spurious", report.spurious_conflicts},
          {"crossed", report.continuing_client_crossed},
          {"restarts", report.restarts.by_kind},
          {"during", report.restarts.during},
          {"injected", report.faults.injected},
          {"consequential", report.faults.consequential},
          {"client_trouble", report.client_trouble.injected},
          {"client_trouble_felt", report.client_trouble.consequential},
          {"probes", report.probes.injected},
          {"probes_answered", report.probes.consequential},
          {"sights", report.sights.seen},
          {"marks", report.marks}};
}

std::string crash_property(const std::string& words) {
  const std::string key = "assertion failed: ";
  const std::size_t at = words.find(key);
  if (at == std::string::npos) return "crash";
  const std::string sentence = words.substr(at + key.size());
  return "crash: " + sentence.substr(0, sentence.find(" ["));
}

std::string replay_command(const std::string& program, const std::string& scenario,
                           std::uint64_t seed, const std::vector<std::string>& without) {
  std::string command = quoted_for_shell(program) + " replay " + std::to_string(seed);
  if (scenario != "mixed") command += " --scenario " + scenario;
  for (const std::string& name : without) command += " --without " + name;
  return command;
}

std::string replay_command(const std::string& program, const std::string& file) {
  return quoted_for_shell(program) + " replay " + quoted_for_shell(file);
}

}  // namespace holdfast::tools
