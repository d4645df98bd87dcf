// The strategies beside FIFO: the same seed gives the same schedule, and each soon finds a race
// that FIFO never runs into.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tests/runtime/simulated_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using MakeStrategy = std::function<std::unique_ptr<sim::SchedulingStrategy>(std::uint64_t seed)>;

constexpr std::uint64_t k_steps = 40;  ///< of one run of the race, about

std::unique_ptr<sim::SchedulingStrategy> weighted(std::uint64_t seed) {
  return std::make_unique<sim::WeightedRandomStrategy>(seed);
}
std::unique_ptr<sim::SchedulingStrategy> one_pair(std::uint64_t seed) {
  return std::make_unique<sim::RacingPairStrategy>(seed, 1, k_steps);
}
std::unique_ptr<sim::SchedulingStrategy> three_pairs(std::uint64_t seed) {
  return std::make_unique<sim::RacingPairStrategy>(seed, 3, k_steps);
}
std::unique_ptr<sim::SchedulingStrategy> fifo(std::uint64_t) {
  return nullptr;
}

/// A writer writes just before a reader looks, among others who do neither.
Lines race(std::unique_ptr<sim::SchedulingStrategy> strategy) {
  SimulatedFixture fixture(std::move(strategy));
  Log log;
  const auto take_part = [&](const std::string& name, int pauses, const std::string& then) {
    start(fixture.instance, name, [&log, pauses, then](Scripted& me) {
      for (int i = 0; i < pauses; ++i) me.yield_point("pause");
      log.add(then);
    });
  };
  take_part("writer", 4, "write");
  take_part("reader", 4, "read");
  for (const std::string name : {"c", "d"}) take_part(name, 8, name);
  fixture.settle();
  return log.lines();
}

bool read_too_early(const Lines& lines) {
  for (const std::string& line : lines)
    if (line == "read" || line == "write") return line == "read";
  return false;
}

/// The first of 200 seeds whose schedule runs into the race.
std::optional<std::uint64_t> first_found(const MakeStrategy& make) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed)
    if (read_too_early(race(make(seed)))) return seed;
  return std::nullopt;
}

TEST(Strategies, TheSameSeedGivesTheSameSchedule) {
  for (const MakeStrategy& make : {MakeStrategy(weighted), MakeStrategy(three_pairs)})
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      EXPECT_EQ(race(make(seed)), race(make(seed))) << make(seed)->name() << " " << seed;
}

TEST(Strategies, FifoNeverRunsIntoTheRaceAndTheOthersSoonDo) {
  EXPECT_FALSE(first_found(fifo).has_value());
  for (const MakeStrategy& make :
       {MakeStrategy(weighted), MakeStrategy(one_pair), MakeStrategy(three_pairs)}) {
    const auto found = first_found(make);
    ASSERT_TRUE(found.has_value()) << make(1)->name();
    EXPECT_LE(*found, 60U) << make(1)->name();
  }
}

TEST(Strategies, RacingPairsLeaveTheScheduleAloneButForThePairs) {
  const Lines usual = race(fifo(0));
  std::size_t unchanged = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    unchanged += race(std::make_unique<sim::RacingPairStrategy>(seed, 1, 1'000'000)) == usual;
  EXPECT_EQ(unchanged, 40U) << "their steps lie far behind the end";
}

}  // namespace
}  // namespace holdfast::test
