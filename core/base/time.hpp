// Points and spans of time as values. Reading a clock is core/env's business, never this header's.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace holdfast {

using Duration = std::chrono::nanoseconds;

/// A point on the monotonic clock of one machine, in nanoseconds since an arbitrary start.
struct Instant {
  Duration since_start{0};

  auto operator<=>(const Instant&) const = default;
  Instant operator+(Duration d) const { return {since_start + d}; }
  Duration operator-(Instant other) const { return since_start - other.since_start; }
  /// Later than every real point: "no deadline". Only supervisors may wait that long.
  static constexpr Instant never() { return {Duration::max()}; }
};

/// A point of calendar time in microseconds since 1970-01-01 UTC.
struct WallTime {
  std::int64_t unix_us = 0;
  auto operator<=>(const WallTime&) const = default;
};

}  // namespace holdfast
