// A body that is not what the protocol says gives an error with a sentence: never an exception,
// never a guess that a check would then pass on.
#include "oracle/client/messages.hpp"

#include <gtest/gtest.h>

namespace holdfast::oracle {
namespace {

Message only(const std::string& item) {
  const auto messages = parse_messages("[" + item + "]");
  EXPECT_TRUE(messages.ok()) << (messages.ok() ? "" : messages.error().message);
  return messages.ok() && messages->size() == 1 ? messages->front() : Message{};
}

TEST(Messages, ALogRecordKeepsItsPositionAndItsCells) {
  const Message message = only(R"({"key":"k","value":{"id":"1","name":null},
               "headers":{"operation":"update","lsn":"18446744073709551615","op_position":2,
                          "txids":[7],"last":true}})");
  EXPECT_EQ(message.kind, MessageKind::update);
  EXPECT_EQ(message.key, "k");
  EXPECT_EQ(message.value, (Cells{{"id", "1"}, {"name", std::nullopt}}));
  EXPECT_EQ(message.lsn, 18446744073709551615U);
  EXPECT_EQ(message.op, 2U);
  EXPECT_TRUE(message.last);
}

TEST(Messages, ASnapshotRowHasNoPosition) {
  const Message message = only(R"({"key":"k","value":{},"headers":{"operation":"insert"}})");
  EXPECT_EQ(message.kind, MessageKind::insert);
  EXPECT_EQ(message.lsn, std::nullopt);
  EXPECT_FALSE(message.last);
}

TEST(Messages, ControlMessagesSayWhatTheyAreAbout) {
  EXPECT_EQ(only(R"({"headers":{"control":"up-to-date","global_last_seen_lsn":"42"}})").up_to, 42U);
  EXPECT_EQ(only(R"({"headers":{"control":"must-refetch"}})").kind, MessageKind::must_refetch);
  EXPECT_EQ(
      only(R"({"headers":{"control":"snapshot-end","xmin":"1","xmax":"9","xip_list":["3","5"]}})")
          .snapshot,
      (StatedSnapshot{1, 9, {3, 5}}));
}

TEST(Messages, ARowSaysWhyItIsInAShapeWithSubqueries) {
  const Message message = only(R"({"key":"k","value":{},"headers":{"operation":"insert",
      "is_move_in":true,"tags":["aa/","/1"],"active_conditions":[true,false]}})");
  ASSERT_TRUE(message.tags);
  EXPECT_EQ(message.tags->tags, (std::vector<std::string>{"aa/", "/1"}));
  EXPECT_EQ(message.tags->conditions, (std::vector<bool>{true, false}));
  EXPECT_EQ(message.tags->removed, std::nullopt);
  EXPECT_TRUE(message.tags->is_move_in);
  EXPECT_FALSE(only(R"({"key":"k","value":{},"headers":{"operation":"insert"}})").tags);
}

TEST(Messages, AMoveNamesPositionsAndValuesAndAnyNumberOfTransactions) {
  const Message out = only(R"({"headers":{"event":"move-out","txids":[1234],
      "patterns":[{"pos":0,"value":"aa"},{"pos":2,"value":"bb"}]}})");
  EXPECT_EQ(out.kind, MessageKind::move_out);
  EXPECT_EQ(out.patterns, (std::vector<MovePattern>{{0, "aa"}, {2, "bb"}}));
  EXPECT_EQ(only(R"({"headers":{"patterns":[{"pos":0,"value":"aa"}],"txids":[],
                                "event":"move-in"}})")
                .kind,
            MessageKind::move_in);
}

TEST(Messages, TwoRecordsThatDifferAnywhereDifferInContent) {
  const std::string one =
      R"({"key":"k","value":{"id":"1"},)"
      R"("headers":{"operation":"insert","lsn":"1","op_position":0,"txids":[7]}})";
  EXPECT_EQ(only(one).content, only(one).content);
  for (std::size_t at = 0; at < one.size(); ++at) {
    if (one[at] < '1' || one[at] > '9') continue;
    std::string two = one;
    two[at] = '8';
    EXPECT_NE(only(one).content, only(two).content) << two;
  }
}

TEST(Messages, AnEmptyArrayIsNoMessage) {
  const auto messages = parse_messages("[]");
  ASSERT_TRUE(messages.ok());
  EXPECT_TRUE(messages->empty());
}

class Malformed : public ::testing::TestWithParam<const char*> {};

TEST_P(Malformed, GivesAnErrorWithASentence) {
  const auto messages = parse_messages(GetParam());
  ASSERT_FALSE(messages.ok());
  EXPECT_FALSE(messages.error().message.empty());
}

