// The check that remembers what was served (constancy) and the oracle as a whole, on exchanges made
// by hand and a database whose rows the test decides. Every objection is provoked once.
#include <gtest/gtest.h>

#include <algorithm>

#include "oracle/oracle.hpp"
#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;
using protocol::ShapeHandle;

const ShapeHandle k_first{"1-1"};
const ShapeHandle k_second{"1-2"};

Instant second(int count) {
  return Instant{} + std::chrono::seconds(count);
}

// -- constancy ------------------------------------------------------------------------------------

Message record_with(std::uint64_t content) {
  Message message;
  message.key = "k";
  message.lsn = 100;
  message.content = {0, content};
  return message;
}

TEST(ConstancyCheck, ARecordThatIsServedTwiceAlikeIsFine) {
  Constancy constancy;
  Objections found;
  constancy.records(k_first, {record_with(1)}, found.sink());
  constancy.records(k_first, {record_with(1)}, found.sink());
  constancy.records(k_second, {record_with(2)}, found.sink());
  EXPECT_EQ(found.properties(), Properties{}) << "another handle has records of its own";
}

TEST(ConstancyCheck, AChangedRecordIsAViolation) {
  Constancy constancy;
  Objections found;
  constancy.records(k_first, {record_with(1)}, found.sink());
  constancy.records(k_first, {record_with(2)}, found.sink());
  EXPECT_EQ(found.properties(), Properties{property::record_constant});
}

TEST(ConstancyCheck, AChangedChunkIsAViolationAndSoIsAMovedEnd) {
  Constancy constancy;
  Objections found;
  const LogOffset from = LogOffset::at(1, 0);
  constancy.chunk(k_first, from, LogOffset::at(9, 0), "[a]", found.sink());
  constancy.chunk(k_first, from, LogOffset::at(9, 0), "[a]", found.sink());
  constancy.chunk(k_second, from, LogOffset::at(9, 0), "[b]", found.sink());
  EXPECT_EQ(found.properties(), Properties{});
  constancy.chunk(k_first, from, LogOffset::at(9, 0), "[b]", found.sink());
  constancy.chunk(k_first, from, LogOffset::at(9, 2), "[a]", found.sink());
  EXPECT_EQ(found.properties(), (Properties{property::chunk_constant, property::chunk_constant}));
}

// -- the oracle -----------------------------------------------------------------------------------

class FakeTruth final : public Truth {
 public:
  Rows rows(const ShapeSpec&, const VisibleSet& visible) override {
    asked = visible;
    asked_for_rows++;
    return answer;
  }
  RowsDigest digest(const ShapeSpec&, const VisibleSet& visible) override {
    asked = visible;
    return said ? *said : digest_of(answer);
  }
  std::optional<std::uint64_t> transaction_id(std::uint64_t) override { return std::nullopt; }
  bool key_moved(const ShapeSpec&, std::uint64_t, const std::string& from,
                 const std::string& to) override {
    return from == moved_from && to == moved_to;
  }
  std::uint64_t last_commit() override { return 500; }

  std::string moved_from, moved_to;
  Rows answer;
  std::optional<RowsDigest> said;  ///< a digest that is wrong
  VisibleSet asked;
  unsigned asked_for_rows = 0;
};

constexpr const char* k_row =
    R"({"key":"k","value":{"id":"1","name":"a","done":"true"},"headers":{"operation":"insert"}})";
constexpr const char* k_snapshot_end =
    R"({"headers":{"control":"snapshot-end","xmin":"1","xmax":"2","xip_list":[]}})";
constexpr const char* k_marker =
    R"({"headers":{"control":"up-to-date","global_last_seen_lsn":"100"}})";

std::string body(std::initializer_list<const char*> items) {
  std::string text;
  for (const char* item : items) text += (text.empty() ? "[" : ",") + std::string(item);
  return text.empty() ? "[]" : text + "]";
}

class WholeOracle : public ::testing::Test {
 protected:
  WholeOracle() { truth_.answer = {{"k", {{"id", "1"}, {"name", "a"}, {"done", "t"}}}}; }

  protocol::Response complete() const {
    return {200,
            {{"electric-handle", "1-1"}, {"electric-offset", "0_inf"}, {"electric-up-to-date", ""}},
            body({k_row, k_snapshot_end, k_marker})};
  }
  void observe(std::optional<protocol::Response> response,
               Duration took = std::chrono::seconds(1)) {
    now_ = now_ + std::chrono::seconds(10);
    oracle_.observe({&spec_, "c0", state_, std::move(response), now_, now_ + took}, view_);
  }
  void refuse(int status, std::string text = "[]") {
    observe(protocol::Response{status, {}, std::move(text)});
  }
  /// The answers here are bare: what is missing in their heads is provoked in answer_form_test.
  Properties found() const {
    Properties properties;
    for (const Violation& violation : oracle_.violations())
      if (violation.property != property::answer_form) properties.push_back(violation.property);
    return properties;
  }

