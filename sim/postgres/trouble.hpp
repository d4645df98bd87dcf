// What troubles of the simulated server that last for a while have really done. Values.
#pragma once

#include <cstdint>

namespace holdfast::sim::postgres {

struct TroubleCounts {
  std::uint64_t slowed = 0;   ///< round trips of queries
  std::uint64_t flooded = 0;  ///< keepalives beyond the usual ones
};

}  // namespace holdfast::sim::postgres
