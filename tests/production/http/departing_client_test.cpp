// What the server notices, and whom it tells, when a client leaves before its answer.
#include "tests/production/http/server_fixture.hpp"

namespace holdfast::production::http {
namespace {

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

}  // namespace
}  // namespace holdfast::production::http
