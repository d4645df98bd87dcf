#include "tools/sim/commands/check_summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/base/mark_list.hpp"
#include "scenarios/run.hpp"
#include "tools/sim/history.hpp"

namespace holdfast::tools {
namespace {

using nlohmann::json;

void add_all(std::vector<std::uint64_t>& sums, const json& counts) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += counts.at(i).get<std::uint64_t>();
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

void print_replayed(const Summary& s) {
  for (const Replayed& each : s.replayed)
    if (each.fails)
      std::printf("\nstill fails: %s\n  %s\n  %s\n", each.file.c_str(), each.property.c_str(),
                  each.what.c_str());
    else
      std::printf("\npasses now and was dropped: %s\n", each.file.c_str());
}

/// Of everything that failed, the command that shows the first; empty: nothing did.
std::string command_to_paste(const Summary& s, const CheckOptions& options) {
  if (!s.groups.empty()) return s.groups.front().command;
  for (const Replayed& each : s.replayed)
    if (each.fails) return replay_command(options.program, each.file);
  return {};
}

void print_group(const FailureGroup& group) {
  constexpr std::size_t k_seeds_shown = 8;
  std::printf("\n%s: %zu %s, seed%s", group.property.c_str(), group.seeds.size(),
              group.seeds.size() == 1 ? "failure" : "failures", group.seeds.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < std::min(group.seeds.size(), k_seeds_shown); ++i)
    std::printf("%s %llu", i == 0 ? "" : ",", static_cast<unsigned long long>(group.seeds[i]));
  std::printf("%s\n", group.seeds.size() > k_seeds_shown ? ", ..." : "");
  if (!group.file.empty())
    std::printf("  %s%s%s\n", group.file.c_str(), group.size.empty() ? "" : ": ",
                group.size.c_str());
  for (const std::string& sentence : group.necessity) std::printf("  %s\n", sentence.c_str());
  std::printf("  %s\n", group.command.c_str());
}

bool has_moves(const std::string& scenario) {
  return scenario == "hierarchy" || scenario == "issue_tracker" || scenario == "access_lists" ||
         scenario == "awkward_values";
}

/// Four tables one inside the other are in the hierarchy only.
bool can_be_seen(const std::string& scenario, scenarios::Sight sight) {
  return sight != scenarios::Sight::move_of_nested_shape || scenario == "hierarchy";
}

/// Whether histories of `mixed`, or those of shapes with subqueries, must reach a mark.
bool must_reach(Mark mark, bool subqueries) {
  if (mark == Mark::inline_call_exited_while_stopping) return false;  // bug6_shutdown_race has it
  constexpr std::array k_of_subqueries = {
      Mark::subquery_state_restored,       Mark::restored_while_moving,
      Mark::move_spilled_to_segment,       Mark::splice_spilled_to_segment,
      Mark::waiting_input_read_back,       Mark::fragment_given_to_subquery_shape,
      Mark::quarantined_with_its_subquery,
  };
  const bool of_subqueries =
      std::find(k_of_subqueries.begin(), k_of_subqueries.end(), mark) != k_of_subqueries.end();
  return of_subqueries == subqueries;
}

}  // namespace

Summary::Summary()
    : restarts(scenarios::k_restart_kinds),
      during(scenarios::k_moments),
      injected(scenarios::k_fault_kinds),
      consequential(scenarios::k_fault_kinds),
      marks(Marks::k_capacity),
      client_trouble(scenarios::k_client_troubles),
      client_trouble_felt(scenarios::k_client_troubles),
      probes(oracle::k_probe_kinds),
      probes_answered(oracle::k_probe_kinds),
      sights(scenarios::k_sights) {}

void Summary::add(const json& history) {
  histories++;
  steps += history.at("steps").get<std::uint64_t>();
  requests += history.at("requests").get<std::uint64_t>();
  markers += history.at("markers").get<std::uint64_t>();
  committed += history.at("committed").get<std::uint64_t>();
  refused += history.at("refused").get<std::uint64_t>();
  legitimate += history.at("legitimate").get<std::uint64_t>();
  spurious += history.at("spurious").get<std::uint64_t>();
  crossed += history.at("crossed").get<bool>() ? 1 : 0;
  add_all(restarts, history.at("restarts"));
  add_all(during, history.at("during"));
  add_all(injected, history.at("injected"));
  add_all(consequential, history.at("consequential"));
  add_all(marks, history.at("marks"));
  add_all(client_trouble, history.at("client_trouble"));
  add_all(client_trouble_felt, history.at("client_trouble_felt"));
  add_all(probes, history.at("probes"));
  add_all(probes_answered, history.at("probes_answered"));
  add_all(sights, history.at("sights"));
  hashes[history.at("seed").get<std::uint64_t>()] = {history.at("high").get<std::uint64_t>(),
                                                     history.at("low").get<std::uint64_t>()};
}

Hash128 Summary::hash() const {
  RollingHash all;
  for (const auto& [seed, one] : hashes) {
    all.add(seed);
    all.add(one.high);
    all.add(one.low);
  }
  return all.value();
}

bool Summary::found() const {
  return !failures.empty() || std::any_of(replayed.begin(), replayed.end(),
                                          [](const Replayed& each) { return each.fails; });
}

std::vector<std::string> missing_marks(const Summary& summary, const CheckOptions& options) {
  std::vector<std::string> missing;
  // The rarest mark is reached about 9 times in so many histories; in fewer its absence is chance.
  constexpr std::uint64_t k_enough = 2000;
  const bool subqueries = has_moves(options.scenario);
  if ((options.scenario != "mixed" && !subqueries) || summary.histories < k_enough) return missing;
  for (std::size_t i = 0; i < k_mark_names.size(); ++i)
    if (summary.marks[i] == 0 && must_reach(static_cast<Mark>(i), subqueries))
      missing.emplace_back(k_mark_names[i]);
  for (std::size_t i = 1; i < scenarios::k_moments; ++i)
    if (const auto moment = static_cast<scenarios::Moment>(i);
        summary.during[i] == 0 && moment != scenarios::Moment::judgement &&
        subqueries == (moment == scenarios::Moment::move))
      missing.push_back("restart during " + std::string(scenarios::name_of(moment)));
  for (std::size_t i = 0; i < scenarios::k_fault_kinds; ++i)
    if (summary.consequential[i] == 0 && !subqueries)
      missing.push_back("fault with effect: " +
                        std::string(scenarios::name_of(static_cast<scenarios::FaultKind>(i))));
  for (std::size_t i = 0; i < scenarios::k_client_troubles; ++i)
    if (summary.client_trouble_felt[i] == 0)
      missing.push_back("client trouble with effect: " +
                        std::string(scenarios::name_of(static_cast<scenarios::ClientTrouble>(i))));
  for (std::size_t i = 0; i < oracle::k_probe_kinds; ++i)
    if (summary.probes_answered[i] == 0)
      missing.push_back("probe answered: " +
                        std::string(oracle::name_of(static_cast<oracle::ProbeKind>(i))));
  for (std::size_t i = 0; i < scenarios::k_sights && subqueries; ++i)
    if (const auto sight = static_cast<scenarios::Sight>(i);
        summary.sights[i] == 0 && can_be_seen(options.scenario, sight))
      missing.push_back("client saw: " + std::string(name_of(sight)));
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
  result["groups"] = json::array();
  for (const FailureGroup& g : s.groups)
    result["groups"].push_back({{"property", g.property},
                                {"failures", g.seeds.size()},
                                {"file", g.file},
                                {"size", g.size},
                                {"command", g.command}});
  result["replayed"] = json::array();
  for (const Replayed& r : s.replayed)
    result["replayed"].push_back({{"file", r.file}, {"property", r.property}, {"fails", r.fails}});
  result["spurious_conflicts"] = s.spurious;
  result["legitimate_conflicts"] = s.legitimate;
  result["steps"] = s.steps;
  result["requests"] = s.requests;
  result["compared_markers"] = s.markers;
  result["transactions"] = {{"committed", s.committed}, {"refused", s.refused}};
  result["seconds"] = s.seconds;
  result["trace_hash"] = s.hash().to_hex();
  for (std::size_t i = 0; i < s.restarts.size(); ++i)
    result["restarts"][std::string(name_of(static_cast<scenarios::RestartKind>(i)))] =
        s.restarts[i];
  for (std::size_t i = 0; i < s.during.size(); ++i)
    result["restarts_during"][std::string(name_of(static_cast<scenarios::Moment>(i)))] =
        s.during[i];
  for (std::size_t i = 0; i < s.injected.size(); ++i)
    result["faults"][std::string(name_of(static_cast<scenarios::FaultKind>(i)))] = {
        {"injected", s.injected[i]}, {"consequential", s.consequential[i]}};
  for (std::size_t i = 0; i < s.client_trouble.size(); ++i)
    result["faults"][std::string(name_of(static_cast<scenarios::ClientTrouble>(i)))] = {
        {"injected", s.client_trouble[i]}, {"consequential", s.client_trouble_felt[i]}};
  for (std::size_t i = 0; i < s.probes.size(); ++i)
    result["probes"][std::string(name_of(static_cast<oracle::ProbeKind>(i)))] = {
        {"injected", s.probes[i]}, {"answered", s.probes_answered[i]}};
  result["continuing_client_share"] =
      s.histories == 0 ? 0.0 : static_cast<double>(s.crossed) / static_cast<double>(s.histories);
  const auto missing = missing_marks(s, options);
  for (std::size_t i = 0; i < k_mark_names.size(); ++i)
    result["marks"]["reached"][std::string(k_mark_names[i])] = s.marks[i];
  for (std::size_t i = 0; i < s.sights.size(); ++i)
    result["sights"][std::string(name_of(static_cast<scenarios::Sight>(i)))] = s.sights[i];
  result["marks"]["declared"] = k_mark_names.size();
  result["marks"]["missing"] = missing;
  return result;
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
  std::printf("  %-18s%llu committed, %llu refused by the database\n", "transactions",
              static_cast<unsigned long long>(s.committed),
              static_cast<unsigned long long>(s.refused));
  std::printf("  %-18s%llu spurious, %llu with a cause\n", "409",
              static_cast<unsigned long long>(s.spurious),
              static_cast<unsigned long long>(s.legitimate));
  print_counts("restarts", named<scenarios::RestartKind>(s.restarts));
  print_counts("  that hit", named<scenarios::Moment>(s.during));
  print_counts("faults", named<scenarios::FaultKind>(s.injected));
  print_counts("  with effect", named<scenarios::FaultKind>(s.consequential));
  print_counts("client trouble", named<scenarios::ClientTrouble>(s.client_trouble));
  print_counts("  with effect", named<scenarios::ClientTrouble>(s.client_trouble_felt));
  print_counts("probes", named<oracle::ProbeKind>(s.probes));
  print_counts("  answered", named<oracle::ProbeKind>(s.probes_answered));
  print_counts("moves seen", named<scenarios::Sight>(s.sights));
  std::printf("  %-18s%.1f %% of histories\n", "crossed a restart",
              100.0 * static_cast<double>(s.crossed) /
                  static_cast<double>(std::max<std::uint64_t>(s.histories, 1)));
  std::printf("  %-18s%s\n", "trace hash", s.hash().to_hex().c_str());
  const auto missing = missing_marks(s, options);
  for (const std::string& mark : missing) std::printf("  NOT REACHED: %s\n", mark.c_str());
  print_replayed(s);
  for (const FailureGroup& group : s.groups) print_group(group);
  const std::string command = command_to_paste(s, options);
  if (!command.empty()) std::printf("\n%s\n", command.c_str());
}

}  // namespace holdfast::tools
