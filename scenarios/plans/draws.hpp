// Draws of plans: every choice has a name and an ordinal, so that taking one away leaves the others
// as they were (design.md §10). A value; children have paths of their own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/assert.hpp"
#include "core/base/hash.hpp"
#include "core/base/time.hpp"

namespace holdfast::scenarios {

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : path_(mix64(seed + 0x9e3779b97f4a7c15ULL)) {}

  /// The draws of one part of a plan.
  Draws of(std::string_view part, std::uint64_t ordinal = 0) const {
    Draws child(0);
    child.path_ = combine64(combine64(path_, hash64(part)), ordinal);
    return child;
  }
  std::uint64_t any(std::string_view site, std::uint64_t ordinal = 0) const {
    return combine64(combine64(path_, hash64(site)), ordinal);
  }
  /// In [0, limit). REQUIRES: limit > 0.
  std::uint64_t below(std::uint64_t limit, std::string_view site, std::uint64_t ordinal = 0) const {
    ASSERT(limit > 0, "something can be drawn");
    return any(site, ordinal) % limit;
  }
  /// In [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high, std::string_view site,
                        std::uint64_t ordinal = 0) const {
    return low + below(high - low + 1, site, ordinal);
  }
  bool percent(unsigned chance, std::string_view site, std::uint64_t ordinal = 0) const {
    return below(100, site, ordinal) < chance;
  }
  template <class T>
  const T& one_of(const std::vector<T>& options, std::string_view site,
                  std::uint64_t ordinal = 0) const {
    return options[below(options.size(), site, ordinal)];
  }

 private:
  std::uint64_t path_;
};

/// Adds a family to a part of the plans, out of draws of its own: add(plan, draws).
template <class Plan, class Add>
void now_and_then(Plan& plan, const Draws& draws, std::string_view family, unsigned percent,
                  Add add) {
  const Draws own = draws.of(family);
  if (own.percent(percent, "at all")) add(plan, own);
}

/// What is drawn are whole numbers; times are made of them.
inline Duration ms(std::uint64_t count) {
  return std::chrono::milliseconds(count);
}
inline Duration us(std::uint64_t count) {
  return std::chrono::microseconds(count);
}

}  // namespace holdfast::scenarios
