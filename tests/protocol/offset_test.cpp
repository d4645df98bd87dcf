// Offsets are what clients hand back to us; what upstream accepts and refuses is pinned by its
// clients.
#include "core/protocol/offset.hpp"

#include <gtest/gtest.h>

namespace holdfast::protocol {
namespace {

TEST(LogOffset, PrintsTheThreeForms) {
  EXPECT_EQ(LogOffset::before_all().to_string(), "-1");
  EXPECT_EQ(LogOffset::snapshot_end().to_string(), "0_inf");
  EXPECT_EQ(LogOffset::at(26884928, 2).to_string(), "26884928_2");
  EXPECT_EQ(LogOffset::at(18446744073709551614U, 0).to_string(), "18446744073709551614_0");
}

TEST(LogOffset, ReadsWhatItPrintsAndUpstreamsOtherSpellings) {
  const std::pair<const char*, LogOffset> cases[] = {
      {"-1", LogOffset::before_all()},
      {"-1_0", LogOffset::before_all()},
      {"0_0", LogOffset::at(0, 0)},
      {"0_inf", LogOffset::snapshot_end()},
      {"007_02", LogOffset::at(7, 2)},
      {"+7_+2", LogOffset::at(7, 2)},
      {"26884928_2", LogOffset::at(26884928, 2)},
      {"18446744073709551615_3", LogOffset::at(LogOffset::k_infinite, 3)},
      {"99999999999999999999999_0", LogOffset::at(LogOffset::k_infinite, 0)},
      {"1_99999999999999999999999", LogOffset::at(1, LogOffset::k_infinite)}};
  for (const auto& [text, expected] : cases) {
    const auto offset = LogOffset::parse(text);
    ASSERT_TRUE(offset.has_value()) << text;
    EXPECT_EQ(*offset, expected) << text;
  }
}

TEST(LogOffset, RefusesEverythingElse) {
  for (const char* text :
       {"",      "10",    "1_2_3", "1_2 ",  " 1_2",  "10_32.1", "0_-1",  "-1_1",
        "-2_0",  "inf",   "now",   "_",     "1_",    "_1",      "inf_1", "-1_inf",
        "--1_0", "-+1_0", "1_INF", "0x1_2", "++1_0", "-",       "1__2"})
    EXPECT_FALSE(LogOffset::parse(text).has_value()) << text;
}

TEST(LogOffset, OrdersByTransactionThenOperationWithInfinityLast) {
  const LogOffset ascending[] = {LogOffset::before_all(),
                                 LogOffset::at(0, 0),
                                 LogOffset::at(0, 7),
                                 LogOffset::snapshot_end(),
                                 LogOffset::at(1, 0),
                                 LogOffset::at(1, 2),
                                 LogOffset::at(1, LogOffset::k_infinite),
                                 LogOffset::at(2, 0)};
  for (std::size_t i = 0; i < std::size(ascending); ++i)
    for (std::size_t j = 0; j < std::size(ascending); ++j)
      EXPECT_EQ(ascending[i] < ascending[j], i < j) << i << " " << j;
}

}  // namespace
}  // namespace holdfast::protocol
