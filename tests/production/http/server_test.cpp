// The server against clients that split and pipeline their requests, over real sockets on loopback:
// who gets which answer, in which order.
#include "tests/production/http/server_fixture.hpp"

namespace holdfast::production::http {
namespace {

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.get("/hello?n=" + std::to_string(i)));
    const auto response = client.read_response();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "GET /hello n=" + std::to_string(i) + "|");
    EXPECT_TRUE(response.has("content-type: text/plain"));
    EXPECT_NE(response.head.find("\r\ndate: "), std::string::npos);
    EXPECT_EQ(response.head.find("connection:"), std::string::npos);
  }
  EXPECT_EQ(server_->statistics().requests, 3u);
  EXPECT_EQ(server_->statistics().connections, 1u);
}

TEST_F(HttpServerTest, ARequestInSingleBytesIsARequest) {
  start();
  RawClient client(port_);
  const std::string bytes = "POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nbody";
  for (const char c : bytes) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read_response().body, "POST /x|body");
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrderEvenIfOneWaits) {
  start();
  RawClient client(port_);
  std::string bytes = "GET /park HTTP/1.1\r\nhost: h\r\n\r\n";
  for (int i = 0; i < 5'000; ++i)
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nhost: h\r\n\r\n";
  std::thread sender([&] { EXPECT_TRUE(client.send(bytes)); });
  const Responder parked = parking_.take();
  EXPECT_TRUE(client.silent_for(50));
  parked.respond({200, {}, "parked"});
  EXPECT_EQ(client.read_response().body, "parked");
  for (int i = 0; i < 5'000; ++i)
    ASSERT_EQ(client.read_response().body, "GET /" + std::to_string(i) + "|");
  sender.join();
}

TEST_F(HttpServerTest, HeadHasTheHeadersAndNoBody) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.send("HEAD /x HTTP/1.1\r\nhost: h\r\n\r\n"));
  const auto response = client.read_response(true);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.has("content-length: 8"));
  ASSERT_TRUE(client.get("/next"));
  EXPECT_EQ(client.read_response().body, "GET /next|");
}

TEST_F(HttpServerTest, NoContentHasNeitherBodyNorLength) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.get("/empty"));
  const auto response = client.read_response();
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.head.find("content-length"), std::string::npos);
  ASSERT_TRUE(client.get("/next"));
  EXPECT_EQ(client.read_response().body, "GET /next|");
}

TEST_F(HttpServerTest, AHeaderValueCannotAddAHeader) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.get("/evil"));
  const auto response = client.read_response();
  EXPECT_TRUE(response.has("x-echo: a  set-cookie: b"));
}

TEST_F(HttpServerTest, ALargeBodyArrivesWholeAtASlowReader) {
  start();
  RawClient client(port_);
  client.receive_buffer(64 * 1024);
  ASSERT_TRUE(client.get("/large"));
  EXPECT_TRUE(client.read_response().body == large());
  ASSERT_TRUE(client.get("/next"));
  EXPECT_EQ(client.read_response().body, "GET /next|");
}

// http-api.md §2.5: what no request was read of is refused before any header is chosen.
TEST_F(HttpServerTest, WhatIsNoRequestIsRefusedBare) {
  start();
  const struct {
    std::string bytes;
    std::string answer;
  } cases[] = {
      {"nonsense\r\n\r\n", "HTTP/1.0 400 Bad Request"},
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.0 400 Bad Request"},
      {"GET /?a=%ff HTTP/1.1\r\nhost: h\r\n\r\n", "HTTP/1.0 400 Bad Request"},
      {"GET /" + std::string(10'001, 'x') + " HTTP/1.1\r\nhost: h\r\n\r\n",
       "HTTP/1.0 414 Request-URI Too Long"},
      {"GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(10'001, 'x') + "\r\n\r\n",
       "HTTP/1.0 431 Request Header Fields Too Large"},
  };
  for (const auto& one : cases) {
    RawClient client(port_);
    client.send(one.bytes);
    client.finish_sending();
    const auto response = client.read_response();
    EXPECT_EQ(response.head, one.answer + "\r\nconnection: close\r\n");
    EXPECT_EQ(response.body, "");
  }
}

TEST_F(HttpServerTest, RefusalsOfABodySayWhyAndCloseTheConnection) {
  Options options = loopback();
  options.limits.body_bytes = 100;
  start(std::move(options));
  const struct {
    std::string bytes;
    int status;
  } cases[] = {
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 101\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\n" + std::string(1000000, 'x'),
       413},
  };
  for (const auto& one : cases) {
    RawClient client(port_);
    client.send(one.bytes);
    const auto response = client.read_response();
    EXPECT_EQ(response.status, one.status);
    EXPECT_TRUE(response.has("connection: close"));
    EXPECT_GT(response.body.size(), 10u) << "the body says why";
    client.finish_sending();
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_FALSE(client.was_reset()) << "a reset could destroy the answer on its way";
  }
}

TEST_F(HttpServerTest, AClientThatWaitsForContinueGetsIt) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.send(
      "POST /x HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"));
  const auto interim = client.read_response(true);
  EXPECT_EQ(interim.status, 100);
  ASSERT_TRUE(client.send("ok"));
  EXPECT_EQ(client.read_response().body, "POST /x|ok");
}

TEST_F(HttpServerTest, TheAnswerMayComeFromAnyThreadLongAfterwards) {
  Options options = loopback();
  options.idle_timeout = options.head_timeout = options.body_timeout = options.send_timeout = 40ms;
  start(std::move(options));
  RawClient client(port_);
  ASSERT_TRUE(client.get("/park"));
  const Responder parked = parking_.take();
  EXPECT_TRUE(client.silent_for(200)) << "no limit of the connection ends a parked request";
  EXPECT_EQ(server_->statistics().unanswered_requests, 1u);
  std::thread([&] { parked.respond({200, {}, "late"}); }).join();
  EXPECT_EQ(client.read_response().body, "late");
  EXPECT_EQ(server_->statistics().unanswered_requests, 0u);
}

TEST_F(HttpServerTest, OnlyTheFirstAnswerCounts) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.get("/park"));
  const Responder parked = parking_.take();
  parked.respond({200, {}, "first"});
  parked.respond({500, {}, "second"});
  parked.start({500, {}, "third"});
  EXPECT_EQ(client.read_response().body, "first");
  ASSERT_TRUE(client.get("/next"));
  EXPECT_EQ(client.read_response().body, "GET /next|");
}

TEST_F(HttpServerTest, ADroppedRequestIsAnInternalErrorAndNotAHang) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.get("/drop"));
  const auto response = client.read_response();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, R"({"error":"Internal server error"})");
}

}  // namespace
}  // namespace holdfast::production::http
