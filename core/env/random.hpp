// Randomness as keyed draws: the same (path, site, ordinal) always gives the same number under one
// seed, whatever else ran before. Never a shared stream, since removing one choice of a run must
// leave the others alone (design.md §10).
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::env {

class Random {
 public:
  virtual ~Random() = default;
  /// `path` names who draws (a process's structural hash), `site` what for, `ordinal` which time.
  /// Thread-safe.
  virtual std::uint64_t draw(std::uint64_t path, std::string_view site, std::uint64_t ordinal) = 0;
};

}  // namespace holdfast::env
