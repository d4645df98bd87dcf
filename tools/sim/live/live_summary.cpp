#include "tools/sim/live/live_summary.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace holdfast::tools::live {
namespace {

std::string rounded(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string count(std::uint64_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

std::string restarts_text(const LiveSummary& summary) {
  std::string text;
  std::uint64_t all = 0;
  for (std::size_t kind = 0; kind < summary.restarts.size(); ++kind) {
    if (summary.restarts[kind] == 0) continue;
    all += summary.restarts[kind];
    text += (text.empty() ? ": " : ", ") +
            std::string(scenarios::name_of(static_cast<scenarios::RestartKind>(kind))) + " " +
            std::to_string(summary.restarts[kind]);
  }
  return count(all, "restart") + text;
}

}  // namespace

void LiveSummary::add(const LiveReport& report, const std::string& folder,
                      const std::string& command) {
  runs++;
  requests += report.judgement.counters.requests;
  broken += report.judgement.counters.retried;
  compared_markers += report.judgement.counters.compared_markers;
  violations += report.judgement.violations.size();
  spurious_conflicts += report.judgement.spurious_conflicts;
  legitimate_conflicts += report.judgement.legitimate_conflicts;
  continuing_runs += report.judgement.continuing_client_crossed ? 1 : 0;
  refused_commits += report.recording.refused_commits;
  takeovers_locked_out += report.recording.takeovers_locked_out;
  for (const RecordedTransaction& transaction : report.recording.transactions)
    (transaction.outcome == "committed" ? committed : rolled_back)++;
  for (std::size_t kind = 0; kind < restarts.size(); ++kind)
    restarts[kind] += report.recording.restarts[kind];
  if (report.failed()) {
    const oracle::Violation& first = report.judgement.violations.front();
    failures.push_back({report.seed, first.property, first.what, report.judgement.violations.size(),
                        folder, command});
  } else if (!folder.empty()) {
    kept.push_back(folder);
  }
}

std::string one_line(const LiveReport& report) {
  const std::string time =
      " in " + rounded(std::chrono::duration<double>(report.recording.time).count());
  if (report.failed()) return "FAILED" + time + ", " + report.judgement.violations.front().property;
  return "passed" + time + ", " + count(report.judgement.counters.requests, "request") + ", " +
         count(report.judgement.counters.compared_markers, "marker") + " compared";
}

std::string to_text(const LiveSummary& summary) {
  std::string text =
      count(summary.runs, "run") + " in " + rounded(summary.seconds) + ", " +
      std::to_string(summary.failures.size()) +
      " failed: " + count(summary.violations, "violation") + ", " +
      std::to_string(summary.spurious_conflicts) + " must-refetch\n  servers       " +
      restarts_text(summary) + "; " + std::to_string(summary.refused_commits) +
      " old leaders woke up and were refused a commit" +
      (summary.takeovers_locked_out == 0 ? ""
                                         : ", " + std::to_string(summary.takeovers_locked_out) +
                                               " kept everybody out by a lock while frozen") +
      "\n  clients       " + count(summary.requests, "request") + " (" +
      std::to_string(summary.broken) + " broken off or 503), " +
      std::to_string(summary.compared_markers) +
      " up-to-date markers compared with the database\n                in " +
      std::to_string(summary.continuing_runs) + " of " + count(summary.runs, "run") +
      " a client went on across a restart\n  transactions  " + std::to_string(summary.committed) +
      " committed, " + std::to_string(summary.rolled_back) + " rolled back";
  for (const LiveFailure& failure : summary.failures)
    text += "\n\nseed " + std::to_string(failure.seed) + ": " + failure.property + " (" +
            count(failure.violations, "violation") + ")\n  " + failure.what +
            "\n  evidence: " + failure.folder + "/README.txt\n  again: " + failure.command;
  for (const std::string& folder : summary.kept) text += "\nkept: " + folder;
  return text;
}

std::string to_json(const LiveSummary& summary) {
  nlohmann::ordered_json json = {
      {"runs", summary.runs},
      {"failures", nlohmann::ordered_json::array()},
      {"violations", summary.violations},
      {"spurious_conflicts", summary.spurious_conflicts},
      {"legitimate_conflicts", summary.legitimate_conflicts},
      {"requests", summary.requests},
      {"broken_requests", summary.broken},
      {"compared_markers", summary.compared_markers},
      {"committed", summary.committed},
      {"rolled_back", summary.rolled_back},
      {"refused_commits", summary.refused_commits},
      {"takeovers_locked_out", summary.takeovers_locked_out},
      {"continuing_client_share", summary.runs == 0 ? 0.0
                                                    : static_cast<double>(summary.continuing_runs) /
                                                          static_cast<double>(summary.runs)},
      {"seconds", summary.seconds}};
  for (std::size_t kind = 0; kind < summary.restarts.size(); ++kind)
    if (summary.restarts[kind] > 0)
      json["restarts"][std::string(scenarios::name_of(static_cast<scenarios::RestartKind>(kind)))] =
          summary.restarts[kind];
  for (const LiveFailure& failure : summary.failures)
    json["failures"].push_back({{"seed", failure.seed},
                                {"property", failure.property},
                                {"what", failure.what},
                                {"violations", failure.violations},
                                {"folder", failure.folder},
                                {"command", failure.command}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace holdfast::tools::live
