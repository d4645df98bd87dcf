// What a command was given to run: a seed, or a repro file. Files are read here and nowhere else.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "scenarios/repro/repro.hpp"

namespace holdfast::tools {

/// A whole number from 0 to 2^64 - 1 and nothing else.
Result<std::uint64_t> parse_seed(const std::string& text);

/// A repro of a seed: the plan that the scenario makes of it, without a verdict.
scenarios::Repro repro_of_seed(const std::string& scenario, std::uint64_t seed,
                               const std::vector<std::string>& without);

struct Subject {
  std::string name;     ///< as it was given
  bool judged = false;  ///< the repro says what this very run gives
  scenarios::Repro repro;
};

/// `scenario` is for seeds; a file says its own. Guards of a file stay off, `without` adds to them;
/// then the run is another one than the file judges.
Result<Subject> find_subject(const std::string& seed_or_file, const std::string& scenario,
                             const std::vector<std::string>& without);

Result<scenarios::Repro> read_repro(const std::string& path);
/// Fails if the file cannot be written whole.
Result<void> write_repro(const scenarios::Repro& repro, const std::string& path);

}  // namespace holdfast::tools
