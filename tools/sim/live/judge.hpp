// Judges a live run when it is over: the recorded answers go through the same strict clients and
// the same oracle as in the simulation, in the order in which they came.
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/oracle.hpp"
#include "tools/sim/live/recording.hpp"
#include "tools/sim/live/sql_truth.hpp"

namespace holdfast::tools::live {

struct Judgement {
  std::vector<oracle::Violation> violations;
  oracle::OracleCounters counters;
  std::uint64_t legitimate_conflicts = 0;
  std::uint64_t spurious_conflicts = 0;
  bool continuing_client_crossed = false;  ///< some client went on after a restart
};

Judgement judge(const scenarios::Plan& plan, const Recording& recording, SqlTruth& truth);

}  // namespace holdfast::tools::live
