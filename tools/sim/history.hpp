// One history as the commands see it: run once or twice, and as a line of JSON between processes.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "scenarios/run.hpp"

namespace holdfast::tools {

using scenarios::Weakened;

/// All guards but these, and these mutants. Fails with the names there are, if one is unknown.
Result<Weakened> weakened_by(const std::vector<std::string>& names);
/// Fails with the names there are.
Result<void> check_scenario(const std::string& name);

/// Runs the seed; with `twice` also again, and objects if the two runs differ in a single step.
scenarios::RunReport run_history(const std::string& scenario, std::uint64_t seed,
                                 const Weakened& weakened, bool twice, scenarios::Reused* reused);

nlohmann::json to_json(const scenarios::RunReport& report);

/// The property that a run violates by ending its process, from what it said on standard error:
/// another assertion is another property.
std::string crash_property(const std::string& words);

/// The command that shows a failure again, for pasting.
std::string replay_command(const std::string& program, const std::string& scenario,
                           std::uint64_t seed, const std::vector<std::string>& without);
std::string replay_command(const std::string& program, const std::string& file);

}  // namespace holdfast::tools
