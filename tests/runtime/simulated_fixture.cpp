// The runtime suite under the simulated executor: each strategy is an executor of its own.
#include "tests/runtime/simulated_fixture.hpp"

namespace holdfast::test {

std::vector<ExecutorUnderTest> executors_under_test() {
  std::vector<ExecutorUnderTest> all;
  all.push_back({"fifo", [] { return std::make_unique<SimulatedFixture>(); }});
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    all.push_back({"random_" + std::to_string(seed), [seed] {
                     return std::make_unique<SimulatedFixture>(
                         std::make_unique<sim::UniformRandomStrategy>(seed), seed);
                   }});
  }
  for (const unsigned depth : {1u, 2u, 3u, 5u}) {
    all.push_back({"pct_" + std::to_string(depth), [depth] {
                     return std::make_unique<SimulatedFixture>(
                         std::make_unique<sim::PctStrategy>(depth, depth, 50), depth);
                   }});
  }
  return all;
}

}  // namespace holdfast::test
