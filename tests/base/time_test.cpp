// Instants and durations are plain values; "never" is later than all of them.
#include "core/base/time.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(Time, an_instant_moves_by_a_duration_and_differs_by_one) {
  const Instant start{5s};
  EXPECT_EQ((start + 2s).since_start, 7s);
  EXPECT_EQ((start + 2s) - start, 2s);
  EXPECT_LT(start, start + 1ns);
}

TEST(Time, never_is_later_than_every_real_instant) {
  EXPECT_LT((Instant{std::chrono::hours(24) * 365 * 100}), Instant::never());
}

}  // namespace
}  // namespace holdfast
