// What caches may do with answers, and the numbers that keep long polls apart (http-api.md §9).
#include "core/api/caching.hpp"

#include <gtest/gtest.h>

#include "tests/api/request_builder.hpp"

namespace holdfast::api {
namespace {

using protocol::LogOffset;
using protocol::ShapeHandle;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t k_epoch_s = 1'728'432'000;

WallTime at(std::int64_t seconds_after_epoch) {
  return {(k_epoch_s + seconds_after_epoch) * 1'000'000};
}

TEST(Cursor, IsTheEndOfTheCurrentInterval) {
  EXPECT_EQ(next_cursor(at(1), seconds(20), 0, 7), 20U);
  EXPECT_EQ(next_cursor(at(20), seconds(20), 0, 7), 20U);
  EXPECT_EQ(next_cursor(at(21), seconds(20), 0, 7), 40U);
  EXPECT_EQ(next_cursor(at(55'998'001), seconds(20), 55'997'980, 7), 55'998'020U);
}

TEST(Cursor, JumpsByOneToAnHourWithinOneInterval) {
  EXPECT_EQ(next_cursor(at(1), seconds(20), 20, 0), 21U);
  EXPECT_EQ(next_cursor(at(1), seconds(20), 20, 3599), 3620U);
  EXPECT_EQ(next_cursor(at(1), seconds(20), 20, 3600), 21U);
}

// §31 trap 18: a repeated URL would be served from a cache for ever.
TEST(Cursor, NeverStandsStill) {
  std::uint64_t previous = 0;
  for (std::uint64_t round = 0; round < 1000; ++round) {
    const auto cursor =
        next_cursor(at(static_cast<std::int64_t>(round / 7)), seconds(3), previous, round * 977);
    ASSERT_GT(cursor, previous);
    previous = cursor;
  }
}

TEST(Cursor, IsZeroWithoutAWholeSecondToPoll) {
  EXPECT_EQ(next_cursor(at(100), milliseconds(999), 5, 1), 0U);
}

TEST(Cursor, AClockBeforeTheEpochDoesNoHarm) {
  EXPECT_EQ(next_cursor({0}, seconds(20), 0, 0), 1U);
}

TEST(Cursor, OnlyPlainIntegersAreRead) {
  EXPECT_EQ(read_cursor("55998020"), 55'998'020U);
  EXPECT_EQ(read_cursor("999999999999999999"), 999'999'999'999'999'999U);
  for (const char* text : {"", "x", "-1", "1.5", "1 ", "1000000000000000000"}) {
    EXPECT_EQ(read_cursor(text), 0U) << text;
  }
}

TEST(EntityTag, HasTheFormsOfSection9_2) {
  const ShapeHandle handle{"1-2"};
  EXPECT_EQ(entity_tag(handle, "-1", LogOffset::at(0, 0)), R"("1-2:-1:0_0")");
  EXPECT_EQ(unique_entity_tag(handle, "now", LogOffset::snapshot_end(), 42),
            R"("1-2:now:0_inf:42")");
}

TEST(IfNoneMatch, ReadsAllHeadersAndListsWithOrWithoutQuotes) {
  const protocol::Headers headers = {{"if-none-match", R"("a:1:2" , b:1:2)"},
                                     {"accept", "c"},
                                     {"if-none-match", R"(W/"d:1:2",,)"}};
  EXPECT_EQ(read_if_none_match(headers), (std::vector<std::string>{"a:1:2", "b:1:2", "d:1:2"}));
}

std::string cache_headers(Method method, CacheClass cache_class, const ApiOptions& options = {}) {
  protocol::Response response;
  add_cache_headers(response.headers, method, cache_class, options);
  return header_lines(response);
}

TEST(CacheControl, FollowsTheTableOfSection9_1) {
  EXPECT_EQ(cache_headers(Method::get, CacheClass::initial),
            "cache-control: public, max-age=604800, s-maxage=3600, "
            "stale-while-revalidate=2629746\n");
  EXPECT_EQ(cache_headers(Method::get, CacheClass::live),
            "cache-control: public, max-age=5, stale-while-revalidate=5\n");
  EXPECT_EQ(cache_headers(Method::get, CacheClass::log),
            "cache-control: public, max-age=60, stale-while-revalidate=300\n");
  EXPECT_EQ(cache_headers(Method::get, CacheClass::log,
                          {.cache_max_age = seconds(1), .cache_stale_age = seconds(2)}),
            "cache-control: public, max-age=1, stale-while-revalidate=2\n");
  EXPECT_EQ(cache_headers(Method::post, CacheClass::initial), "cache-control: no-cache\n");
}

}  // namespace
}  // namespace holdfast::api
