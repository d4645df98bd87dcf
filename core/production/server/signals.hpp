// SIGTERM and SIGINT as values that the main thread waits for. Made before any other thread, since
// threads inherit the mask that keeps the signals from them.
#pragma once

#include <chrono>
#include <optional>

namespace holdfast::production {

class StopSignals {
 public:
  /// Blocks both signals, and ignores SIGPIPE: a write to a closed socket is an error, not an end.
  StopSignals();

  /// Waits for the next signal.
  int wait();
  /// nullopt: none came within `limit`.
  std::optional<int> wait_for(std::chrono::milliseconds limit);
};

}  // namespace holdfast::production
