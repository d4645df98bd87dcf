// Under which executor a runtime test runs. Tests use only these interfaces, so that the same files
// run under the simulated executor with each strategy and, linked with another definition of
// executors_under_test(), under the threaded one. Times are therefore short and logs thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "core/runtime/runtime.hpp"

namespace holdfast::test {

class ExecutorFixture {
 public:
  virtual ~ExecutorFixture() = default;
  virtual runtime::Runtime& runtime() = 0;
  virtual std::unique_ptr<runtime::Worker> make_worker() = 0;
  /// Lets so much time pass that everything has happened that happens by itself within 200 ms.
  virtual void settle() = 0;
  virtual void pass(Duration time) = 0;
};

struct ExecutorUnderTest {
  std::string name;
  std::function<std::unique_ptr<ExecutorFixture>()> make;
};
std::vector<ExecutorUnderTest> executors_under_test();
inline void PrintTo(const ExecutorUnderTest& under, std::ostream* out) {
  *out << under.name;
}

/// The base of every suite that means the same under every executor.
class RuntimeTest : public ::testing::TestWithParam<ExecutorUnderTest> {
 protected:
  RuntimeTest() : fixture(GetParam().make()) {}
  runtime::Runtime& runtime() { return fixture->runtime(); }
  void settle() { fixture->settle(); }
  void pass(Duration time) { fixture->pass(time); }

  std::unique_ptr<ExecutorFixture> fixture;
};

#define HOLDFAST_UNDER_EVERY_EXECUTOR(suite)                                          \
  INSTANTIATE_TEST_SUITE_P(Under, suite, ::testing::ValuesIn(executors_under_test()), \
                           [](const auto& under) { return under.param.name; })

}  // namespace holdfast::test
