// The error catalogue of http-api.md §29: status, body, and the headers clients and caches act on.
#include "core/api/error_responses.hpp"

#include <gtest/gtest.h>

#include "core/api/json_string.hpp"
#include "tests/api/request_builder.hpp"

namespace holdfast::api {
namespace {

using protocol::Response;

constexpr const char* k_default_cache = "max-age=0, private, must-revalidate";

struct Row {
  Response response;
  int status;
  std::string body;
  std::string cache_control;
  std::string surrogate_control = "(absent)";
  std::string retry_after = "(absent)";
  std::string known_error = "(absent)";
};

void expect_row(const Row& row) {
  SCOPED_TRACE(row.body);
  EXPECT_EQ(row.response.status, row.status);
  EXPECT_EQ(row.response.body, row.body);
  EXPECT_EQ(header_or(row.response, "cache-control"), row.cache_control);
  EXPECT_EQ(header_or(row.response, "surrogate-control"), row.surrogate_control);
  EXPECT_EQ(header_or(row.response, "retry-after"), row.retry_after);
  EXPECT_EQ(header_or(row.response, "electric-internal-known-error"), row.known_error);
  EXPECT_EQ(row.response.header("etag"), nullptr);
}

TEST(ErrorResponses, TheRequestIsWrong) {
  const std::string oob =
      R"({"message":"Invalid request","errors":{"offset":["out of bounds for this shape"]}})";
  expect_row({out_of_bounds(Method::get), 400, oob, "no-store", "no-store"});
  expect_row({out_of_bounds(Method::post), 400, oob, "no-cache"});
  expect_row(
      {table_missing(Method::get, {"public", "nonexistent"}), 400,
       R"({"message":"Invalid request","errors":{"table":["Table \"public\".\"nonexistent\" )"
       R"(does not exist. If the table name contains capitals or special characters you )"
       R"(must quote it."]}})",
       "no-store", "no-store"});
  expect_row(
      {definition_invalid(Method::get, {"where", "At location 17: syntax error at or near \"x\""}),
       400,
       R"({"message":"Invalid request","errors":{"where":)"
       R"(["At location 17: syntax error at or near \"x\""]}})",
       "no-store", "no-store"});
  expect_row(
      {unauthorized(), 401, R"({"message":"Unauthorized - Invalid API secret"})", k_default_cache});
  expect_row({route_not_found(), 404, "Not found", k_default_cache});
  expect_row({body_too_large(), 413, R"({"error":"Request body too large"})", k_default_cache});
}

TEST(ErrorResponses, Deletion) {
  expect_row({deletion_refused(), 405, R"({"message":"DELETE not allowed"})", "no-cache"});
  expect_row({no_such_shape(), 404, R"({"message":"No existing shape found"})", "no-cache"});
  expect_row(
      {definition_and_handle_differ(), 400,
       R"({"message":"The specified shape definition and handle do not match. Please ensure )"
       R"(the shape definition is correct or omit the shape handle from the request to )"
       R"(obtain a new one."})",
       "no-cache"});
}

TEST(ErrorResponses, NotNow) {
  const std::string initial =
      R"({"code":"concurrent_request_limit_exceeded","message":"Concurrent initial request )"
      R"(limit exceeded (limit: 300), please retry"})";
  expect_row({admission_refused(Method::get, Admission::initial, {}, 6), 503, initial, "no-store",
              "no-store", "6", "true"});
  expect_row({admission_refused(Method::post, Admission::initial, {}, 10), 503, initial, "no-cache",
              "no-store", "10", "true"});
  expect_row({admission_refused(Method::get, Admission::existing, {}, 8), 503,
              R"({"code":"concurrent_request_limit_exceeded","message":"Concurrent existing )"
              R"(request limit exceeded (limit: 10000), please retry"})",
              "no-store", "no-store", "8", "true"});
  expect_row({not_ready(Method::get, NotReady::lock), 503,
              R"({"message":"Timeout waiting for Postgres lock acquisition"})", "no-store",
              "no-store", "5"});
  expect_row({not_ready(Method::remove, NotReady::lock, "held by pid 7"), 503,
              R"({"message":"Timeout waiting for Postgres lock acquisition: held by pid 7"})",
              "no-cache", "(absent)", "5"});
  expect_row({stack_down_at_timeout(Method::get, NotReady::stack_restart), 503,
              R"({"message":"Timeout waiting for stack restart"})", "no-store", "no-store", "10"});
  expect_row({creation_failed(Method::get), 503,
              R"({"message":"Failed to create shape, please retry"})", "no-store", "no-store",
              "1"});
  expect_row({snapshot_failed(Method::get, "Database connection not available"), 503,
              R"({"message":"Database connection not available"})", "no-store", "no-store", "10",
              "true"});
}

TEST(ErrorResponses, OurFault) {
  expect_row({snapshot_unexpected(Method::get, "boom"), 500,
              R"({"message":"Unexpected error while creating snapshot: boom"})", "no-store",
              "no-store"});
  expect_row({log_unreadable(Method::get, "checksum"), 500,
              R"({"message":"Unable to retrieve shape log: checksum"})", "no-store", "no-store"});
  expect_row({internal_error(), 500, R"({"error":"Internal server error"})", k_default_cache});
}

TEST(MustRefetch, NamesItsSuccessorAndIsCachedForAMinute) {
  EXPECT_EQ(header_lines(must_refetch(Method::get, protocol::ShapeHandle{"1-2"}, "truncate")),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=60, must-revalidate\n"
            "electric-handle: 1-2\n"
            "etag: \"1-2::\"\n"
            "electric-reason: truncate\n");
}

TEST(MustRefetch, WithoutASuccessorIsCachedForASecond) {
  const Response response = must_refetch(Method::get, {}, "");
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body, R"([{"headers":{"control":"must-refetch"}}])");
  EXPECT_EQ(header_lines(response),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: public, max-age=1, must-revalidate\n");
}

TEST(MustRefetch, OnPostIsNotCached) {
  EXPECT_EQ(header_or(must_refetch(Method::post, {}, ""), "cache-control"), "no-cache");
}

// A reason comes from the catalogue on disk; it must not be able to add headers.
TEST(MustRefetch, AReasonIsOneWord) {
  EXPECT_EQ(header_or(must_refetch(Method::get, {}, "a b\r\nx: \xC3\xA4"), "electric-reason"),
            "a_b__x:___");
}

TEST(JsonString, IsValidJsonWhateverTheBytes) {
  std::string out;
  append_json_string(out, std::string_view("a\"\\\n\x01\0é\xFF\xED\xA0\x80\xF0\x9F\x8C\x8A", 16));
  EXPECT_EQ(out,
            "\"a\\\"\\\\\\n\\u0001\\u0000é\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
            "\xF0\x9F\x8C\x8A\"");
}

TEST(JsonString, KnowsUtf8) {
  for (const char* good : {"", "abc", "é", "€", "🌊", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad :
       {"\xFF", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace holdfast::api
