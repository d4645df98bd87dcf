// Whole answers, header by header, against the transcripts of http-api.md §30 and the rules of §8,
// §13.5, §14 and §15.
#include "core/api/responses.hpp"

#include <gtest/gtest.h>

#include "tests/api/request_builder.hpp"

namespace holdfast::api {
namespace {

using protocol::LogOffset;
using protocol::Response;

constexpr const char* k_handle = "45012366-1721203125488317";
constexpr const char* k_schema = R"({"id":{"type":"int8","pk_index":0,"not_null":true}})";

ShapeParameters parse(std::string_view query, protocol::Headers headers = {}) {
  auto parsed = parse_shape_request(shape(query, std::move(headers)), {});
  EXPECT_TRUE(parsed.ok()) << query;
  return parsed.ok() ? *parsed : ShapeParameters{};
}

/// A request that continues at `offset`.
ShapeParameters from(const std::string& offset, const std::string& more = {},
                     protocol::Headers headers = {}) {
  return parse("table=items&handle=" + std::string(k_handle) + "&offset=" + offset + more,
               std::move(headers));
}

ShapeView view(LogOffset head, std::optional<postgres::Lsn> global) {
  return {.handle = {k_handle}, .schema_header = k_schema, .head = head, .global_lsn = global};
}

/// Wall time 55,998,001 s after the cursor's epoch.
const ReplyDraws k_draws{
    .now = {(1'728'432'000 + 55'998'001LL) * 1'000'000}, .random = 9, .unique = 77};

Response respond(const ShapeParameters& parameters, const ShapeView& shape, LogOffset end,
                 std::string_view items) {
  return range_response(parameters, shape, {.end = end, .items = items}, {}, k_draws);
}

TEST(RangeResponse, TheFirstAnswerOfTranscript30_1) {
  const Response response = respond(
      parse("table=items&offset=-1"), view(LogOffset::snapshot_end(), postgres::Lsn{26884928}),
      LogOffset::at(0, 0), R"({"headers":{"control":"snapshot-end"}})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=604800, s-maxage=3600, "
            "stale-while-revalidate=2629746\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 0_0\n"
            "electric-schema: {\"id\":{\"type\":\"int8\",\"pk_index\":0,\"not_null\":true}}\n"
            "electric-has-data: true\n"
            "etag: \"45012366-1721203125488317:-1:0_0\"\n");
  EXPECT_EQ(response.body, R"([{"headers":{"control":"snapshot-end"}}])");
}

TEST(RangeResponse, TheSecondAnswerOfTranscript30_1) {
  const Response response =
      respond(from("0_0"), view(LogOffset::snapshot_end(), postgres::Lsn{26884928}),
              LogOffset::snapshot_end(), "");
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=60, stale-while-revalidate=300\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 0_inf\n"
            "electric-schema: {\"id\":{\"type\":\"int8\",\"pk_index\":0,\"not_null\":true}}\n"
            "electric-up-to-date: \n"
            "electric-has-data: true\n"
            "etag: \"45012366-1721203125488317:0_0:0_inf\"\n");
  EXPECT_EQ(response.body,
            R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"26884928"}}])");
}

TEST(RangeResponse, TheLiveAnswerOfTranscript30_1) {
  const Response response = respond(from("0_inf", "&live=true&cursor="),
                                    view(LogOffset::at(26886144, 0), postgres::Lsn{26890000}),
                                    LogOffset::at(26886144, 0), R"({"key":"k"})");
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=5, stale-while-revalidate=5\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 26886144_0\n"
            "electric-up-to-date: \n"
            "electric-has-data: true\n"
            "electric-cursor: 55998020\n"
            "etag: \"45012366-1721203125488317:0_inf:26886144_0\"\n");
  EXPECT_EQ(response.body, R"([{"key":"k"},{"headers":{"control":"up-to-date",)"
                           R"("global_last_seen_lsn":"26886144"}}])");
}

// §31 trap 1: the answer is cached for a week.
TEST(RangeResponse, TheAnswerToMinusOneIsNeverUpToDate) {
  const Response response = respond(parse("table=items&offset=-1"),
                                    view(LogOffset::snapshot_end(), {}), LogOffset::at(0, 0), "");
  EXPECT_EQ(header_or(response, "electric-up-to-date"), "(absent)");
  EXPECT_EQ(response.body, "[]");
}

TEST(RangeResponse, ARangeCutByAChunkEndIsNotUpToDate) {
  const Response response = respond(from("0_inf"), view(LogOffset::at(9, 4), postgres::Lsn{9}),
                                    LogOffset::at(9, 2), R"({"key":"k"})");
  EXPECT_EQ(header_or(response, "electric-up-to-date"), "(absent)");
  EXPECT_EQ(header_or(response, "electric-offset"), "9_2");
  EXPECT_EQ(response.body, R"([{"key":"k"}])");
}

TEST(RangeResponse, TheLsnFollowsTheTableOfSection13_5) {
  const auto lsn_said = [](const ShapeParameters& parameters, LogOffset end,
                           std::optional<postgres::Lsn> global) {
    const std::string body = respond(parameters, view(end, global), end, "").body;
    const std::size_t start = body.find("lsn\":\"") + 6;
    return body.substr(start, body.find('"', start) - start);
  };
  const LogOffset end = LogOffset::at(100, 2);
  EXPECT_EQ(lsn_said(from("0_inf"), end, postgres::Lsn{250}), "250");  // idle shape, busy database
  EXPECT_EQ(lsn_said(from("0_inf"), end, postgres::Lsn{50}), "100");   // never behind the data
  EXPECT_EQ(lsn_said(from("0_inf"), end, {}), "100");
  EXPECT_EQ(lsn_said(from("0_0"), LogOffset::snapshot_end(), {}), "0");
  EXPECT_EQ(lsn_said(from("0_inf", "&live=true"), end, postgres::Lsn{250}), "100");
}

