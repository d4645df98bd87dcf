// How the model waits, tells time and draws. In a run these are the simulator's; plain unit tests
// leave them empty and then nothing pauses, time stands still unless moved, and draws give 0.
#pragma once

#include <functional>

#include "core/env/clock.hpp"
#include "core/env/random.hpp"
#include "core/runtime/suspend.hpp"

namespace holdfast::sim::postgres {

struct ModelHooks {
  /// A point at which the scheduler may let others run; `path` names who waits, `ordinal` which
  /// time. SUSPENDS, may unwind. Empty: goes on at once.
  std::function<void(const char* label, std::uint64_t path, std::uint64_t ordinal)> pause;
  /// As runtime::suspend. REQUIRES to be set where a call may have to wait.
  std::function<runtime::Woken(const char* label, Instant deadline,
                               const std::function<void(runtime::Wakeup)>& start)>
      wait;
  /// Fires a Wakeup. Beside `wait`, so that tests need no runtime.
  std::function<void(const runtime::Wakeup&)> fire;
  const env::Clock* clock = nullptr;
  env::Random* random = nullptr;
};

/// Every pause takes `least` plus a keyed draw below `spread` of virtual time.
struct PauseLatency {
  Duration least{0};
  Duration spread{0};
};

/// Hooks onto core/runtime: pauses and waits suspend the calling fiber.
ModelHooks runtime_hooks(const env::Clock& clock, env::Random& random, PauseLatency latency);

}  // namespace holdfast::sim::postgres
