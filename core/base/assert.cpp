#include "core/base/assert.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace holdfast {
namespace {
// Not engine state: it only says who prints the last words of a dying process.
thread_local AssertObserver observer_of_this_thread = nullptr;
}  // namespace

AssertObserver set_assert_observer(AssertObserver observer) {
  const AssertObserver before = observer_of_this_thread;
  observer_of_this_thread = observer;
  return before;
}

void assertion_failed(const char* file, int line, const char* condition,
                      std::string_view sentence) {
  std::string report = std::string(file) + ":" + std::to_string(line) + ": assertion failed: ";
  report.append(sentence);
  report.append(" [").append(condition).append("]\n");
  std::fputs(report.c_str(), stderr);
  if (observer_of_this_thread != nullptr) observer_of_this_thread(report);
  std::abort();
}

}  // namespace holdfast
