// Where a run's choices come from: keyed draws, and the points at which the schedule decides. Both
// are keyed by structure (paths, sites, ordinals), so that taking one choice away leaves the others
// as they were (design.md §10).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/env/random.hpp"

namespace holdfast::sim {

class KeyedRandom final : public env::Random {
 public:
  explicit KeyedRandom(std::uint64_t seed) : seed_(seed) {}
  std::uint64_t draw(std::uint64_t path, std::string_view site, std::uint64_t ordinal) override {
    return draw(path, hash64(site), ordinal);
  }
  std::uint64_t draw(std::uint64_t path, std::uint64_t site_hash, std::uint64_t ordinal) const {
    return combine64(combine64(combine64(seed_, path), site_hash), ordinal);
  }
  std::uint64_t seed() const { return seed_; }

 private:
  std::uint64_t seed_;
};

/// Where a strategy decides: FIFO would run step `ordinal` of the task whose path has hash `first`.
struct SchedulePoint {
  std::uint64_t first = 0;
  std::uint64_t ordinal = 0;
  /// How many decisions were made while `first` stood at this step: 0 for the first.
  std::uint64_t repeat = 0;
  auto operator<=>(const SchedulePoint&) const = default;
};

}  // namespace holdfast::sim
