// The machine's clock and randomness keep the contracts that the simulator's keep.
#include <gtest/gtest.h>

#include <set>

#include "core/production/system_clock.hpp"
#include "core/production/system_random.hpp"

namespace holdfast::production {
namespace {

TEST(SystemClock, NeverGoesBackAndIsMeasuredInNanoseconds) {
  SystemClock clock;
  const Instant start = clock.now();
  Instant last = start;
  // Some progress must show within a bounded number of readings: a clock in coarser units fails.
  for (int i = 0; i < 1'000'000 && last == start; ++i) {
    const Instant next = clock.now();
    ASSERT_GE(next, last);
    last = next;
  }
  EXPECT_GT(last, start);
  EXPECT_LT(last - start, std::chrono::seconds(1));
}

TEST(SystemClock, WallTimeIsMicrosecondsSince1970) {
  SystemClock clock;
  const std::int64_t year_2024_us = 1'704'067'200LL * 1'000'000;
  const std::int64_t year_2200_us = 7'258'118'400LL * 1'000'000;
  EXPECT_GT(clock.wall_time().unix_us, year_2024_us);
  EXPECT_LT(clock.wall_time().unix_us, year_2200_us);
}

TEST(SystemRandom, TheSameKeyGivesTheSameDrawUnderOneSeed) {
  SystemRandom random(Hash128{1, 2});
  const auto first = random.draw(7, "handle", 0);
  random.draw(7, "handle", 1);
  EXPECT_EQ(random.draw(7, "handle", 0), first);
}

TEST(SystemRandom, EachPartOfTheKeyMatters) {
  SystemRandom random(Hash128{1, 2});
  std::set<std::uint64_t> draws;
  for (std::uint64_t path = 0; path < 10; ++path)
    for (const char* site : {"a", "b", ""})
      for (std::uint64_t ordinal = 0; ordinal < 10; ++ordinal)
        draws.insert(random.draw(path, site, ordinal));
  EXPECT_EQ(draws.size(), 300u);
}

TEST(SystemRandom, TwoStartsDifferInTheirDraws) {
  SystemRandom one, other;
  EXPECT_NE(one.draw(0, "handle", 0), other.draw(0, "handle", 0));
}

}  // namespace
}  // namespace holdfast::production
