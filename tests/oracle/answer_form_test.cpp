// The head of an answer, judged by what was asked: each header that is missing, wrong or too many
// is an objection of its own.
#include "oracle/checks/answer_form.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

constexpr const char* k_schema =
    R"({"id":{"type":"int8"},"name":{"type":"text"},"done":{"type":"bool"}})";
constexpr const char* k_marker =
    R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"100"}}])";

protocol::Response first_answer() {
  return {
      200,
      {{"content-type", "application/json; charset=utf-8"},
       {"cache-control", "public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746"},
       {"electric-handle", "1-1"},
       {"electric-offset", "0_0"},
       {"electric-schema", k_schema},
       {"electric-has-data", "true"},
       {"etag", "\"1-1:-1:0_0\""}},
      "[]"};
}

protocol::Response empty_live_answer() {
  return {200,
          {{"content-type", "application/json; charset=utf-8"},
           {"cache-control", "public, max-age=5, stale-while-revalidate=5"},
           {"electric-handle", "1-1"},
           {"electric-offset", "7_0"},
           {"electric-up-to-date", ""},
           {"electric-has-data", "false"},
           {"electric-cursor", "20"},
           {"etag", "\"1-1:7_0:7_0:4711\""}},
          k_marker};
}

protocol::Response conflict() {
  return {409,
          {{"content-type", "application/json; charset=utf-8"},
           {"cache-control", "public, max-age=60, must-revalidate"},
           {"electric-handle", "1-2"},
           {"etag", "\"1-2::\""}},
          R"([{"headers":{"control":"must-refetch"}}])"};
}

const Asked k_first{"-1", false, ""};
const Asked k_live{"7_0", true, "19"};

std::size_t objections(const Asked& asked, const protocol::Response& response) {
  Objections found;
  check_answer_form(items_spec(), asked, response, found.sink());
  for (const std::string& property : found.properties()) EXPECT_EQ(property, property::answer_form);
  return found.properties().size();
}

/// So many objections when this header says something else, or when it is missing.
void expect_missed(const Asked& asked, const protocol::Response& good, const std::string& name) {
  protocol::Response other = good;
  protocol::Response without = good;
  for (auto& [header, value] : other.headers)
    if (header == name) value = "else";
  std::erase_if(without.headers, [&](const auto& header) { return header.first == name; });
  EXPECT_GE(objections(asked, other), 1U) << name << " says something else";
  EXPECT_GE(objections(asked, without), 1U) << name << " is missing";
}

TEST(AnswerForm, OfGoodAnswersIsFine) {
  EXPECT_EQ(objections(k_first, first_answer()), 0U);
  EXPECT_EQ(objections(k_live, empty_live_answer()), 0U);
  EXPECT_EQ(objections(k_live, conflict()), 0U);
}

TEST(AnswerForm, EveryHeaderOfAFirstAnswerIsMissed) {
  for (const char* name :
       {"content-type", "cache-control", "electric-schema", "electric-has-data", "etag"})
    expect_missed(k_first, first_answer(), name);
}

TEST(AnswerForm, EveryHeaderOfAnEmptyLiveAnswerIsMissed) {
  for (const char* name :
       {"content-type", "cache-control", "electric-has-data", "electric-cursor", "etag"})
    expect_missed(k_live, empty_live_answer(), name);
}

TEST(AnswerForm, EveryHeaderOfA409IsMissed) {
  for (const char* name : {"content-type", "cache-control", "etag"})
    expect_missed(k_live, conflict(), name);
}

TEST(AnswerForm, ATagThatCanBeRevalidatedWouldTurnAHoldIntoALoop) {
  protocol::Response response = empty_live_answer();
  for (auto& [name, value] : response.headers)
    if (name == "etag") value = "\"1-1:7_0:7_0\"";
  EXPECT_EQ(objections(k_live, response), 1U);
}

TEST(AnswerForm, ACursorThatDoesNotGrowIsAViolation) {
  EXPECT_EQ(objections({"7_0", true, "20"}, empty_live_answer()), 1U);
}

TEST(AnswerForm, ASchemaHasTheColumnsThatWereAskedForAndNoOther) {
  ShapeSpec spec = items_spec();
  spec.columns = {"id", "name"};
  Objections found;
  check_answer_form(spec, k_first, first_answer(), found.sink());
  EXPECT_EQ(found.properties().size(), 1U) << "done was not asked for";
}

TEST(AnswerForm, ALiveAnswerHasNoSchemaAndA409NoOffset) {
  protocol::Response live = empty_live_answer();
  live.headers.emplace_back("electric-schema", k_schema);
  EXPECT_EQ(objections(k_live, live), 1U);
  protocol::Response refused = conflict();
  refused.headers.emplace_back("electric-offset", "7_0");
  EXPECT_EQ(objections(k_live, refused), 1U);
}

TEST(AnswerForm, AnUnavailableServerIsNotCached) {
  const protocol::Response response{
      503, {{"content-type", "application/json; charset=utf-8"}}, "{}"};
  EXPECT_EQ(objections(k_first, response), 2U) << "cache-control and surrogate-control";
}

// http-api.md §23.3
TEST(AnswerForm, ADelayedSnapshotIsToldInTheWordsThatClientsKnow) {
  const auto answer = [](const std::string& body, const char* after, const char* known) {
    return protocol::Response{503,
                              {{"content-type", "application/json; charset=utf-8"},
                               {"cache-control", "no-store"},
                               {"surrogate-control", "no-store"},
                               {"retry-after", after},
                               {"electric-internal-known-error", known}},
                              body};
  };
  const std::string body = R"({"message":"Snapshot timed out while waiting for a table lock"})";
  EXPECT_EQ(objections(k_first, answer(body, "10", "true")), 0U);
  EXPECT_EQ(objections(k_first, answer(body, "5", "true")), 1U);
  EXPECT_EQ(objections(k_first, answer(body, "10", "false")), 1U);
  const std::string other = R"({"message":"Snapshot timed out"})";
  EXPECT_EQ(objections(k_first, answer(other, "10", "true")), 1U);
}

}  // namespace
}  // namespace holdfast::oracle::test
