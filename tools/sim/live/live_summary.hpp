// What many live runs gave, for people at a glance and for machines.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/sim/live/live_run.hpp"

namespace holdfast::tools::live {

struct LiveFailure {
  std::uint64_t seed = 0;
  std::string property;
  std::string what;
  std::uint64_t violations = 0;
  std::string folder;
  std::string command;
};

struct LiveSummary {
  std::uint64_t runs = 0;
  std::uint64_t requests = 0;
  std::uint64_t broken = 0;  ///< of requests: no answer, or a 503
  std::uint64_t compared_markers = 0;
  std::uint64_t violations = 0;
  std::uint64_t spurious_conflicts = 0;
  std::uint64_t legitimate_conflicts = 0;
  std::uint64_t continuing_runs = 0;
  std::uint64_t committed = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t refused_commits = 0;
  std::uint64_t takeovers_locked_out = 0;
  std::array<std::uint64_t, scenarios::k_restart_kinds> restarts{};
  std::vector<LiveFailure> failures;
  std::vector<std::string> kept;  ///< folders of runs that passed
  double seconds = 0;

  bool found() const { return !failures.empty(); }
  /// `folder`: where its evidence is; empty: nowhere.
  void add(const LiveReport& report, const std::string& folder, const std::string& command);
};

std::string one_line(const LiveReport& report);
std::string to_text(const LiveSummary& summary);
std::string to_json(const LiveSummary& summary);

}  // namespace holdfast::tools::live
