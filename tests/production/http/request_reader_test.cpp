// What the server takes for a request, what it refuses and with which status, whatever way the
// bytes are split: splits, not contents, are what hand-written parsers get wrong.
#include "core/production/http/request_reader.hpp"

#include <gtest/gtest.h>

namespace holdfast::production::http {
namespace {

struct Outcome {
  RequestReader::State state;
  protocol::Request request;
  int status = 0;
  bool keep_alive = false;
  std::string rest;
  bool expectation = false;
};

Outcome read_in_pieces(const std::string& bytes, std::size_t piece, const RequestLimits& limits) {
  RequestReader reader(limits);
  Outcome outcome{RequestReader::State::need_more, {}, 0, false, {}, false};
  std::string input;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    input += bytes.substr(at, piece);
    std::size_t used = 0;
    outcome.state = reader.consume(input, used);
    input.erase(0, used);
    if (reader.take_expectation()) outcome.expectation = true;
    if (outcome.state == RequestReader::State::need_more) continue;
    outcome.rest = input + bytes.substr(std::min(bytes.size(), at + piece));
    if (outcome.state == RequestReader::State::refused) {
      outcome.status = reader.refusal().status;
    } else {
      outcome.keep_alive = reader.keep_alive();
      outcome.request = reader.take_request();
    }
    break;
  }
  return outcome;
}

Outcome read_whole(const std::string& bytes, const RequestLimits& limits) {
  return read_in_pieces(bytes, bytes.size(), limits);
}

const RequestLimits k_defaults;

int status_of(const std::string& bytes, const RequestLimits& limits = k_defaults) {
  const Outcome whole = read_whole(bytes, limits);
  const Outcome bytewise = read_in_pieces(bytes, 1, limits);
  EXPECT_EQ(whole.status, bytewise.status) << "splitting the bytes must not change the answer";
  return whole.status;
}

std::string line_of(std::size_t size) {
  // "GET /?q=xxx HTTP/1.1\r\n" of exactly `size` bytes.
  const std::string front = "GET /?q=", back = " HTTP/1.1\r\n";
  return front + std::string(size - front.size() - back.size(), 'x') + back;
}

TEST(RequestReader, AnySplitGivesTheSameRequest) {
  const std::string bytes =
      "POST /v1/shape?table=a%20b&where=x+y HTTP/1.1\r\nHost: h\r\nX-One:  two \r\n"
      "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Outcome outcome = read_in_pieces(bytes, piece, k_defaults);
    ASSERT_EQ(outcome.state, RequestReader::State::complete) << "pieces of " << piece;
    EXPECT_EQ(outcome.request.method, "POST");
    EXPECT_EQ(outcome.request.path, "/v1/shape");
    ASSERT_NE(outcome.request.parameter("where"), nullptr);
    EXPECT_EQ(*outcome.request.parameter("table"), "a b");
    EXPECT_EQ(*outcome.request.parameter("where"), "x y");
    ASSERT_NE(outcome.request.header("x-one"), nullptr);
    EXPECT_EQ(*outcome.request.header("x-one"), "two");
    EXPECT_EQ(outcome.request.body, "hello");
    EXPECT_EQ(outcome.rest, "GET / HTTP/1.1\r\n");
    EXPECT_TRUE(outcome.keep_alive);
  }
}

TEST(RequestReader, AChunkedBodyIsPutTogetherInAnySplit) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\ntrailer: x\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Outcome outcome = read_in_pieces(bytes, piece, k_defaults);
    ASSERT_EQ(outcome.state, RequestReader::State::complete) << "pieces of " << piece;
    EXPECT_EQ(outcome.request.body, "abc0123456789");
    EXPECT_EQ(outcome.rest, "NEXT");
  }
}

TEST(RequestReader, EmptyLinesBeforeARequestAreIgnored) {
  for (const std::size_t piece : {1u, 2u, 3u, 100u}) {
    const Outcome outcome =
        read_in_pieces("\r\n\r\nGET / HTTP/1.1\r\nhost: h\r\n\r\n", piece, k_defaults);
    EXPECT_EQ(outcome.state, RequestReader::State::complete) << "pieces of " << piece;
  }
}

