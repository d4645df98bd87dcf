// Each kind of fault alone, in histories that are otherwise as drawn: it happens, it has an effect
// in one of them, and the engine gets over it. And what makes a plan of many of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/runtime/fibers/fiber.hpp"
#include "scenarios/run.hpp"
#include "scenarios/faults/swarm.hpp"

namespace holdfast::scenarios {
namespace {

std::string objections(const RunReport& report) {
  std::string text = "seed " + std::to_string(report.seed) + ":";
  for (const oracle::Violation& violation : report.violations)
    text += "\n  " + violation.property + ": " + violation.what;
  return text;
}

class OneFault : public ::testing::TestWithParam<FaultKind> {};

TEST_P(OneFault, HasAnEffectInOneOfAFewHistoriesAndIsGotOver) {
  const auto kind = static_cast<std::size_t>(GetParam());
  std::uint64_t effects = 0;
  for (std::uint64_t seed = 1; seed <= 24 && effects == 0; ++seed) {
    Plan plan = make_plan("mixed", seed);
    plan.faults = {
        {.kind = GetParam(), .at = std::chrono::milliseconds(400), .pick = seed * 7'919}};
    const RunReport report = run_plan(plan);
    EXPECT_FALSE(report.failed()) << objections(report);
    EXPECT_EQ(report.faults.injected[kind], 1U) << "seed " << seed;
    effects += report.faults.consequential[kind];
    EXPECT_LE(report.fault_hits.size(), 1U);
  }
  EXPECT_GT(effects, 0U);
}

std::vector<FaultKind> late_kinds() {
  std::vector<FaultKind> kinds;
  for (std::size_t kind = static_cast<std::size_t>(FaultKind::postgres_silent);
       kind < k_fault_kinds; ++kind)
    kinds.push_back(static_cast<FaultKind>(kind));
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(All, OneFault, ::testing::ValuesIn(late_kinds()),
                         [](const auto& kind) { return std::string(name_of(kind.param)); });

TEST(Swarm, KeepsEveryPlanWithinItsBudget) {
  bool spent_it_all = false;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    unsigned cost = 0;
    for (const PlannedFault& fault : make_plan("mixed", seed).faults) cost += cost_of(fault.kind);
    EXPECT_LE(cost, k_fault_budget) << "seed " << seed;
    spent_it_all = spent_it_all || cost == k_fault_budget;
  }
  EXPECT_TRUE(spent_it_all) << "a budget that nobody reaches bounds nothing";
}

TEST(Swarm, SomePlansHaveStormsAndSomeHaveNoFaultAtAll) {
  std::size_t storms = 0;
  std::size_t calm = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Plan plan = make_plan("mixed", seed);
    std::size_t close = 0;
    for (const PlannedFault& a : plan.faults)
      for (const PlannedFault& b : plan.faults)
        close += &a != &b && a.at >= b.at && a.at - b.at < std::chrono::milliseconds(70) ? 1 : 0;
    storms += close >= 3 ? 1 : 0;
    calm += plan.faults.empty() ? 1 : 0;
  }
  EXPECT_GE(storms, 10U);
  EXPECT_GE(calm, 20U);
}

TEST(Swarm, LeavesTheBenchmarkAlone) {
  const Plan plan = make_plan("reference", 1);
  EXPECT_EQ(plan.knobs, Knobs{});
  EXPECT_EQ(plan.faults.size(), 1U);
  EXPECT_TRUE(plan.probes.empty());
}

}  // namespace
}  // namespace holdfast::scenarios
