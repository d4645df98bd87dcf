// The table of client_rules.hpp, row by row: what the official client asks next, and what it makes
// of each answer.
#include "oracle/client/client_rules.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;
using protocol::Request;
using protocol::Response;
using Query = std::vector<std::pair<std::string, std::string>>;
using std::chrono::milliseconds;

ClientState live_state() {
  ClientState state;
  state.phase = ClientPhase::live;
  state.handle = protocol::ShapeHandle{"1-2"};
  state.offset = LogOffset::at(100, 2);
  state.cursor = "77";
  return state;
}

Response answer(int status, protocol::Headers headers = {}) {
  Response response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

ClientState after(const ClientState& state, const std::optional<Response>& response) {
  return next_state(state, judge(response), response);
}

TEST(NextRequest, AFreshClientAsksForEverything) {
  const Request request = next_request(items_spec(), {});
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/v1/shape");
  EXPECT_EQ(request.query, (Query{{"table", "items"}, {"offset", "-1"}}));
}

TEST(NextRequest, TheDefinitionTravelsWithEveryRequest) {
  ShapeSpec spec = items_spec();
  spec.where = "id > 3";
  spec.columns = {"id", "name"};
  spec.replica = ReplicaMode::full;
  ClientState state = live_state();
  state.phase = ClientPhase::catching_up;
  EXPECT_EQ(next_request(spec, state).query, (Query{{"table", "items"},
                                                    {"where", "id > 3"},
                                                    {"columns", "id,name"},
                                                    {"replica", "full"},
                                                    {"offset", "100_2"},
                                                    {"handle", "1-2"}}));
}

TEST(NextRequest, ALiveClientWaitsWithItsCursor) {
  EXPECT_EQ(next_request(items_spec(), live_state()).query, (Query{{"table", "items"},
                                                                   {"offset", "100_2"},
                                                                   {"handle", "1-2"},
                                                                   {"live", "true"},
                                                                   {"cursor", "77"}}));
  ClientState without_cursor = live_state();
  without_cursor.cursor.clear();
  EXPECT_EQ(next_request(items_spec(), without_cursor).parameter("cursor"), nullptr);
}

TEST(NextRequest, AfterA409TheSuccessorIsAskedForPastTheCaches) {
  const ClientState state = after(live_state(), answer(409, {{"electric-handle", "1-3"}}));
  EXPECT_EQ(next_request(items_spec(), state).query, (Query{{"table", "items"},
                                                            {"offset", "-1"},
                                                            {"handle", "1-3"},
                                                            {"cache-buster", "1"},
                                                            {"expired_handle", "1-2"}}));
}

TEST(NextRequest, AHandleThatExpiredIsNamedFromThenOn) {
  ClientState state = after(live_state(), answer(409));
  state = after(state, answer(200, {{"electric-handle", "1-3"}, {"electric-offset", "0_0"}}));
  const protocol::Request request = next_request(items_spec(), state);
  ASSERT_NE(request.parameter("expired_handle"), nullptr);
  EXPECT_EQ(*request.parameter("expired_handle"), "1-2");
}

TEST(Verdicts, EveryKindOfAnswerHasOne) {
  EXPECT_EQ(judge(std::nullopt), Verdict::retry);
  EXPECT_EQ(judge(answer(200)), Verdict::progress);
  EXPECT_EQ(judge(answer(409)), Verdict::refetch);
  for (const int status : {429, 500, 502, 503, 504})
    EXPECT_EQ(judge(answer(status)), Verdict::retry) << status;
  for (const int status : {204, 304, 400, 401, 403, 404, 413})
    EXPECT_EQ(judge(answer(status)), Verdict::fatal) << status;
}

TEST(NextState, A200WithoutMarkerLeadsToCatchingUp) {
  const ClientState state =
      after({}, answer(200, {{"electric-handle", "1-2"}, {"electric-offset", "0_inf"}}));
  EXPECT_EQ(state.phase, ClientPhase::catching_up);
  EXPECT_EQ(state.handle, protocol::ShapeHandle{"1-2"});
  EXPECT_EQ(state.offset, LogOffset::snapshot_end());
}

TEST(NextState, AnUpToDateHeaderLeadsToLive) {
  ClientState before = live_state();
  before.phase = ClientPhase::catching_up;
  const ClientState state = after(before, answer(200, {{"electric-handle", "1-2"},
                                                       {"electric-offset", "120_0"},
                                                       {"electric-cursor", "78"},
                                                       {"electric-up-to-date", ""}}));
  EXPECT_EQ(state.phase, ClientPhase::live);
  EXPECT_EQ(state.offset, LogOffset::at(120, 0));
  EXPECT_EQ(state.cursor, "78");
}

TEST(NextState, ALiveClientThatGetsAFullChunkCatchesUpAgain) {
  EXPECT_EQ(after(live_state(), answer(200, {{"electric-offset", "120_0"}})).phase,
            ClientPhase::catching_up);
}

TEST(NextState, AnUnreadableOffsetLeavesTheClientWhereItIs) {
  EXPECT_EQ(after(live_state(), answer(200, {{"electric-offset", "x"}})).offset,
            LogOffset::at(100, 2));
}

TEST(NextState, A409StartsAfreshFromEveryPhase) {
  for (const ClientPhase phase :
       {ClientPhase::initial, ClientPhase::catching_up, ClientPhase::live}) {
    ClientState before = live_state();
    before.phase = phase;
    before.cache_buster = 4;
    before.failures = 3;
    const ClientState state = after(before, answer(409));
    EXPECT_EQ(state.phase, ClientPhase::initial);
    EXPECT_EQ(state.handle, std::nullopt) << "the dead handle is never asked for again";
    EXPECT_EQ(state.offset, LogOffset::before_all());
    EXPECT_EQ(state.cursor, "");
    EXPECT_EQ(state.cache_buster, 5U);
    EXPECT_EQ(state.failures, 0U);
  }
}

TEST(NextState, AFailureRepeatsTheSameRequest) {
  for (const std::optional<Response>& failure :
       {std::optional<Response>{}, std::optional(answer(503)), std::optional(answer(429))}) {
    const ClientState state = after(live_state(), failure);
    EXPECT_EQ(next_request(items_spec(), state).query,
              next_request(items_spec(), live_state()).query);
    EXPECT_EQ(state.failures, 1U);
  }
}

TEST(NextState, ProgressForgetsFailuresAndTheCacheBuster) {
  ClientState before = live_state();
  before.failures = 4;
  before.cache_buster = 2;
  const ClientState state = after(before, answer(200));
  EXPECT_EQ(state.failures, 0U);
  EXPECT_EQ(state.cache_buster, 0U);
}

TEST(Delays, DoubleUpToABound) {
  ClientState state;
  std::vector<Duration> delays;
  for (state.failures = 0; state.failures < 9; ++state.failures)
    delays.push_back(delay_before(state));
  EXPECT_EQ(delays,
            (std::vector<Duration>{milliseconds(0), milliseconds(100), milliseconds(200),
                                   milliseconds(400), milliseconds(800), milliseconds(1600),
                                   milliseconds(3200), milliseconds(3200), milliseconds(3200)}));
}

}  // namespace
}  // namespace holdfast::oracle::test