TEST(RequestReader, ARequestLineOfTheLimitPassesAndOneByteMoreIs414) {
  EXPECT_EQ(status_of(line_of(10'000) + "host: h\r\n\r\n"), 0);
  EXPECT_EQ(status_of(line_of(10'001) + "host: h\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET /" + std::string(20'000, 'x')), 414);
}

TEST(RequestReader, AHeaderLineOfTheLimitPassesAndOneByteMoreIs431) {
  const auto with_header = [](std::size_t size) {
    return "GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(size - 5, 'y') + "\r\n\r\n";
  };
  EXPECT_EQ(status_of(with_header(10'000)), 0);
  EXPECT_EQ(status_of(with_header(10'001)), 431);
}

TEST(RequestReader, FiftyHeadersPassAndFiftyOneAre431) {
  const auto with_headers = [](int count) {
    std::string bytes = "GET / HTTP/1.1\r\nhost: h\r\n";
    for (int i = 1; i < count; ++i) bytes += "x: y\r\n";
    return bytes + "\r\n";
  };
  EXPECT_EQ(status_of(with_headers(50)), 0);
  EXPECT_EQ(status_of(with_headers(51)), 431);
}

TEST(RequestReader, HeadersThatNeverEndAre431WithinTheLimitOfTheHead) {
  std::string bytes = "GET / HTTP/1.1\r\nhost: h\r\n";
  while (bytes.size() <= k_defaults.head_bytes) bytes += "x: " + std::string(5'000, 'y') + "\r\n";
  EXPECT_EQ(read_whole(bytes, k_defaults).status, 431);
  EXPECT_EQ(read_in_pieces(bytes, 1000, k_defaults).status, 431);
}

TEST(RequestReader, ABodyOfTheLimitPassesAndOneByteMoreIs413) {
  RequestLimits limits;
  limits.body_bytes = 10;
  const std::string head = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: ";
  EXPECT_EQ(status_of(head + "10\r\n\r\n0123456789", limits), 0);
  EXPECT_EQ(status_of(head + "11\r\n\r\n01234567890", limits), 413);
  const std::string chunked = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "5\r\n01234\r\n5\r\n01234\r\n0\r\n\r\n", limits), 0);
  EXPECT_EQ(status_of(chunked + "5\r\n01234\r\n6\r\n012345\r\n0\r\n\r\n", limits), 413);
}

TEST(RequestReader, MalformedRequestsAre400) {
  for (const char* bytes : {
           "\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n",  // TLS on a plain port
           "GET\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",                        // no host
           "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",  // two hosts
           "GET / HTTP/1.1\r\nhost : a\r\n\r\n",            // blank before the colon
           "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
           "GET / HTTP/1.1\r\nhost: a\r\nx: a\x01z\r\n\r\n",
           "GET / HTTX/1.1\r\nhost: a\r\n\r\n",
           "GET path HTTP/1.1\r\nhost: a\r\n\r\n",
           "GET /a b HTTP/1.1\r\nhost: a\r\n\r\n",
           "GET /?x=%ff HTTP/1.1\r\nhost: a\r\n\r\n",        // not UTF-8
           "GET /?x=%ed%a0%80 HTTP/1.1\r\nhost: a\r\n\r\n",  // a surrogate
           "GET /?x=%c0%80 HTTP/1.1\r\nhost: a\r\n\r\n",     // overlong
           "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
           "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1x\r\n\r\n",
           "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n",
           "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
           "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
       })
    EXPECT_EQ(status_of(bytes), 400) << bytes;
}

TEST(RequestReader, TwoLengthsOfOneBodyAreRefusedSinceProxiesDisagreeAboutThem) {
  // Request smuggling: whoever reads content-length sees another next request than we do.
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n"
                      "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
}

TEST(RequestReader, OtherHttpVersionsAre505) {
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\nhost: h\r\n\r\n"), 505);
}

TEST(RequestReader, TheWholeOfUnicodeIsTakenInAQuery) {
  const Outcome outcome =
      read_whole("GET /?x=%C3%A9%E2%82%AC%F0%9F%98%80 HTTP/1.1\r\nhost: a\r\n\r\n", k_defaults);
  ASSERT_EQ(outcome.state, RequestReader::State::complete);
  EXPECT_EQ(*outcome.request.parameter("x"), "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(RequestReader, AnAbsoluteTargetIsReadAsItsPath) {
  for (const char* target : {"http://h:1/v1/shape?a=b", "HTTP://h/v1/shape?a=b"}) {
    const Outcome outcome =
        read_whole("GET " + std::string(target) + " HTTP/1.1\r\nhost: h\r\n\r\n", k_defaults);
    ASSERT_EQ(outcome.state, RequestReader::State::complete);
    EXPECT_EQ(outcome.request.path, "/v1/shape");
    EXPECT_EQ(*outcome.request.parameter("a"), "b");
  }
}

TEST(RequestReader, ConnectionHeadersAndVersionsDecideAboutKeepingAlive) {
  const auto keep_alive = [](const std::string& head) {
    return read_whole(head + "\r\n\r\n", k_defaults).keep_alive;
  };
  EXPECT_TRUE(keep_alive("GET / HTTP/1.1\r\nhost: h"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.1\r\nhost: h\r\nconnection: close"));
  EXPECT_FALSE(keep_alive("GET / HTTP/1.0"));
}

TEST(RequestReader, AnExpectationIsToldOnceAndOnlyWhileTheBodyIsMissing) {
  const std::string head =
      "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
  EXPECT_TRUE(read_in_pieces(head + "ok", head.size(), k_defaults).expectation);
  EXPECT_FALSE(read_whole(head + "ok", k_defaults).expectation);
}

}  // namespace
}  // namespace holdfast::production::http