  const Violation& first_found() const {
    return *std::find_if(
        oracle_.violations().begin(), oracle_.violations().end(),
        [](const Violation& violation) { return violation.property != property::answer_form; });
  }

  ShapeSpec spec_ = items_spec();
  FakeTruth truth_;
  Oracle oracle_{truth_};
  ClientView view_{spec_};
  ClientState state_;
  Instant now_;
};

TEST_F(WholeOracle, ACompleteAnswerThatEqualsTheQueryIsFine) {
  observe(complete());
  EXPECT_EQ(found(), Properties{});
  EXPECT_EQ(oracle_.counters().compared_markers, 1U);
  EXPECT_EQ(truth_.asked.up_to, 100U);
  EXPECT_EQ(truth_.asked.snapshot, (StatedSnapshot{1, 2, {}}));
}

TEST_F(WholeOracle, ARowThatTheQueryHasNotIsAViolationAtTheMarker) {
  truth_.answer = {};
  observe(complete());
  ASSERT_EQ(found(), Properties{property::view_equals_query});
  EXPECT_EQ(first_found().client, "c0");
  EXPECT_NE(first_found().what.find("too many"), std::string::npos);
}

class Comparison : public WholeOracle {
 protected:
  void compare(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; ++i) {
      protocol::Response response = complete();
      if (compared_++ > 0) response.body = body({k_marker});
      observe(response);
    }
  }
  std::uint64_t compared_ = 0;
};

TEST_F(Comparison, EqualDigestsAreEnoughButForTheFirstOfEachInterval) {
  compare(Oracle::k_full_comparison_interval);
  EXPECT_EQ(truth_.asked_for_rows, 1U);
  compare(1);
  EXPECT_EQ(truth_.asked_for_rows, 2U);
  EXPECT_EQ(found(), Properties{});
}

TEST_F(Comparison, AChangeInTheTruthIsSeenByTheDigestAtOnce) {
  compare(5);
  truth_.answer["k"]["name"] = "b";
  compare(1);
  EXPECT_EQ(found(), Properties{property::view_equals_query});
}

TEST_F(Comparison, ADigestThatDiffersFromThatOfEqualRowsIsNoViolation) {
  truth_.said = RowsDigest({1, 2});
  compare(5);
  EXPECT_EQ(found(), Properties{});
  EXPECT_EQ(truth_.asked_for_rows, 5U);
}

TEST_F(Comparison, ADigestThatOverlooksADifferenceIsFoundOut) {
  compare(1);
  truth_.said = view_.digest();
  truth_.answer["k"]["name"] = "b";
  compare(Oracle::k_full_comparison_interval);
  EXPECT_EQ(found(), Properties{property::view_equals_query});
}

class SubqueryOracle : public WholeOracle {
 protected:
  SubqueryOracle() {
    spec_.inner_tables = {"groups"};
    view_ = ClientView(spec_);
  }
  protocol::Response tagged() const {
    protocol::Response response = complete();
    const std::string plain = R"({"operation":"insert"})";
    response.body.replace(response.body.find(plain), plain.size(),
                          R"({"operation":"insert","tags":["aa"],"active_conditions":[true]})");
    return response;
  }
};

TEST_F(SubqueryOracle, AtAMarkerRowsMayBeMissingButNotBeOtherwiseThanTheTableHasThem) {
  truth_.answer["k2"] = truth_.answer["k"];
  observe(tagged());
  EXPECT_EQ(found(), Properties{});
  EXPECT_EQ(oracle_.counters().compared_markers, 1U);
  truth_.answer["k"]["name"] = "b";
  view_.reset();
  observe(tagged());
  EXPECT_EQ(found(), Properties{property::view_equals_query});
  truth_.answer.erase("k");
  view_.reset();
  observe(tagged());
  EXPECT_EQ(found(), Properties(2, property::view_equals_query));
}

TEST_F(SubqueryOracle, AtTheEndTheyAreThoseOfTheQuery) {
  observe(tagged());
  oracle_.converged(spec_, "c0", view_, now_);
  EXPECT_EQ(found(), Properties{});
  truth_.answer["k2"] = truth_.answer["k"];
  oracle_.converged(spec_, "c0", view_, now_);
  EXPECT_EQ(found(), Properties{property::convergence});
}

TEST_F(WholeOracle, WithoutAMarkerNothingIsCompared) {
  truth_.answer = {};
  observe(protocol::Response{
      200, {{"electric-handle", "1-1"}, {"electric-offset", "0_0"}}, body({k_row})});
  EXPECT_EQ(found(), Properties{});
}

