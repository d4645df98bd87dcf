#include "core/production/server/signals.hpp"

#include <signal.h>

#include "core/base/assert.hpp"

namespace holdfast::production {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  ASSERT(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0, "the stop signals can be blocked");
  ::signal(SIGPIPE, SIG_IGN);
}

int StopSignals::wait() {
  const sigset_t set = stop_set();
  int number = 0;
  while (::sigwait(&set, &number) != 0) {
  }
  return number;
}

std::optional<int> StopSignals::wait_for(std::chrono::milliseconds limit) {
  const sigset_t set = stop_set();
  const timespec time{static_cast<time_t>(limit.count() / 1000),
                      static_cast<long>(limit.count() % 1000) * 1'000'000};
  const int number = ::sigtimedwait(&set, nullptr, &time);
  if (number < 0) return std::nullopt;
  return number;
}

}  // namespace holdfast::production
