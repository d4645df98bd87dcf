// Dates are read by a fast path and by a general one; both must mean the same, at every edge.
#include "core/where/temporal.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::where {
namespace {

constexpr std::int64_t k_second = 1'000'000;
constexpr std::int64_t k_day = 86'400 * k_second;

TEST(ReadDate, CountsDaysFromTheYear2000) {
  const std::pair<const char*, std::int64_t> cases[] = {{"2000-01-01", 0},
                                                        {"2000-02-29", 59},
                                                        {"2000-03-01", 60},
                                                        {"1999-12-31", -1},
                                                        {"1970-01-01", -10'957},
                                                        {"epoch", -10'957},
                                                        {"2020-1-2", 7'306},
                                                        {" 2020-01-02 ", 7'306},
                                                        {"0001-01-01", -730'119},
                                                        {"0001-12-31 BC", -730'120},
                                                        {"4714-11-24 BC", -2'451'545},
                                                        {"5874897-12-31", 2'145'031'948},
                                                        {"infinity", k_time_infinity},
                                                        {"-infinity", k_time_minus_infinity}};
  for (const auto& [text, days] : cases) EXPECT_EQ(read_date(text), days) << text;
}

TEST(ReadDate, RefusesWhatIsNoDate) {
  for (const char* text :
       {"",           "2020",       "2020-01",       "2020-13-01",    "2020-00-10",  "2020-02-30",
        "1900-02-29", "0000-01-01", "2020-01-0a",    "2020:01:01",    "2020-01-01x", "today",
        "now",        "tomorrow",   "4714-11-23 BC", "5874898-01-01", "20-01-01",    "infinityx",
        "-",          "BC"})
    EXPECT_FALSE(read_date(text).has_value()) << text;
}

TEST(ReadTimestamp, CountsMicroseconds) {
  const std::int64_t base = 7'306 * k_day;
  const std::pair<const char*, std::int64_t> cases[] = {
      {"2020-01-02 00:00:00", base},
      {"2020-01-02", base},
      {"2020-01-02 03:04", base + (3 * 60 + 4) * 60 * k_second},
      {"2020-01-02T03:04:05", base + ((3 * 60 + 4) * 60 + 5) * k_second},
      {"2020-01-02 00:00:00.1", base + 100'000},
      {"2020-01-02 00:00:00.000001", base + 1},
      {"2020-01-02 00:00:00.1234565", base + 123'456},
      {"2020-01-02 23:59:59.9999999", base + k_day},
      {"2020-01-01 24:00:00", base},
      {"2020-01-01 23:59:60", base},
      {"2020-01-02 00:00:00+05", base},
      {"294276-12-31 23:59:59.999999", 9'223'371'331'199'999'999},
      {"4714-11-24 00:00:00 BC", -211'813'488'000'000'000},
      {"infinity", k_time_infinity}};
  for (const auto& [text, value] : cases)
    EXPECT_EQ(read_timestamp(text, Zone::ignored), value) << text;
}

TEST(ReadTimestamp, AppliesOffsetsWhereTheTypeHasThem) {
  const std::int64_t base = 7'306 * k_day;
  const std::int64_t hour = 3600 * k_second;
  const std::pair<const char*, std::int64_t> cases[] = {
      {"2020-01-02 00:00:00+00", base},
      {"2020-01-02 00:00:00", base},
      {"2020-01-02 00:00:00Z", base},
      {"2020-01-02 00:00:00 UTC", base},
      {"2020-01-02 00:00:00+02", base - 2 * hour},
      {"2020-01-02 00:00:00-0530", base + 5 * hour + hour / 2},
      {"2020-01-02 00:00:00-05:30", base + 5 * hour + hour / 2},
      {"2020-01-02 00:00:00.5+01:02:03", base + k_second / 2 - hour - 123 * k_second},
      {"0001-01-01 00:00:00+00 BC", -730'485 * k_day}};
  for (const auto& [text, value] : cases)
    EXPECT_EQ(read_timestamp(text, Zone::applied), value) << text;
}

TEST(ReadTimestamp, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2020-01-02 25:00:00", "2020-01-02 00:60:00", "2020-01-02 24:00:01",
        "2020-01-02 00:00:61", "2020-01-02T", "2020-01-02 00:00:00+99", "2020-01-02 1",
        "2020-01-02 00:00:0x", "2020-01-02 00:00:00 Europe/Berlin", "294277-01-01 00:00:00",
        "4714-11-23 00:00:00 BC", "2020-02-30 00:00:00", "now"}) {
    EXPECT_FALSE(read_timestamp(text, Zone::ignored).has_value()) << text;
  }
}

TEST(DateToTimestamp, PutsDatesBeyondTimestampsBeforeInfinity) {
  const auto last = read_date("294276-12-31");
  const auto beyond = read_date("294277-01-01");
  ASSERT_TRUE(last && beyond);
  EXPECT_EQ(date_to_timestamp(*last), *read_timestamp("294276-12-31", Zone::ignored));
  EXPECT_GT(date_to_timestamp(*beyond),
            *read_timestamp("294276-12-31 23:59:59.999999", Zone::ignored));
  EXPECT_LT(date_to_timestamp(*beyond), k_time_infinity);
  EXPECT_EQ(date_to_timestamp(k_time_infinity), k_time_infinity);
}

}  // namespace
}  // namespace holdfast::where