// http-api.md §13.5: never behind the answer's own end; live and with data, exactly there.
TEST_F(WholeOracle, AMarkerClaimsWhatItsAnswerHas) {
  protocol::Response behind = complete();
  behind.headers[1].second = "101_0";
  observe(behind);
  EXPECT_EQ(found(), Properties{property::marker_honest});
}

TEST_F(WholeOracle, ALiveAnswerWithDataClaimsItsOwnEnd) {
  observe(complete());
  state_ = {.phase = ClientPhase::live,
            .handle = protocol::ShapeHandle{"1-1"},
            .offset = protocol::LogOffset::snapshot_end()};
  constexpr const char* k_change =
      R"({"key":"k","value":{"id":"1","name":"b"},"headers":{"operation":"update","lsn":"90",)"
      R"("op_position":0,"txids":[5],"last":true}})";
  truth_.answer["k"]["name"] = "b";
  protocol::Response live = complete();
  live.headers[1].second = "90_0";
  live.body = body({k_change, k_marker});
  observe(live);
  // Twice: it claims more than it ends with, and what it ends with is below an earlier marker.
  ASSERT_EQ(found(), (Properties{property::marker_honest, property::marker_honest}));
  EXPECT_NE(first_found().what.find("live and with data"), std::string::npos);
}

TEST_F(WholeOracle, AChangeOfKeyThatDoesNotSaySoIsObjectedTo) {
  observe(complete());
  truth_.answer = {{"k2", {{"id", "2"}, {"name", "a"}, {"done", "t"}}}};
  const auto halves = [&](const char* of, const char* to) {
    const std::string headers = R"("lsn":"110","txids":[5])";
    return R"([{"key":"k","value":{"id":"1"},"headers":{"operation":"delete","op_position":0,)" +
           std::string(of) + headers +
           R"(}},{"key":"k2","value":{"id":"2","name":"a","done":"true"},)"
           R"("headers":{"operation":"insert","op_position":1,"last":true,)" +
           to + headers + "}}]";
  };
  protocol::Response silent{
      200, {{"electric-handle", "1-1"}, {"electric-offset", "110_1"}}, halves("", "")};
  state_ = {.phase = ClientPhase::catching_up,
            .handle = protocol::ShapeHandle{"1-1"},
            .offset = protocol::LogOffset::snapshot_end()};
  const ClientView before = view_;
  observe(silent);
  EXPECT_EQ(found(), Properties{}) << "a delete and an insert may well follow each other";
  truth_.moved_from = "k";
  truth_.moved_to = "k2";
  view_ = before;
  observe(silent);
  EXPECT_EQ(found(), Properties{property::row_content});
}

TEST_F(WholeOracle, A200NeedsHandleAndOffset) {
  for (const char* missing : {"electric-handle", "electric-offset"}) {
    protocol::Response response = complete();
    std::erase_if(response.headers, [&](const auto& header) { return header.first == missing; });
    observe(response);
  }
  protocol::Response unreadable = complete();
  unreadable.headers[1].second = "soon";
  observe(unreadable);
  EXPECT_EQ(found(), Properties(3, property::protocol));
}

TEST_F(WholeOracle, HeaderAndMarkerMustAgree) {
  protocol::Response header_only = complete();
  header_only.body = body({k_row, k_snapshot_end});
  observe(header_only);
  view_.reset();
  protocol::Response marker_only = complete();
  marker_only.headers.pop_back();
  observe(marker_only);
  EXPECT_EQ(found(), Properties(2, property::protocol));
}

TEST_F(WholeOracle, UpToDateWithoutASnapshotIsAViolation) {
  protocol::Response response = complete();
  response.body = body({k_marker});
  observe(response);
  EXPECT_EQ(found(), Properties{property::protocol});
}

TEST_F(WholeOracle, ABodyThatIsNoneIsAViolation) {
  protocol::Response response = complete();
  response.body = "{";
  observe(response);
  EXPECT_EQ(found(), Properties{property::protocol});
}

TEST_F(WholeOracle, AnAnswerForAnotherHandleIsAViolation) {
  observe(complete());
  state_ = {.phase = ClientPhase::live, .handle = k_second, .offset = LogOffset::snapshot_end()};
  protocol::Response response = complete();
  response.body = body({k_marker});
  observe(response);
  EXPECT_EQ(found(), Properties{property::protocol});
}

TEST_F(WholeOracle, AnOffsetThatGoesBackIsAViolation) {
  observe(complete());
  state_ = {.phase = ClientPhase::live, .handle = k_first, .offset = LogOffset::at(100, 0)};
  protocol::Response response = complete();
  response.body = body({k_marker});
  observe(response);
  EXPECT_EQ(found(), Properties{property::log_order});
}

