// Virtual time: moves only when the simulated executor moves it.
#pragma once

#include "core/base/assert.hpp"
#include "core/env/clock.hpp"

namespace holdfast::sim {

class VirtualClock final : public env::Clock {
 public:
  /// Instants count from zero; the calendar starts at `wall_start`.
  explicit VirtualClock(WallTime wall_start = {1'700'000'000'000'000}) : wall_start_(wall_start) {}

  Instant now() const override { return now_; }
  WallTime wall_time() const override {
    return {wall_start_.unix_us + now_.since_start.count() / 1'000};
  }
  void advance_to(Instant later) {
    ASSERT(later >= now_, "virtual time never goes back");
    now_ = later;
  }

 private:
  WallTime wall_start_;
  Instant now_;
};

}  // namespace holdfast::sim
