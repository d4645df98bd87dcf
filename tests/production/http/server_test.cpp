// The server against clients that split, pipeline, stall, vanish and reset, over real sockets on
// loopback. Each test starts its own server on a free port.
#include "core/production/http/server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "tests/production/http/raw_client.hpp"

namespace holdfast::production::http {
namespace {

using namespace std::chrono_literals;

/// Holds the requests a handler parked, until the test answers them.
class Parking {
 public:
  void park(protocol::Request request, Responder responder) {
    const std::lock_guard lock(mutex_);
    parked_.push_back({std::move(request), std::move(responder)});
    changed_.notify_all();
  }
  /// Waits for the n-th parked request and takes its responder out.
  Responder take() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [&] { return !parked_.empty(); }));
    Responder responder = std::move(parked_.front().second);
    parked_.erase(parked_.begin());
    return responder;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<protocol::Request, Responder>> parked_;
};

/// A fact that another thread establishes.
class Flag {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return set_; });
  }
  bool is_set() {
    const std::lock_guard lock(mutex_);
    return set_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

class HttpServerTest : public testing::Test {
 protected:
  static Options loopback() {
    Options options;
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }
  void start(Options options = loopback()) {
    auto started = HttpServer::start(std::move(options), [this](auto request, auto responder) {
      handle(std::move(request), std::move(responder));
    });
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = std::move(started).value();
    port_ = server_->port();
  }
  void handle(protocol::Request request, Responder responder) {
    if (request.path == "/park") return parking_.park(std::move(request), std::move(responder));
    if (request.path == "/drop") return;
    if (request.path == "/empty") return responder.respond({204, {}, ""});
    if (request.path == "/large") return responder.respond({200, {}, large()});
    if (request.path == "/evil")
      return responder.respond({200, {{"x-echo", "a\r\nset-cookie: b"}}, ""});
    std::string text = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
    responder.respond({200, {{"content-type", "text/plain"}}, text + "|" + request.body});
  }
  static std::string large() {
    std::string body(20 * 1024 * 1024, ' ');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
    return body;
  }

  Parking parking_;
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

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

TEST_F(HttpServerTest, RefusalsSayWhyAndCloseTheConnection) {
  Options options = loopback();
  options.limits.body_bytes = 100;
  start(std::move(options));
  const struct {
    std::string bytes;
    int status;
  } cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET /" + std::string(10'001, 'x') + " HTTP/1.1\r\nhost: h\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(10'001, 'x') + "\r\n\r\n", 431},
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

TEST_F(HttpServerTest, AClientThatLeavesWhileItsRequestIsParkedIsNoticed) {
  start();
  for (const bool by_reset : {false, true}) {
    auto client = std::make_unique<RawClient>(port_);
    ASSERT_TRUE(client->get("/park"));
    const Responder parked = parking_.take();
    Flag gone;
    parked.on_disconnect([&] { gone.set(); });
    EXPECT_FALSE(gone.is_set());
    by_reset ? client->reset() : client->close();
    EXPECT_TRUE(gone.wait());
    parked.respond({200, {}, "too late"});
  }
}

TEST_F(HttpServerTest, AClientThatPipelinedAndLeftIsNoticedToo) {
  start();
  auto client = std::make_unique<RawClient>(port_);
  ASSERT_TRUE(client->send("GET /park HTTP/1.1\r\nhost: h\r\n\r\nGET /b HTTP/1.1\r\n"));
  const Responder parked = parking_.take();
  Flag gone;
  parked.on_disconnect([&] { gone.set(); });
  client->close();
  EXPECT_TRUE(gone.wait());
}

TEST_F(HttpServerTest, ACallbackGivenAfterTheClientLeftIsCalledAtOnce) {
  start();
  auto client = std::make_unique<RawClient>(port_);
  ASSERT_TRUE(client->get("/park"));
  const Responder parked = parking_.take();
  Flag first, second;
  parked.on_disconnect([&] { first.set(); });
  client->close();
  ASSERT_TRUE(first.wait());
  parked.on_disconnect([&] { second.set(); });
  EXPECT_TRUE(second.is_set());
}

TEST_F(HttpServerTest, NoDisconnectIsToldAboutAnAnsweredRequest) {
  start();
  auto client = std::make_unique<RawClient>(port_);
  ASSERT_TRUE(client->get("/park"));
  const Responder parked = parking_.take();
  Flag gone;
  parked.on_disconnect([&] { gone.set(); });
  parked.respond({200, {}, "done"});
  EXPECT_EQ(client->read_response().body, "done");
  client->close();
  server_->stop();
  EXPECT_FALSE(gone.is_set());
}

TEST_F(HttpServerTest, AClientThatOnlyFinishedSendingStillGetsItsAnswer) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(
      client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\nGET /park HTTP/1.1\r\nhost: h\r\n\r\n"));
  client.finish_sending();
  EXPECT_EQ(client.read_response().body, "GET /a|");
  parking_.take().respond({200, {}, "b"});
  EXPECT_EQ(client.read_response().body, "b");
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, AStreamedResponseIsSeenPartByPart) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.get("/park"));
  const Responder parked = parking_.take();
  parked.start({200, {{"content-type", "text/event-stream"}}, ""});
  const auto head = client.read_response(true);
  EXPECT_TRUE(head.has("transfer-encoding: chunked"));
  parked.write("data: 1\n\n");
  EXPECT_EQ(client.read_chunk(), "data: 1\n\n");
  parked.write(": keep-alive\n\n");
  EXPECT_EQ(client.read_chunk(), ": keep-alive\n\n");
  parked.finish();
  EXPECT_EQ(client.read_chunk(), "");
  EXPECT_TRUE(client.complete());
  ASSERT_TRUE(client.get("/next"));
  EXPECT_EQ(client.read_response().body, "GET /next|");
}

TEST_F(HttpServerTest, AStreamThatIsAbandonedOrAbortedHasNoProperEnd) {
  start();
  for (const bool abort : {false, true}) {
    RawClient client(port_);
    ASSERT_TRUE(client.get("/park"));
    {
      const Responder parked = parking_.take();
      parked.start({200, {}, "part"});
      client.read_response(true);
      EXPECT_EQ(client.read_chunk(), "part");
      if (abort) parked.abort();
    }
    EXPECT_EQ(client.read_chunk(), "");
    EXPECT_FALSE(client.complete());
  }
}

TEST_F(HttpServerTest, AStreamToAnHttp10ClientEndsWithTheConnection) {
  start();
  RawClient client(port_);
  ASSERT_TRUE(client.send("GET /park HTTP/1.0\r\n\r\n"));
  const Responder parked = parking_.take();
  parked.start({200, {}, "one "});
  parked.write("two");
  parked.finish();
  const auto response = client.read_response();
  EXPECT_EQ(response.body, "one two");
  EXPECT_TRUE(response.has("connection: close"));
  EXPECT_EQ(response.head.find("transfer-encoding"), std::string::npos);
}

TEST_F(HttpServerTest, AReaderThatFallsBehindAStreamIsCutOff) {
  Options options = loopback();
  options.stream_backlog_bytes = 1024 * 1024;
  start(std::move(options));
  RawClient client(port_);
  client.receive_buffer(4096);
  ASSERT_TRUE(client.get("/park"));
  const Responder parked = parking_.take();
  Flag gone;
  parked.on_disconnect([&] { gone.set(); });
  parked.start({200, {}, ""});
  const std::string part(256 * 1024, 'x');
  for (int i = 0; i < 200 && !gone.is_set(); ++i) parked.write(part);
  EXPECT_TRUE(gone.wait()) << "50 MiB unread are more than a backlog of 1 MiB";
}

TEST_F(HttpServerTest, AReaderThatTakesNothingIsCutOffAfterTheSendTimeout) {
  Options options = loopback();
  options.send_timeout = 50ms;
  start(std::move(options));
  RawClient client(port_);
  client.receive_buffer(4096);
  ASSERT_TRUE(client.get("/large"));
  for (int i = 0; i < 1000 && server_->statistics().connections > 0; ++i)
    std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server_->statistics().connections, 0u);
}

TEST_F(HttpServerTest, IdleAndHalfSentRequestsEndAtTheirLimits) {
  Options options = loopback();
  options.idle_timeout = options.head_timeout = options.body_timeout = 40ms;
  start(std::move(options));
  RawClient idle(port_), head(port_), body(port_);
  ASSERT_TRUE(head.send("GET / HTT"));
  ASSERT_TRUE(body.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabc"));
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_EQ(head.read_response().status, 408);
  EXPECT_EQ(body.read_response().status, 408);
}

TEST_F(HttpServerTest, TheLastRequestOfAConnectionIsAnnounced) {
  Options options = loopback();
  options.max_requests_per_connection = 2;
  start(std::move(options));
  RawClient client(port_);
  ASSERT_TRUE(client.get("/a"));
  EXPECT_FALSE(client.read_response().has("connection: close"));
  ASSERT_TRUE(client.get("/b"));
  EXPECT_TRUE(client.read_response().has("connection: close"));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServerTest, ConnectionsOverTheLimitAreTold) {
  Options options = loopback();
  options.max_connections = 2;
  start(std::move(options));
  RawClient first(port_), second(port_);
  ASSERT_TRUE(first.get("/a"));
  ASSERT_EQ(first.read_response().status, 200);
  ASSERT_TRUE(second.get("/a"));
  ASSERT_EQ(second.read_response().status, 200);
  RawClient third(port_);
  EXPECT_EQ(third.read_response().status, 503);
  EXPECT_TRUE(third.closed_by_server());
}

TEST_F(HttpServerTest, ADrainAnswersWhatIsInFlightAndAcceptsNoMore) {
  start();
  RawClient idle(port_), parked_client(port_), half_sent(port_);
  ASSERT_TRUE(idle.get("/a"));
  ASSERT_EQ(idle.read_response().status, 200);
  ASSERT_TRUE(parked_client.get("/park"));
  const Responder parked = parking_.take();
  ASSERT_TRUE(half_sent.get("/b"));
  ASSERT_EQ(half_sent.read_response().status, 200);
  ASSERT_TRUE(half_sent.send("GET /half HTTP/1.1\r\n"));

  server_->drain();
  idle.finish_sending();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_FALSE(idle.was_reset());
  EXPECT_FALSE(server_->wait_until_drained(20ms)) << "two requests are unanswered";
  ASSERT_TRUE(half_sent.send("host: h\r\n\r\n"));
  const auto second = half_sent.read_response();
  EXPECT_EQ(second.body, "GET /half|");
  EXPECT_TRUE(second.has("connection: close"));
  half_sent.close();
  parked.respond({200, {}, "answered"});
  const auto last = parked_client.read_response();
  EXPECT_EQ(last.body, "answered");
  EXPECT_TRUE(last.has("connection: close"));
  parked_client.close();
  EXPECT_TRUE(server_->wait_until_drained(10s));
  RawClient late(port_);
  EXPECT_FALSE(late.connected());
}

TEST_F(HttpServerTest, AStopTellsParkedRequestsAndLateAnswersDoNoHarm) {
  Options options = loopback();
  options.threads = 3;
  start(std::move(options));
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<Responder> parked;
  std::atomic<int> gone = 0;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(port_));
    ASSERT_TRUE(clients.back()->get("/park"));
    parked.push_back(parking_.take());
    parked.back().on_disconnect([&] { ++gone; });
  }
  server_->stop();
  EXPECT_EQ(gone, 20);
  server_.reset();
  for (const auto& responder : parked) responder.respond({200, {}, "late"});
  for (const auto& client : clients) EXPECT_TRUE(client->closed_by_server());
}

TEST_F(HttpServerTest, ListensOnIpv6AndOnBothFamiliesAtOnce) {
  Options options = loopback();
  options.address = "::";
  start(std::move(options));
  for (const int family : {AF_INET6, AF_INET}) {
    RawClient client(port_, family);
    if (family == AF_INET6 && !client.connected()) GTEST_SKIP() << "no IPv6 on this machine";
    ASSERT_TRUE(client.get("/a"));
    EXPECT_EQ(client.read_response().body, "GET /a|");
  }
}

TEST_F(HttpServerTest, AnAddressThatCannotBeUsedIsAnErrorThatNamesIt) {
  start();
  Options taken = loopback();
  taken.port = port_;
  const auto second = HttpServer::start(std::move(taken), [](auto, auto) {});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find(std::to_string(port_)), std::string::npos);
  Options nonsense = loopback();
  nonsense.address = "nonsense";
  EXPECT_FALSE(HttpServer::start(std::move(nonsense), [](auto, auto) {}).ok());
}

}  // namespace
}  // namespace holdfast::production::http
