// Answers to probes, each good once and wrong once in every way that the oracle says it sees: an
// oracle that misses one of these would let a server get away with it.
#include <gtest/gtest.h>

#include <algorithm>

#include "oracle/checks/probe_form.hpp"
#include "oracle/oracle.hpp"
#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;
using protocol::Response;
using protocol::ShapeHandle;

const ShapeSpec k_spec = items_spec();

Probe probe_of(ProbeKind kind, const ClientState& state = {}) {
  Probe probe;
  probe.kind = kind;
  probe.prober = "p0";
  probe.spec = &k_spec;
  probe.request = next_request(k_spec, state);
  return probe;
}

/// What every answer has beside its own.
Response with_envelope(Response response) {
  const protocol::Headers all = {
      {"electric-server", "ElectricSQL/1.7.12"},
      {"x-request-id", "some-request-of-somebody"},
      {"vary", "accept-encoding"},
      {"access-control-allow-origin", "*"},
      {"access-control-expose-headers",
       "electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,"
       "electric-up-to-date,electric-internal-known-error,retry-after"},
      {"access-control-allow-methods", "GET, POST, HEAD, DELETE, OPTIONS"}};
  response.headers.insert(response.headers.end(), all.begin(), all.end());
  return response;
}

Response refusal(const std::string& errors) {
  return with_envelope({400,
                        {{"content-type", "application/json; charset=utf-8"},
                         {"cache-control", "no-store"},
                         {"surrogate-control", "no-store"}},
                        R"({"message":"Invalid request","errors":)" + errors + "}"});
}

Response redirect(const std::string& successor) {
  return with_envelope({409,
                        {{"content-type", "application/json; charset=utf-8"},
                         {"cache-control", "public, max-age=60, must-revalidate"},
                         {"electric-handle", successor},
                         {"etag", '"' + successor + "::\""}},
                        R"([{"headers":{"control":"must-refetch"}}])"});
}

Response now_answer() {
  return with_envelope(
      {200,
       {{"content-type", "application/json; charset=utf-8"},
        {"cache-control", "public, max-age=60, stale-while-revalidate=300"},
        {"electric-handle", "1-1"},
        {"electric-offset", "100_0"},
        {"electric-schema",
         R"({"id":{"type":"int8"},"name":{"type":"text"},"done":{"type":"bool"}})"},
        {"electric-up-to-date", ""},
        {"electric-has-data", "false"},
        {"etag", "\"1-1:now:100_0:4711\""}},
       R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"100"}}])"});
}

std::size_t objections(const Probe& probe, const Response& response) {
  Objections found;
  check_probe_form(probe, response, found.sink());
  return found.properties().size();
}

Response without(Response response, const std::string& name) {
  std::erase_if(response.headers, [&](const auto& header) { return header.first == name; });
  return response;
}

Response with(Response response, const std::string& name, const std::string& value) {
  Response other = without(std::move(response), name);
  other.headers.emplace_back(name, value);
  return other;
}

TEST(ProbeForm, OfAnswersToNowIsCheckedHeaderByHeader) {
  Probe probe = probe_of(ProbeKind::now);
  for (auto& [name, value] : probe.request.query)
    if (name == "offset") value = "now";
  EXPECT_EQ(objections(probe, now_answer()), 0U);
  for (const auto& [name, value] : now_answer().headers) {
    if (name == "electric-handle" || name == "electric-offset") continue;  // the oracle's business
    EXPECT_GE(objections(probe, without(now_answer(), name)), 1U) << name << " is missing";
  }
  EXPECT_GE(objections(probe, with(now_answer(), "electric-has-data", "true")), 1U);
  EXPECT_GE(objections(probe, with(now_answer(), "etag", "\"1-1:now:100_0\"")), 1U)
      << "an empty answer can never be revalidated";
}

TEST(ProbeForm, AMadeUpHandleGetsARedirectThatNamesAHandle) {
  const Probe probe = probe_of(ProbeKind::unknown_handle, {.phase = ClientPhase::catching_up,
                                                           .handle = ShapeHandle{"999999999-1"},
                                                           .offset = LogOffset::at(1, 0)});
  EXPECT_EQ(objections(probe, redirect("1-2")), 0U);
  const Response nameless = with(without(without(redirect("1-2"), "electric-handle"), "etag"),
                                 "cache-control", "public, max-age=1, must-revalidate");
  EXPECT_EQ(objections(probe, nameless), 1U);
  EXPECT_GE(objections(probe, refusal("{}")), 1U) << "a 400 is fatal to a client";
}

TEST(ProbeForm, ARefusalSaysWhatIsWrongAndNothingMore) {
  Probe probe = probe_of(ProbeKind::bad_parameters);
  probe.errors = R"({"offset":["has invalid format"]})";
  EXPECT_EQ(objections(probe, refusal(probe.errors)), 0U);
  EXPECT_EQ(objections(probe, refusal(R"({"offset":["is bad"]})")), 1U);
  EXPECT_EQ(objections(probe, with(refusal(probe.errors), "electric-handle", "1-1")), 1U);
  EXPECT_EQ(objections(probe, without(refusal(probe.errors), "surrogate-control")), 1U);
  Response failure = refusal(probe.errors);
  failure.status = 500;
  EXPECT_GE(objections(probe, failure), 1U);
}

