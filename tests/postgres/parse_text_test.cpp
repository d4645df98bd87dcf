// Positions and snapshots are read as printed, over their whole range, and nothing else is.
#include "core/postgres/parse_text.hpp"

#include <gtest/gtest.h>

namespace holdfast::postgres {
namespace {

TEST(ParseText, reads_what_lsn_prints) {
  for (const std::uint64_t value : {0ULL, 1ULL, 0x16b374d848ULL, 0x7fffffff000000ffULL, ~0ULL})
    EXPECT_EQ(parse_lsn(Lsn{value}.to_string()), Lsn{value});
  for (const char* wrong : {"", "/", "1", "1/", "/1", "1/G", "100000000/0", "0/100000000", "-1/0",
                            " 1/0", "1/0 ", "1/2/3"})
    EXPECT_EQ(parse_lsn(wrong), std::nullopt) << wrong;
}

TEST(ParseText, reads_snapshots) {
  EXPECT_EQ(parse_snapshot("10:10:"), (Snapshot{{10}, {10}, {}, {}}));
  EXPECT_EQ(parse_snapshot("10:20:10,14,19"), (Snapshot{{10}, {20}, {{10}, {14}, {19}}, {}}));
  EXPECT_EQ(parse_snapshot("8589934592:8589934600:8589934592")->xip.at(0).value, 8589934592U);
  for (const char* wrong : {"", "10", "10:20", ":20:", "10::", "20:10:", "10:20:14,", "10:20:,14",
                            "10:20:14,14", "10:20:14,12", "10:20:9", "10:20:20", "10:20:x"})
    EXPECT_EQ(parse_snapshot(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace holdfast::postgres
