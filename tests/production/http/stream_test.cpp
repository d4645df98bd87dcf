// Answers in parts: seen one by one, ended properly or not at all, cut off where nobody reads.
#include "tests/production/http/server_fixture.hpp"

namespace holdfast::production::http {
namespace {

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

}  // namespace
}  // namespace holdfast::production::http
