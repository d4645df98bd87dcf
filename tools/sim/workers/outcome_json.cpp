#include "tools/sim/workers/outcome_json.hpp"

#include <nlohmann/json.hpp>

namespace holdfast::tools {
namespace {

using nlohmann::json;
using sim::ScheduleDecision;

json to_json(const std::vector<ScheduleDecision>& decisions) {
  json list = json::array();
  for (const ScheduleDecision& d : decisions)
    list.push_back({d.path, d.ordinal, d.times, d.ran_before, d.older});
  return list;
}

std::vector<ScheduleDecision> decisions_of(const json& list) {
  std::vector<ScheduleDecision> decisions;
  for (const json& d : list)
    decisions.push_back({d[0].get<std::string>(), d[1].get<std::uint64_t>(),
                         d[2].get<std::uint64_t>(), d[3].get<std::uint64_t>(),
                         d[4].get<std::uint64_t>()});
  return decisions;
}

}  // namespace

std::string to_line(const scenarios::Outcome& outcome) {
  const scenarios::RunReport& report = outcome.report;
  json line = {{"steps", report.steps},
               {"high", report.trace_hash.high},
               {"low", report.trace_hash.low},
               {"decisions", to_json(report.decisions)},
               {"inapplicable", to_json(report.inapplicable)}};
  if (outcome.verdict) line["verdict"] = {outcome.verdict->property, outcome.verdict->what};
  for (const scenarios::RestartBegun& begun : report.restarts_begun)
    line["restarts"].push_back({begun.number, begun.step});
  for (const scenarios::FaultHit& hit : report.fault_hits)
    line["faults"].push_back({hit.fault, hit.step, hit.victim});
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

scenarios::Outcome outcome_of(const std::string& text) {
  const json line = json::parse(text);
  scenarios::Outcome outcome;
  outcome.report.steps = line["steps"];
  outcome.report.trace_hash = {line["high"].get<std::uint64_t>(), line["low"].get<std::uint64_t>()};
  outcome.report.decisions = decisions_of(line["decisions"]);
  outcome.report.inapplicable = decisions_of(line["inapplicable"]);
  if (line.contains("verdict"))
    outcome.verdict = {line["verdict"][0].get<std::string>(),
                       line["verdict"][1].get<std::string>()};
  if (line.contains("restarts"))
    for (const json& begun : line["restarts"])
      outcome.report.restarts_begun.push_back(
          {begun[0].get<unsigned>(), begun[1].get<std::uint64_t>(), {}});
  if (line.contains("faults"))
    for (const json& hit : line["faults"])
      outcome.report.fault_hits.push_back(
          {hit[0].get<std::size_t>(), hit[1].get<std::uint64_t>(), {}, hit[2].get<std::string>()});
  return outcome;
}

}  // namespace holdfast::tools
