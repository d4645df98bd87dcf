// Time limits, connection limits, draining, stopping, and the address to listen on.
#include "tests/production/http/server_fixture.hpp"

namespace holdfast::production::http {
namespace {

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

// The lane's thread is kept busy until both the stop and the sweep are due: the stop comes first
// then.
TEST_F(HttpServerTest, AStopEndsThoughTheSweepWasDue) {
  Options options = loopback();
  options.threads = 1;
  options.idle_timeout = 20ms;  // so that the sweep is due every 5 ms
  start(std::move(options));
  RawClient client(port_);
  ASSERT_TRUE(client.get("/block"));
  ASSERT_TRUE(blocked_.wait());
  Flag ended;
  std::thread stopper([&] {
    server_->stop();
    ended.set();
  });
  std::this_thread::sleep_for(50ms);
  unblock_.set();
  const bool stopped = ended.wait();
  EXPECT_TRUE(stopped);
  if (stopped) return stopper.join();
  std::fflush(stdout);
  std::_Exit(1);  // nothing can end the thread that waits
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
