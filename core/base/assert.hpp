// ASSERT: a sentence about the world that must hold; on in every build. When it does not hold the
// process ends at once: going on after a broken invariant turns a bug into silent corruption.
#pragma once

#include <string_view>

namespace holdfast {

/// Called with the report before the process ends, so that a test runner or the simulator can print
/// its seed. Neither draws, suspends nor allocates shared state. One observer per thread.
using AssertObserver = void (*)(std::string_view report);
/// Returns the observer that was set before.
AssertObserver set_assert_observer(AssertObserver observer);

[[noreturn]] void assertion_failed(const char* file, int line, const char* condition,
                                   std::string_view sentence);

}  // namespace holdfast

#define ASSERT(condition, sentence)                                             \
  do {                                                                          \
    if (!(condition)) [[unlikely]]                                              \
      ::holdfast::assertion_failed(__FILE__, __LINE__, #condition, (sentence)); \
  } while (false)
