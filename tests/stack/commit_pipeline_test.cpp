// The participant barrier: which batches a group holds, in what order, and that no answer is waited
// for longer than it can come. Pure; the collector's use of it is tested by histories.
#include "core/stack/log/commit_pipeline.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/base/guard_list.hpp"

namespace holdfast::stack {
namespace {

using postgres::Lsn;
using protocol::LogOffset;
using protocol::ShapeHandle;

const ShapeHandle k_a{"1-1"};
const ShapeHandle k_b{"2-2"};

SharedItem item(const char* json) {
  return std::make_shared<const std::string>(json);
}

/// Appends as text, e.g. "1-1: 10_0 x, 12_0 y!"; '!' marks `last`.
std::vector<std::string> appends(const storage::Group& group) {
  std::vector<std::string> lines;
  for (const storage::ShapeAppend& append : group.appends) {
    std::string line = append.handle.text + ":";
    for (const storage::RecordRef& record : append.records)
      line += " " + record.offset.to_string() + " " + *group.items.at(record.item) +
              (record.last ? "!" : "");
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

class Pipeline : public ::testing::Test {
 protected:
  BatchNumber open(std::uint64_t lsn, std::set<ShapeHandle> participants, std::size_t bytes = 0) {
    CommitPipeline::Extent extent;
    extent.applied = Lsn{lsn};
    extent.confirmable = Lsn{lsn + 1};
    extent.transactions = 1;
    extent.bytes = bytes;
    return pipeline_.open(extent, std::move(participants));
  }
  /// A fragment after which the transaction goes on.
  BatchNumber open_fragment(std::uint64_t lsn, std::set<ShapeHandle> participants) {
    CommitPipeline::Extent extent;
    extent.left_open = Lsn{lsn};
    return pipeline_.open(extent, std::move(participants));
  }
  void answer(BatchNumber batch, const ShapeHandle& handle,
              std::vector<ContributedItem> items = {}) {
    pipeline_.contribute({batch, handle, std::move(items)});
  }
  void answer_with(BatchNumber batch, const ShapeHandle& handle, std::uint64_t lsn,
                   const char* json) {
    answer(batch, handle, {{LogOffset::at(lsn, 0), item(json)}});
  }
  /// REQUIRES: there is a group.
  CommitPipeline::Next next() {
    auto found = pipeline_.next();
    EXPECT_TRUE(found.has_value());
    return found ? *found : CommitPipeline::Next{};
  }

  CommitPipeline pipeline_;
};

TEST_F(Pipeline, AnEmptyPipelineHasNoGroupAndIsIdle) {
  EXPECT_FALSE(pipeline_.next());
  EXPECT_TRUE(pipeline_.idle());
}

TEST_F(Pipeline, BatchesAreNumberedFromOneInOrder) {
  EXPECT_EQ(pipeline_.next_number(), 1U);
  EXPECT_EQ(open(10, {}), 1U);
  EXPECT_EQ(open(20, {}), 2U);
  EXPECT_EQ(pipeline_.next_number(), 3U);
}

TEST_F(Pipeline, ABatchWaitsForEveryParticipant) {
  const BatchNumber batch = open(10, {k_a, k_b});
  answer_with(batch, k_b, 10, "b");
  EXPECT_FALSE(pipeline_.next());
  answer_with(batch, k_a, 10, "a");
  const auto group = next();
  ASSERT_NE(group.group, nullptr);
  EXPECT_EQ(appends(*group.group), (Lines{"1-1: 10_0 a!", "2-2: 10_0 b!"}));
}

TEST_F(Pipeline, AGroupIsTheLongestRunOfAnsweredBatches) {
  const BatchNumber first = open(10, {k_a});
  const BatchNumber second = open(20, {k_a});
  const BatchNumber third = open(30, {k_b});
  const BatchNumber fourth = open(40, {k_a});
  answer_with(first, k_a, 10, "x");
  answer_with(second, k_a, 20, "y");
  answer_with(fourth, k_a, 40, "z");
  const auto group = next();
  ASSERT_NE(group.group, nullptr);
  EXPECT_EQ(appends(*group.group), Lines{"1-1: 10_0 x! 20_0 y!"});
  EXPECT_EQ(group.group->applied, Lsn{20});
  EXPECT_EQ(group.group->confirmable, Lsn{21});
  EXPECT_EQ(group.extent.transactions, 2U);

  pipeline_.committed();
  EXPECT_FALSE(pipeline_.next()) << "the third batch is not answered";
  answer(third, k_b);
  EXPECT_EQ(next().group->applied, Lsn{40});
}

TEST_F(Pipeline, NothingIsHandedOutWhileACommitIsInFlight) {
  answer_with(open(10, {k_a}), k_a, 10, "x");
  next();
  answer_with(open(20, {k_a}), k_a, 20, "y");
  EXPECT_TRUE(pipeline_.commit_in_flight());
  EXPECT_FALSE(pipeline_.next());
  EXPECT_FALSE(pipeline_.idle());
  pipeline_.committed();
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 20_0 y!"});
  pipeline_.committed();
  EXPECT_TRUE(pipeline_.idle());
}

TEST_F(Pipeline, AnItemThatShapesShareIsHeldOnce) {
  const SharedItem shared = item("shared");
  const BatchNumber batch = open(10, {k_a, k_b});
  answer(batch, k_a, {{LogOffset::at(10, 0), shared}, {LogOffset::at(10, 2), item("own")}});
  answer(batch, k_b, {{LogOffset::at(10, 0), shared}});
  const auto group = next();
  EXPECT_EQ(group.group->items.size(), 2U);
  EXPECT_EQ(appends(*group.group), (Lines{"1-1: 10_0 shared 10_2 own!", "2-2: 10_0 shared!"}));
}

TEST_F(Pipeline, EqualTextsFromDifferentEncodingsAreNotConfused) {
  const BatchNumber batch = open(10, {k_a, k_b});
  answer_with(batch, k_a, 10, "same");
  answer_with(batch, k_b, 10, "same");
  EXPECT_EQ(next().group->items.size(), 2U);
}

// -- answers nobody waits for ---------------------------------------------------------------------

TEST_F(Pipeline, AnAnswerOfWhoWasNotAskedIsDropped) {
  const BatchNumber batch = open(10, {k_a});
  answer_with(batch, k_b, 10, "stray");
  answer_with(batch + 7, k_a, 10, "stray");
  EXPECT_FALSE(pipeline_.next());
  answer_with(batch, k_a, 10, "a");
  answer_with(batch, k_a, 12, "again");
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 10_0 a!"});
}

TEST_F(Pipeline, AForgottenShapeIsNotWaitedForAndItsLateAnswerIsDropped) {
  const BatchNumber first = open(10, {k_a, k_b});
  const BatchNumber second = open(20, {k_b});
  answer_with(first, k_a, 10, "a");
  pipeline_.forget(k_b);
  answer_with(second, k_b, 20, "late");
  const auto group = next();
  EXPECT_EQ(appends(*group.group), Lines{"1-1: 10_0 a!"});
  EXPECT_EQ(group.extent.applied, Lsn{20});
}

// -- snapshots ------------------------------------------------------------------------------------

TEST_F(Pipeline, ACompletionPrecedesWhatItsShapeStillOwes) {
  const BatchNumber first = open(10, {k_b});
  const BatchNumber second = open(20, {k_a});
  pipeline_.complete({k_a, {}, {}}, {{LogOffset::at(15, 0), item("buffered")}});
  answer_with(second, k_a, 20, "owed");
  EXPECT_FALSE(pipeline_.next()) << "the first batch is not answered";
  answer(first, k_b);
  const auto group = next();
  ASSERT_EQ(group.group->completions.size(), 1U);
  EXPECT_EQ(group.group->completions.front().handle, k_a);
  EXPECT_EQ(appends(*group.group), Lines{"1-1: 15_0 buffered! 20_0 owed!"});
}

TEST_F(Pipeline, ACompletionOfAShapeThatOwesNothingIsCommittedOnItsOwn) {
  pipeline_.complete({k_a, {}, {}}, {});
  const auto group = next();
  ASSERT_NE(group.group, nullptr);
  EXPECT_EQ(group.group->completions.size(), 1U);
  EXPECT_TRUE(group.group->appends.empty());
}

TEST_F(Pipeline, ACompletionDoesNotOvertakeBatchesThatWait) {
  const BatchNumber batch = open(10, {k_b});
  pipeline_.complete({k_a, {}, {}}, {});
  EXPECT_FALSE(pipeline_.next());
  answer(batch, k_b);
  EXPECT_EQ(next().group->completions.size(), 1U);
}

// -- transactions in fragments -----------------------------------------------------------------

TEST_F(Pipeline, AShapesLatestRecordOfAnOpenTransactionWaitsForTheNextGroup) {
  const BatchNumber first = open_fragment(30, {k_a, k_b});
  answer(first, k_a, {{LogOffset::at(30, 0), item("x")}, {LogOffset::at(30, 2), item("y")}});
  answer_with(first, k_b, 30, "only");
  const auto group = next();
  EXPECT_EQ(appends(*group.group), Lines{"1-1: 30_0 x"}) << "no record is the last one yet";
  EXPECT_EQ(group.group->applied, Lsn{0}) << "the transaction has not ended";
  pipeline_.committed();

  answer(open(30, {k_a}), k_a, {{LogOffset::at(30, 6), item("z")}});
  const auto end = next();
  EXPECT_EQ(appends(*end.group), (Lines{"1-1: 30_2 y 30_6 z!", "2-2: 30_0 only!"}));
  EXPECT_EQ(end.group->applied, Lsn{30});
}

TEST_F(Pipeline, AnOpenTransactionMayEndWithNothingForTheShapesThatItConcerned) {
  answer_with(open_fragment(30, {k_a}), k_a, 30, "x");
  EXPECT_EQ(next().group, nullptr) << "the one record waits";
  pipeline_.committed();
  open(30, {});
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 30_0 x!"});
}

TEST_F(Pipeline, WithoutTheGuardTheTransactionHasNoLastRecordThen) {
  Guards guards = Guards::all();
  guards.switch_off(Guard::hold_back_last_record);
  pipeline_ = CommitPipeline(guards);
  answer_with(open_fragment(30, {k_a}), k_a, 30, "x");
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 30_0 x"});
  pipeline_.committed();
  open(30, {});
  EXPECT_EQ(next().group, nullptr) << "nobody hears that x was the last (F-124)";
}

TEST_F(Pipeline, WhatARemovedShapeHeldBackIsForgotten) {
  answer_with(open_fragment(30, {k_a}), k_a, 30, "x");
  next();
  pipeline_.committed();
  pipeline_.forget(k_a);
  open(30, {});
  EXPECT_EQ(next().group, nullptr);
}

TEST_F(Pipeline, ACompletionInTheMiddleOfATransactionLeavesItOpen) {
  answer(open_fragment(30, {k_b}), k_b);
  pipeline_.complete({k_a, {}, {}}, {{LogOffset::at(20, 0), item("before")},
                                     {LogOffset::at(30, 0), item("of it")}});
  const auto group = next();
  EXPECT_EQ(appends(*group.group), Lines{"1-1: 20_0 before!"});
  EXPECT_EQ(group.group->applied, Lsn{0});
  pipeline_.committed();
  open(30, {});
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 30_0 of it!"});
}

TEST_F(Pipeline, FragmentsOfAReplayedTransactionAreOneGroup) {
  answer(open(30, {}), k_a);
  next();
  pipeline_.committed();
  CommitPipeline::Extent fragment;
  fragment.left_open = Lsn{30};
  fragment.joins_next = true;
  answer_with(pipeline_.open(fragment, {k_a}), k_a, 30, "x");
  EXPECT_FALSE(pipeline_.next()) << "what is stored of it is visible at once";
  answer(open(30, {k_a}), k_a, {{LogOffset::at(30, 2), item("y")}});
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 30_0 x 30_2 y!"});
}

TEST_F(Pipeline, AGroupIsClosedWhenItHasEnoughBytes) {
  answer_with(open(10, {k_a}, CommitPipeline::k_group_bytes), k_a, 10, "x");
  answer_with(open(20, {k_a}), k_a, 20, "y");
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 10_0 x!"});
  pipeline_.committed();
  EXPECT_EQ(appends(*next().group), Lines{"1-1: 20_0 y!"});
}

// -- how far the stream has come ------------------------------------------------------------------

TEST_F(Pipeline, ABatchWithNothingToWriteGivesNoGroupButMovesThePosition) {
  answer(open(10, {k_a}), k_a);
  const auto nothing = next();
  EXPECT_EQ(nothing.group, nullptr);
  EXPECT_EQ(nothing.extent.applied, Lsn{10});
  EXPECT_EQ(nothing.extent.confirmable, Lsn{11});
}

// A record that was buffered during an earlier, empty batch is written with the completion. Were
// the group's position zero, the store would keep it above the applied LSN, where no reader sees
// it, and recovery would cut it off.
TEST_F(Pipeline, ACompletionsGroupIsAtThePositionReachedByEmptyBatchesBeforeIt) {
  answer(open(10, {k_a}), k_a);
  ASSERT_EQ(next().group, nullptr);
  pipeline_.committed();
  pipeline_.complete({k_a, {}, {}}, {{LogOffset::at(10, 0), item("buffered")}});
  const auto group = next();
  ASSERT_NE(group.group, nullptr);
  EXPECT_EQ(group.group->applied, Lsn{10});
  EXPECT_EQ(group.group->confirmable, Lsn{11});
}

TEST_F(Pipeline, APositionNeverGoesBack) {
  answer(open(20, {k_a}), k_a);
  next();
  pipeline_.committed();
  answer_with(open(10, {k_a}), k_a, 10, "x");
  EXPECT_EQ(next().extent.applied, Lsn{20});
}

TEST_F(Pipeline, BytesCountUntilTheirCommitIsDurable) {
  answer_with(open(10, {k_a}, 100), k_a, 10, "x");
  const BatchNumber second = open(20, {k_a}, 30);
  EXPECT_EQ(pipeline_.bytes(), 130U);
  next();
  EXPECT_EQ(pipeline_.bytes(), 130U);
  pipeline_.committed();
  EXPECT_EQ(pipeline_.bytes(), 30U);
  answer(second, k_a);
  next();
  pipeline_.committed();
  EXPECT_EQ(pipeline_.bytes(), 0U);
}

TEST(PipelineDeathTest, AShapesRecordsOutOfOrderEndTheProcess) {
  CommitPipeline pipeline;
  const BatchNumber batch = pipeline.open({}, {k_a});
  pipeline.contribute(
      {batch, k_a, {{LogOffset::at(10, 2), item("x")}, {LogOffset::at(10, 0), item("y")}}});
  EXPECT_DEATH((void)pipeline.next(), "offset order");
}

TEST(PipelineDeathTest, ACommitThatIsReportedTwiceEndsTheProcess) {
  CommitPipeline pipeline;
  EXPECT_DEATH(pipeline.committed(), "reported once");
}

TEST_F(Pipeline, WritesAPositionByItselfWhenItMust) {
  open(10, {});
  EXPECT_EQ(next().group, nullptr);
  pipeline_.committed();
  CommitPipeline::Extent position;
  position.confirmable = Lsn{12};
  position.must_write = true;
  pipeline_.open(position, {});
  const CommitPipeline::Next found = next();
  ASSERT_NE(found.group, nullptr);
  EXPECT_EQ(found.group->confirmable, Lsn{12});
  EXPECT_EQ(found.group->applied, Lsn{10}) << "a group says how far the stream has come";
  EXPECT_TRUE(found.group->appends.empty());
}

// -- what a dead consumer had contributed by itself -----------------------------------------------

Contribution state_of(BatchNumber batch, const ShapeHandle& handle) {
  Contribution made{batch, handle, {}};
  made.subquery = std::make_shared<SubqueryPart>();
  made.subquery->state = {{handle, 0, "key", "value"}};
  return made;
}

TEST_F(Pipeline, StateThatWaitsForItsOwnShapesAnswerIsReleasedWhenTheConsumerDied) {
  const BatchNumber batch = open(10, {k_a});
  ASSERT_EQ(pipeline_.place_aside(k_a), batch);
  pipeline_.contribute_aside(state_of(batch, k_a));
  EXPECT_TRUE(pipeline_.holds_state_of(k_a));
  EXPECT_FALSE(pipeline_.next().has_value()) << "the next consumer would wait for this for ever";
  pipeline_.release(k_a, {});
  const CommitPipeline::Next early = next();
  ASSERT_NE(early.group, nullptr);
  EXPECT_EQ(early.group->state.size(), 1U);
  EXPECT_EQ(early.group->applied, Lsn{}) << "the batch itself still waits";
  pipeline_.committed();
  EXPECT_FALSE(pipeline_.holds_state_of(k_a));
  answer_with(batch, k_a, 10, "x");
  EXPECT_EQ(next().group->applied, Lsn{10});
}

TEST_F(Pipeline, WhatIsReleasedComesAfterWhatItsShapeAnsweredBefore) {
  const BatchNumber first = open(10, {k_a, k_b});
  const BatchNumber second = open(12, {k_b});  // k_b is below k_a
  answer_with(first, k_a, 10, "x");
  ASSERT_EQ(pipeline_.place_aside(k_a, {k_b}), first);
  answer_with(first, k_b, 10, "y");
  ASSERT_EQ(pipeline_.place_aside(k_a, {k_b}), second);
  Contribution aside = state_of(second, k_a);
  aside.items = {{LogOffset::at(10, 1), item("z"), true}};
  pipeline_.contribute_aside(std::move(aside));
  pipeline_.release(k_a, {k_b});
  const CommitPipeline::Next group = next();
  EXPECT_EQ(appends(*group.group), (Lines{"1-1: 10_0 x! 10_1 z", "2-2: 10_0 y!"}));
  EXPECT_EQ(group.group->state.size(), 1U);
}

}  // namespace
}  // namespace holdfast::stack
