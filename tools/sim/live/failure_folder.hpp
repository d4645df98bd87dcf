// The evidence of one live run, beside its storage directory and its servers' logs: README.txt says
// what was found, what is what, and which command to paste.
#pragma once

#include "scenarios/plans/plan.hpp"
#include "tools/sim/live/live_run.hpp"
#include "tools/sim/live/sql_truth.hpp"

namespace holdfast::tools::live {

/// Throws std::runtime_error if a file cannot be written.
void write_evidence(const scenarios::Plan& plan, const LiveReport& report, const SqlTruth& truth,
                    const LiveSetting& setting);

/// "holdfast-sim live --runs 1 --start 7", with whatever else makes the plan.
std::string live_command(std::uint64_t seed, const LiveSetting& setting);

}  // namespace holdfast::tools::live
