// env::Clock over the machine's clocks. Thread-safe, never blocks.
#pragma once

#include "core/env/clock.hpp"

namespace holdfast::production {

class SystemClock : public env::Clock {
 public:
  /// CLOCK_MONOTONIC: does not count time in which the machine was suspended.
  Instant now() const override;
  WallTime wall_time() const override;
};

}  // namespace holdfast::production