TEST_F(WholeOracle, AChunkThatChangesBetweenClientsIsAViolation) {
  const protocol::Headers headers = {{"electric-handle", "1-1"}, {"electric-offset", "0_0"}};
  observe(protocol::Response{200, headers, body({k_row})});
  view_.reset();
  observe(protocol::Response{200, headers, body({})});
  EXPECT_EQ(found(), Properties{property::chunk_constant});
}

TEST_F(WholeOracle, AServedOffsetThatIsCalledOutOfBoundsIsAViolation) {
  refuse(400, R"({"errors":{"offset":["out of bounds for this shape"]}})");
  EXPECT_EQ(found(), Properties{property::out_of_bounds});
}

TEST_F(WholeOracle, OtherRefusalsAreViolationsByTheirKind) {
  refuse(400);
  refuse(500);
  EXPECT_EQ(found(), (Properties{property::protocol, property::server_error}));
}

TEST_F(WholeOracle, ABrokenConnectionAndA503AreRetries) {
  observe(std::nullopt);
  refuse(503);
  EXPECT_EQ(found(), Properties{});
  EXPECT_EQ(oracle_.counters().retried, 2U);
}

TEST_F(WholeOracle, A409NeedsACause) {
  observe(complete());
  state_ = {.phase = ClientPhase::live, .handle = k_first, .offset = LogOffset::snapshot_end()};
  refuse(409);
  EXPECT_EQ(found(), Properties{property::spurious_conflict});
  oracle_.record({Cause::deleted_by_request, "s0", now_});
  refuse(409);
  EXPECT_EQ(found().size(), 1U);
  EXPECT_EQ(oracle_.ledger().legitimate(), 1U);
}

TEST_F(WholeOracle, ACauseThatIsOverExcusesNoLaterShape) {
  const std::size_t cause = oracle_.record({Cause::deleted_by_request, "s0", second(2)});
  oracle_.over(cause, second(3));
  observe(complete());
  protocol::Response successor = complete();
  successor.headers[0].second = k_second.text;
  view_.reset();
  observe(successor);
  state_ = {.phase = ClientPhase::live, .handle = k_second, .offset = LogOffset::snapshot_end()};
  refuse(409);
  EXPECT_EQ(found(), Properties{property::spurious_conflict});
}

TEST_F(WholeOracle, A409ToAClientWithoutAHandleIsAViolation) {
  refuse(409);
  EXPECT_EQ(found(), Properties{property::protocol});
}

TEST_F(WholeOracle, ARequestThatTakesTooLongIsAViolation) {
  observe(complete(), Oracle::k_request_deadline);
  EXPECT_EQ(found(), Properties{});
  view_.reset();
  observe(complete(), Oracle::k_request_deadline + std::chrono::seconds(1));
  EXPECT_EQ(found(), Properties{property::request_ends});
}

TEST_F(WholeOracle, AnUnansweredRequestIsAViolation) {
  oracle_.overdue({&spec_, "c0", state_, std::nullopt, now_, now_});
  EXPECT_EQ(found(), Properties{property::request_ends});
}

TEST_F(WholeOracle, TheEndComparesWithTheLastCommit) {
  oracle_.converged(spec_, "c0", view_, now_);
  EXPECT_EQ(found(), Properties{property::convergence}) << "it never saw its snapshot";
  observe(complete());
  oracle_.converged(spec_, "c0", view_, now_);
  EXPECT_EQ(found().size(), 1U);
  EXPECT_EQ(truth_.asked.up_to, 500U);
  truth_.answer["k"]["name"] = "b";
  oracle_.converged(spec_, "c0", view_, now_);
  EXPECT_EQ(found(), Properties(2, property::convergence));
}

TEST(Difference, NamesTheFirstRowThatDiffers) {
  const Rows rows = {{"k", {{"id", "1"}, {"name", std::nullopt}}}};
  EXPECT_EQ(difference(rows, rows), "");
  EXPECT_EQ(difference({}, rows), "the client lacks k {id=1, name=NULL}");
  EXPECT_EQ(difference(rows, {}), "the client has k {id=1, name=NULL} too many");
  EXPECT_EQ(difference({{"k", {{"id", "2"}}}}, rows),
            "the client has k {id=2} instead of {id=1, name=NULL}");
}

TEST(KeyOf, WritesNullsAndSlashes) {
  ShapeSpec spec = items_spec();
  EXPECT_EQ(key_of(spec, {"a/b", std::nullopt, ""}), R"("public"."items"/"a//b"/_/"")");
}

}  // namespace
}  // namespace holdfast::oracle::test
