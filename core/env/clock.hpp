// Time as the engine sees it: virtual in the simulator, the machine's in production. Timers are the
// runtime's (core/runtime), driven by this clock.
#pragma once

#include "core/base/time.hpp"

namespace holdfast::env {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back within a process of the operating system. Thread-safe.
  virtual Instant now() const = 0;
  /// May jump. For what people read; never for decisions.
  virtual WallTime wall_time() const = 0;
};

}  // namespace holdfast::env
