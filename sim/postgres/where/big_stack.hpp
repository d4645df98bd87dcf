// A private stack of 1 MiB for work that needs more than a process's fiber has: libpg_query on
// deeply nested text, and the evaluation of what came out. The work neither suspends nor throws.
// Kept for the next work, because asking the system for it costs more than most of the work does.
#pragma once

#include <functional>
#include <memory>

namespace holdfast::sim::postgres {

class BigStack {
 public:
  BigStack();
  ~BigStack();
  BigStack(const BigStack&) = delete;
  BigStack& operator=(const BigStack&) = delete;

  /// Runs `work` to its end. REQUIRES: no exception leaves it, and it does not call run().
  void run(const std::function<void()>& work);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;  ///< made by the first run()
  bool busy_ = false;
};

}  // namespace holdfast::sim::postgres
