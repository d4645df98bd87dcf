#include "sim/postgres/hooks.hpp"

namespace holdfast::sim::postgres {

ModelHooks runtime_hooks(const env::Clock& clock, env::Random& random, PauseLatency latency) {
  ModelHooks hooks;
  hooks.clock = &clock;
  hooks.random = &random;
  hooks.wait = [](const char* label, Instant deadline,
                  const std::function<void(runtime::Wakeup)>& start) {
    return runtime::suspend(label, deadline, start);
  };
  hooks.fire = [](const runtime::Wakeup& wakeup) { wakeup.fire(); };
  hooks.pause = [&clock, &random, latency](const char* label, std::uint64_t path,
                                           std::uint64_t ordinal) {
    Duration delay = latency.least;
    if (latency.spread.count() > 0)
      delay += Duration(static_cast<std::int64_t>(
          random.draw(path, label, ordinal) % static_cast<std::uint64_t>(latency.spread.count())));
    runtime::suspend(label, clock.now() + delay, [](const runtime::Wakeup&) {});
  };
  return hooks;
}

}  // namespace holdfast::sim::postgres
