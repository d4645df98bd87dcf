// Query strings arrive as clients and proxies spell them; values must come out byte for byte.
#include "core/protocol/http.hpp"

#include <gtest/gtest.h>

#include "core/protocol/json_text.hpp"

namespace holdfast::protocol {
namespace {

TEST(ParseTarget, SplitsAndDecodesPathAndQuery) {
  Request request;
  parse_target("/v1/shape%20x?table=a%22b&where=a%20%3D+1%2B1&live&empty=&=v&&x=1%3d=2#frag",
               request);
  EXPECT_EQ(request.path, "/v1/shape x");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"table", "a\"b"}, {"where", "a = 1+1"}, {"live", ""}, {"empty", ""},
      {"", "v"},         {"x", "1==2"}};
  EXPECT_EQ(request.query, expected);
}

TEST(ParseTarget, LeavesAPlusInThePathAndBrokenEscapesAlone) {
  Request request;
  parse_target("/a+b%2?q=%zz%4&r=%", request);
  EXPECT_EQ(request.path, "/a+b%2");
  const std::vector<std::pair<std::string, std::string>> expected = {{"q", "%zz%4"}, {"r", "%"}};
  EXPECT_EQ(request.query, expected);
}

TEST(ParseTarget, AnEscapedSlashDividesNothing) {
  Request request;
  parse_target("/v1%2fshape/%73%2F?q=a%2Fb", request);
  EXPECT_EQ(request.path, "/v1%2fshape/s%2F");
  EXPECT_EQ(*request.parameter("q"), "a/b");
}

TEST(Request, AnswersWithTheLastOfRepeatedParameters) {
  Request request;
  parse_target("/?a=1&b=2&a=3", request);
  ASSERT_NE(request.parameter("a"), nullptr);
  EXPECT_EQ(*request.parameter("a"), "3");
  EXPECT_EQ(request.parameter("c"), nullptr);
  request.headers = {{"if-none-match", "x"}};
  ASSERT_NE(request.header("if-none-match"), nullptr);
  EXPECT_EQ(request.header("etag"), nullptr);
}

TEST(JsonText, EscapesAsPostgresDoes) {
  std::string out;
  append_json_text(out, std::string_view("a\"\\/\b\f\n\r\t\x01\x7f\xc3\xa9", 13));
  EXPECT_EQ(out, "a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\xc3\xa9");
  out.clear();
  append_json_key_text(out, "a/b\"/");
  EXPECT_EQ(out, "a//b\\\"//");
}

TEST(JsonText, WritesHeadersInAsciiOnly) {
  std::string out;
  append_json_ascii(out, "z\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\xff\xc3");
  EXPECT_EQ(out, "z\\u00e9\\u20ac\\ud83d\\ude00\\\"\\ufffd\\ufffd");
}

}  // namespace
}  // namespace holdfast::protocol