TEST(RangeResponse, APostIsNotCached) {
  auto parsed =
      parse_shape_request(request("POST", "/v1/shape?table=items&handle=H&offset=0_inf"), {});
  ASSERT_TRUE(parsed.ok());
  const Response response =
      respond(*parsed, view(LogOffset::snapshot_end(), {}), LogOffset::snapshot_end(), "");
  EXPECT_EQ(header_or(response, "cache-control"), "no-cache");
  EXPECT_NE(header_or(response, "etag"), "(absent)");
}

TEST(EmptyLiveResponse, IsTranscript30_2) {
  const ShapeView shape = view(LogOffset::at(26886144, 0), postgres::Lsn{26890000});
  const Response response =
      empty_live_response(from("26886144_0", "&live=true&cursor=55998020"), shape, {}, k_draws);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=5, stale-while-revalidate=5\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 26886144_0\n"
            "electric-up-to-date: \n"
            "electric-has-data: false\n"
            "electric-cursor: 55998030\n"
            "etag: \"45012366-1721203125488317:26886144_0:26886144_0:77\"\n");
  EXPECT_EQ(response.body,
            R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"26890000"}}])");
}

// §31 trap 3.
TEST(EmptyLiveResponse, MovesTheClientFromTheLastChunkToTheEndOfTheSnapshot) {
  const Response response = empty_live_response(from("0_0", "&live=true"),
                                                view(LogOffset::snapshot_end(), {}), {}, k_draws);
  EXPECT_EQ(header_or(response, "electric-offset"), "0_inf");
  EXPECT_EQ(response.body, R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"0"}}])");
}

TEST(NowResponse, IsTheAnswerOfSection14) {
  const Response response =
      now_response(parse("table=items&offset=now"),
                   view(LogOffset::snapshot_end(), postgres::Lsn{5}), {}, k_draws);
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=60, stale-while-revalidate=300\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 0_inf\n"
            "electric-schema: {\"id\":{\"type\":\"int8\",\"pk_index\":0,\"not_null\":true}}\n"
            "electric-up-to-date: \n"
            "electric-has-data: false\n"
            "etag: \"45012366-1721203125488317:now:0_inf:77\"\n");
  EXPECT_EQ(response.body, R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"5"}}])");
}

/// The answer of a request that holds `tag` for the range (0_0, end].
std::optional<Response> revalidated(const std::string& tag, const std::string& more = {}) {
  const LogOffset end = LogOffset::at(7, 0);
  return not_modified(from("0_0", more, {{"if-none-match", tag}}), view(end, {}), end, {}, k_draws);
}

TEST(NotModified, HasTheHeadersOfThe200WithoutTheSchema) {
  const auto response = revalidated("\"" + std::string(k_handle) + ":0_0:7_0\"");
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 304);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(header_lines(*response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=60, stale-while-revalidate=300\n"
            "electric-handle: 45012366-1721203125488317\n"
            "electric-offset: 7_0\n"
            "electric-up-to-date: \n"
            "electric-has-data: true\n"
            "etag: \"45012366-1721203125488317:0_0:7_0\"\n");
}

TEST(NotModified, NeedsTheTagOfExactlyThisRange) {
  const std::string handle = k_handle;
  EXPECT_TRUE(revalidated(handle + ":0_0:7_0").has_value());  // §9.2: quotes are optional
  EXPECT_TRUE(revalidated("W/\"" + handle + ":0_0:7_0\"").has_value());
  EXPECT_TRUE(revalidated("\"x\", \"" + handle + ":0_0:7_0\"").has_value());
  EXPECT_FALSE(revalidated(handle + ":0_0:7_2").has_value());
  EXPECT_FALSE(revalidated(handle + ":0_0:7_0:77").has_value());
  EXPECT_FALSE(revalidated("*").has_value());
  EXPECT_TRUE(revalidated(handle + ":0_0:7_0", "&live=true")->header("electric-cursor") != nullptr);
}

TEST(NotModified, NeverAnswersNow) {
  const LogOffset head = LogOffset::snapshot_end();
  const auto parameters =
      parse("table=items&offset=now", {{"if-none-match", std::string(k_handle) + ":now:0_inf"}});
  EXPECT_FALSE(not_modified(parameters, view(head, {}), head, {}, k_draws).has_value());
}

TEST(DeletionAccepted, IsEmptyAndSaysSo) {
  EXPECT_EQ(deletion_accepted().status, 202);
  EXPECT_EQ(header_lines(deletion_accepted()),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: no-cache\n"
            "electric-has-data: true\n");
}

TEST(RangeResponseDeathTest, ARangeThatEndsBeforeItsStartIsAProgrammersError) {
  EXPECT_DEATH((void)respond(from("9_0"), view(LogOffset::at(9, 0), {}), LogOffset::at(8, 0), ""),
               "a range never ends before");
}

}  // namespace
}  // namespace holdfast::api