/// A record whose headers are these.
#define RECORD(headers) "[{\"key\":\"k\",\"value\":{},\"headers\":" headers "}]"

INSTANTIATE_TEST_SUITE_P(
    Bodies, Malformed,
    ::testing::Values(
        "", "[", "nonsense", "{}", "null", "42", "\"text\"", "[1]", "[[]]", "[null]", "[{}]",
        "[{\"headers\":5}]", "[{\"headers\":[]}]", "[{\"headers\":{}}]", "[]trailing", "\xff\xfe",
        "[\"\xc3\x28\"]",
        // Operations and rows.
        RECORD("{\"operation\":\"upsert\"}"), RECORD("{\"operation\":1}"),
        R"([{"value":{},"headers":{"operation":"insert"}}])",
        R"([{"key":"k","headers":{"operation":"insert"}}])",
        R"([{"key":7,"value":{},"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":[],"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":["1"],"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":"text","headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":null,"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":{"id":1},"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":{"id":{}},"headers":{"operation":"insert"}}])",
        // Positions.
        RECORD(R"({"operation":"insert","lsn":5,"op_position":0,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"","op_position":0,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"-1","op_position":0,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":" 1","op_position":0,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1x","op_position":0,"txids":[1]})"),
        RECORD(
            R"({"operation":"insert","lsn":"18446744073709551616","op_position":0,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":-2,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":1.5,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":true,"txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":"0","txids":[1]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":0})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":0,"txids":[]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":0,"txids":[1,2]})"),
        RECORD(R"({"operation":"insert","lsn":"1","op_position":0,"txids":[1],"last":false})"),
        R"([{"key":"k","value":{},"headers":{"operation":"insert","lsn":"1","op_position":0,)"
        R"("txids":5}}])",
        // What stands twice has no meaning.
        R"([{"key":"k","key":"k","value":{},"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":{},"value":{},"headers":{"operation":"insert"}}])",
        R"([{"key":"k","value":{"id":"1","id":"1"},"headers":{"operation":"insert"}}])",
        RECORD(R"({"operation":"insert","operation":"insert"})"),
        R"([{"headers":{"control":"must-refetch"},"headers":{"control":"must-refetch"}}])",
        // Why a row is there, and moves.
        RECORD(R"({"operation":"insert","tags":"aa"})"),
        RECORD(R"({"operation":"insert","tags":["aa"],"active_conditions":[1]})"),
        RECORD(R"({"operation":"insert","tags":["aa"],"is_move_in":false})"),
        RECORD(R"({"operation":"insert","active_conditions":[true]})"),
        RECORD(R"({"operation":"insert","removed_tags":[]})"),
        R"([{"headers":{"event":"move-on","patterns":[{"pos":0,"value":"a"}],"txids":[]}}])",
        R"([{"headers":{"event":"move-in","patterns":[{"pos":0,"value":"a"}]}}])",
        R"([{"headers":{"event":"move-in","patterns":[],"txids":[]}}])",
        R"([{"headers":{"event":"move-in","txids":[]}}])",
        R"([{"headers":{"event":"move-in","patterns":[{"pos":0}],"txids":[]}}])",
        R"([{"headers":{"event":"move-in","patterns":[{"value":"a"}],"txids":[]}}])",
        R"([{"headers":{"event":"move-in","patterns":[{"pos":0,"value":"a"}],"txids":[],)"
        R"("operation":"insert"}}])",
        // The array.
        R"([{"headers":{"control":"must-refetch"}},])",
        R"([{"headers":{"control":"must-refetch"}}{"headers":{"control":"must-refetch"}}])",
        R"([{"headers":{"control":"must-refetch"}}]])", R"([{"headers":{"control":"must-refetch"})",
        // Controls.
        R"([{"headers":{"control":"snapshot-start"}}])", R"([{"headers":{"control":null}}])",
        R"([{"headers":{"control":"up-to-date"}}])",
        R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":42}}])",
        R"([{"headers":{"control":"up-to-date","global_last_seen_lsn":"soon"}}])",
        R"([{"headers":{"control":"snapshot-end","xmin":"1","xmax":"9"}}])",
        R"([{"headers":{"control":"snapshot-end","xmin":1,"xmax":"9","xip_list":[]}}])",
        R"([{"headers":{"control":"snapshot-end","xmin":"1","xmax":"9","xip_list":[3]}}])"));
#undef RECORD

}  // namespace
}  // namespace holdfast::oracle
