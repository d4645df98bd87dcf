// Runs candidates of the reducer in a child process, as the texts of their repro files: what is
// judged is what the file will say, and a candidate that ends its process ends only the child.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "scenarios/reduction/shrink.hpp"

namespace holdfast::tools {

class CandidateWorker {
 public:
  CandidateWorker() = default;
  ~CandidateWorker();
  CandidateWorker(const CandidateWorker&) = delete;
  CandidateWorker& operator=(const CandidateWorker&) = delete;

  /// A run that ends the process violates crash_property(); one that takes longer than a minute of
  /// real time violates "hang".
  scenarios::Outcome run(const scenarios::Repro& candidate, scenarios::Extent extent);

 private:
  void start();
  void stop();
  /// False: the child died.
  bool ask(const std::string& request);
  bool wait_for_answer(std::string& answer, bool& late);

  pid_t child_ = -1;
  int requests_ = -1;  ///< write end
  int answers_ = -1;   ///< read end
  int words_ = -1;     ///< read end: what the child says on standard error
};

}  // namespace holdfast::tools