TEST(ProbeForm, WhatTheClientHoldsIsNotSaidAgain) {
  const ClientState state{.phase = ClientPhase::catching_up,
                          .handle = ShapeHandle{"1-1"},
                          .offset = LogOffset::at(0, 0)};
  Probe probe = probe_of(ProbeKind::not_modified, state);
  probe.tag = "\"1-1:0_0:100_0\"";
  const Response unchanged =
      with_envelope({304,
                     {{"content-type", "application/json; charset=utf-8"},
                      {"cache-control", "public, max-age=60, stale-while-revalidate=300"},
                      {"electric-handle", "1-1"},
                      {"electric-offset", "100_0"},
                      {"electric-has-data", "true"},
                      {"etag", probe.tag}},
                     ""});
  EXPECT_EQ(objections(probe, unchanged), 0U);
  EXPECT_EQ(objections(probe, with(unchanged, "electric-schema", "{}")), 1U);
  Response again = with(unchanged, "electric-schema",
                        R"({"id":{"type":"int8"},"name":{"type":"text"},"done":{"type":"bool"}})");
  again.status = 200;
  EXPECT_EQ(objections(probe, again), 1U);
}

TEST(ProbeForm, ServersThatCannotServeSaySoButForWhatNeedsNoShape) {
  const Response unavailable = with_envelope({503,
                                              {{"content-type", "application/json; charset=utf-8"},
                                               {"cache-control", "no-store"},
                                               {"surrogate-control", "no-store"},
                                               {"retry-after", "5"}},
                                              R"({"message":"Timeout waiting for all"})"});
  EXPECT_EQ(objections(probe_of(ProbeKind::now), unavailable), 0U);
  EXPECT_EQ(objections(probe_of(ProbeKind::now), without(unavailable, "retry-after")), 1U);
  EXPECT_GE(objections(probe_of(ProbeKind::preflight), unavailable), 1U);
  EXPECT_GE(objections(probe_of(ProbeKind::health), unavailable), 1U);
}

TEST(ProbeForm, ADeleteThatNamesTheWrongHandleIsRefused) {
  Probe probe = probe_of(ProbeKind::wrong_delete);
  probe.request.method = "DELETE";
  const Response unknown = with_envelope(
      {404,
       {{"content-type", "application/json; charset=utf-8"}, {"cache-control", "no-cache"}},
       R"({"message":"No existing shape found"})"});
  EXPECT_EQ(objections(probe, unknown), 0U);
  EXPECT_EQ(objections(probe, with(unknown, "surrogate-control", "no-store")), 1U);
  Response done = unknown;
  done.status = 202;
  EXPECT_GE(objections(probe, done), 1U) << "it deletes what was not meant";
}

// -- what the oracle remembers --------------------------------------------------------------------

class NoTruth final : public Truth {
 public:
  Rows rows(const ShapeSpec&, const VisibleSet&) override { return {}; }
  RowsDigest digest(const ShapeSpec&, const VisibleSet&) override { return {}; }
  std::uint64_t last_commit() override { return 0; }
  std::optional<std::uint64_t> transaction_id(std::uint64_t) override { return std::nullopt; }
  bool key_moved(const ShapeSpec&, std::uint64_t, const std::string&, const std::string&) override {
    return false;
  }
};

Instant second(int count) {
  return Instant{} + std::chrono::seconds(count);
}

class ProbeJudgement : public ::testing::Test {
 protected:
  /// A probe for this handle, answered with a redirect, from one second to the next.
  void refuse(const char* asked, const char* successor, int at) {
    Probe probe = probe_of(ProbeKind::dead_handle, {.phase = ClientPhase::catching_up,
                                                    .handle = ShapeHandle{asked},
                                                    .offset = LogOffset::at(1, 0)});
    probe.handle = ShapeHandle{asked};
    oracle_.observe(probe, redirect(successor), {second(at), second(at + 1)});
  }
  Properties found() const {
    Properties properties;
    for (const Violation& violation : oracle_.violations())
      properties.push_back(violation.property);
    return properties;
  }

  NoTruth truth_;
  Oracle oracle_{truth_};
};

TEST_F(ProbeJudgement, ARedirectThatNamesADeadHandleIsAViolation) {
  oracle_.record({Cause::deleted_by_request, k_spec.name, second(0)});
  refuse("1-1", "1-2", 1);
  refuse("1-2", "1-3", 3);
  EXPECT_EQ(found(), Properties{});
  refuse("1-1", "1-2", 5);
  EXPECT_EQ(found(), Properties{property::removal_final});
}

TEST_F(ProbeJudgement, ARedirectToTheHandleItRefusesIsAViolation) {
  oracle_.record({Cause::deleted_by_request, k_spec.name, second(0)});
  refuse("1-1", "1-1", 1);
  EXPECT_EQ(found(), Properties{property::removal_final});
}

TEST_F(ProbeJudgement, WhatFollowsNowIsLaterThanWhatNowClaimed) {
  Probe probe = probe_of(ProbeKind::follow_now, {.phase = ClientPhase::catching_up,
                                                 .handle = ShapeHandle{"1-1"},
                                                 .offset = LogOffset::at(50, 0)});
  probe.handle = ShapeHandle{"1-1"};
  probe.claimed = 60;
  Response later = now_answer();
  later = with(with(std::move(later), "electric-has-data", "true"), "etag", "\"1-1:50_0:100_0\"");
  later.body =
      R"([{"key":"\"public\".\"items\"/\"1\"","value":{"id":"1"},"headers":{"operation":"insert",)"
      R"("txids":[7],"lsn":"100","op_position":0,"relation":["public","items"],"last":true}},)"
      R"({"headers":{"control":"up-to-date","global_last_seen_lsn":"100"}}])";
  oracle_.observe(probe, later, {second(1), second(2)});
  EXPECT_EQ(found(), Properties{});
  probe.claimed = 100;
  oracle_.observe(probe, later, {second(3), second(4)});
  EXPECT_EQ(found(), Properties{property::marker_honest});
}

}  // namespace
}  // namespace holdfast::oracle::test
