// A repro: everything that a run is made from and what it gave, as a value and as a file. The plan
// itself is in it, so a repro needs no generator and outlives every change of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "scenarios/plans/plan.hpp"
#include "scenarios/world/weakened.hpp"

namespace holdfast::scenarios {

struct Verdict {
  std::string property;
  std::string what;  ///< one sentence
  bool operator==(const Verdict&) const = default;
};

struct Repro {
  static constexpr std::uint64_t k_format = 2;

  std::string about;                 ///< for people: what it once found
  std::string build;                 ///< which Holdfast wrote it, for people; not judged
  Plan plan;                         ///< with scenario and seed
  std::vector<std::string> without;  ///< guards that were off, mutants that were on
  std::optional<Verdict> verdict;    ///< nullopt: it passes
  std::optional<Hash128> trace_hash;
  bool operator==(const Repro&) const = default;

  Weakened weakened() const;
};

/// The file's text, one part of the plan a line.
std::string to_text(const Repro& repro);
/// Strict. The error reads "NAME:LINE: reason"; `name` is the file's.
Result<Repro> parse_repro(std::string_view text, const std::string& name);

}  // namespace holdfast::scenarios
