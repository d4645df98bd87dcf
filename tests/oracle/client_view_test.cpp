// Each rule that a client's view checks is broken once, and objected to under its own name: a view
// that tolerates anything would let a run pass that it should fail.
#include "oracle/client/client_view.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;

Message snapshot_row(MessageKind kind, const char* id,
                     const Row& rest = {{"name", "a"}, {"done", "t"}}) {
  Message message;
  message.kind = kind;
  message.key = id;
  for (const auto& [column, text] : rest) message.value.push_back({column, text});
  message.value.push_back({"id", id});
  return message;
}

Message record(MessageKind kind, const char* id, std::uint64_t lsn, std::uint64_t op, bool last,
               const Row& rest = {{"name", "a"}, {"done", "t"}}) {
  Message message = snapshot_row(kind, id, rest);
  message.lsn = lsn;
  message.op = op;
  message.last = last;
  return message;
}

Message snapshot_end() {
  Message message;
  message.kind = MessageKind::snapshot_end;
  message.snapshot = {10, 12, {11}};
  return message;
}

Message up_to_date(std::uint64_t lsn) {
  Message message;
  message.kind = MessageKind::up_to_date;
  message.up_to = lsn;
  return message;
}

class View : public ::testing::Test {
 protected:
  /// Applies the messages as one answer about (from, to] and answers the objections.
  Properties apply(const std::vector<Message>& messages, LogOffset from = LogOffset::before_all(),
                   LogOffset to = LogOffset::at(1'000, 0)) {
    Objections found;
    view_.apply(messages, from, to, found.sink());
    // Whatever has been applied, legal or not.
    EXPECT_EQ(view_.digest(), digest_of(view_.rows()));
    return found.properties();
  }
  /// A client that holds row 1 and has seen the snapshot end.
  void start() {
    ASSERT_EQ(apply({snapshot_row(MessageKind::insert, "1"), snapshot_end()},
                    LogOffset::before_all(), LogOffset::snapshot_end()),
              Properties{});
  }

  ShapeSpec spec_ = items_spec();
  ClientView view_{spec_};
};

TEST_F(View, ALegalHistoryIsNotObjectedTo) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, false),
                   record(MessageKind::update, "1", 100, 2, true, {{"name", "b"}}),
                   record(MessageKind::erase, "2", 101, 0, true, {}), up_to_date(101)}),
            Properties{});
  EXPECT_EQ(view_.rows(), (Rows{{"1", {{"id", "1"}, {"name", "b"}, {"done", "t"}}}}));
  EXPECT_EQ(view_.marker(), 101U);
  EXPECT_EQ(view_.snapshot(), (StatedSnapshot{10, 12, {11}}));
}

// -- rows -----------------------------------------------------------------------------------------

TEST_F(View, AnInsertOfAPresentRowIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "1", 100, 0, true)}),
            Properties{property::row_legality});
}

TEST_F(View, ARowTwiceInTheSnapshotIsAViolation) {
  EXPECT_EQ(apply({snapshot_row(MessageKind::insert, "1"), snapshot_row(MessageKind::insert, "1")}),
            Properties{property::row_legality});
}

TEST_F(View, AnUpdateOfAnAbsentRowIsAViolationAndMakesNoRow) {
  start();
  EXPECT_EQ(apply({record(MessageKind::update, "2", 100, 0, true)}),
            Properties{property::row_legality});
  EXPECT_FALSE(view_.rows().contains("2"));
}

TEST_F(View, ADeleteOfAnAbsentRowIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::erase, "2", 100, 0, true, {})}),
            Properties{property::row_legality});
}

TEST_F(View, BothFormsOfABooleanAreTheSameValue) {
  apply({snapshot_row(MessageKind::insert, "1", {{"name", "true"}, {"done", "true"}}),
         snapshot_row(MessageKind::insert, "2", {{"name", "x"}, {"done", "false"}}),
         snapshot_row(MessageKind::insert, "3", {{"name", "x"}, {"done", std::nullopt}})});
  EXPECT_EQ(view_.rows().at("1").at("done"), "t");
  EXPECT_EQ(view_.rows().at("1").at("name"), "true") << "a text is not a boolean";
  EXPECT_EQ(view_.rows().at("2").at("done"), "f");
  EXPECT_EQ(view_.rows().at("3").at("done"), std::nullopt);
}

TEST_F(View, TheDigestTellsRowsThatDifferInOneCellFromEachOther) {
  const auto digest_with = [this](const char* id, const Row& rest) {
    view_.reset();
    apply({snapshot_row(MessageKind::insert, "7"), snapshot_row(MessageKind::insert, id, rest)});
    return view_.digest();
  };
  const RowsDigest one = digest_with("1", {{"name", "a"}, {"done", "t"}});
  EXPECT_EQ(digest_with("1", {{"name", "a"}, {"done", "true"}}), one) << "the same boolean";
  EXPECT_NE(digest_with("1", {{"name", "b"}, {"done", "t"}}), one);
  EXPECT_NE(digest_with("1", {{"name", std::nullopt}, {"done", "t"}}), one);
  EXPECT_NE(digest_with("1", {{"name", ""}, {"done", "t"}}),
            digest_with("1", {{"name", std::nullopt}, {"done", "t"}}));
  EXPECT_NE(digest_with("2", {{"name", "a"}, {"done", "t"}}), one);
  EXPECT_NE(digest_with("1", {{"done", "t"}}), one) << "a cell that is missing is no NULL";
  EXPECT_NE(digest_with("1", {{"name", "t"}, {"done", "a"}}), one) << "cells change places";
}

TEST_F(View, AViewThatLostAllItsRowsHasTheDigestOfNone) {
  start();
  apply({record(MessageKind::update, "1", 100, 0, false, {{"name", "b"}}),
         record(MessageKind::erase, "1", 100, 2, true, {})});
  EXPECT_EQ(view_.digest(), RowsDigest());
}

// -- columns --------------------------------------------------------------------------------------

TEST_F(View, AnInsertWithoutOneOfItsColumnsIsAViolation) {
  EXPECT_EQ(apply({snapshot_row(MessageKind::insert, "1", {{"name", "a"}})}),
            Properties{property::row_content});
}

TEST_F(View, AColumnThatWasNotAskedForIsAViolation) {
  spec_.columns = {"id", "name"};
  EXPECT_EQ(apply({snapshot_row(MessageKind::insert, "1")}), Properties{property::row_content});
}

TEST_F(View, TheKeyBelongsToARowEvenIfItWasNotAskedFor) {
  spec_.columns = {"name"};
  EXPECT_EQ(apply({snapshot_row(MessageKind::insert, "1", {{"name", "a"}})}), Properties{});
}

TEST_F(View, AnUpdateNeedsItsKeyOnly) {
  start();
  Message without_key = record(MessageKind::update, "1", 100, 0, true, {{"name", "b"}});
  std::erase_if(without_key.value, [](const Cell& cell) { return cell.column == "id"; });
  EXPECT_EQ(apply({without_key}), Properties{property::row_content});
}

TEST_F(View, AnUpdateInFullModeNeedsAllColumns) {
  spec_.replica = ReplicaMode::full;
  start();
  Message update = record(MessageKind::update, "1", 100, 0, true, {{"name", "b"}});
  update.old_value = Cells{Cell{"name", "a"}};
  EXPECT_EQ(apply({update}), Properties{property::row_content});
}

TEST_F(View, OldValueIsWhatTheRowHadOfWhatChanged) {
  spec_.replica = ReplicaMode::full;
  start();
  Message update = record(MessageKind::update, "1", 100, 0, true, {{"name", "b"}, {"done", "t"}});
  EXPECT_EQ(apply({update}), Properties{property::row_content}) << "it has none";
  update.old_value = Cells{Cell{"name", "a"}};
  update.value[1].text = "c";
  update.lsn = 101;
  EXPECT_EQ(apply({update}), Properties{property::row_content}) << "the row had b";
  update.old_value = Cells{Cell{"name", "c"}, Cell{"done", "t"}};
  update.value[1].text = "d";
  update.lsn = 102;
  EXPECT_EQ(apply({update}), Properties{property::row_content}) << "done has not changed";
  update.old_value = Cells{Cell{"name", "d"}};
  update.value[1].text = "e";
  update.lsn = 103;
  EXPECT_EQ(apply({update}), Properties{});
}

TEST_F(View, AnUpdateInDefaultModeHasNeitherOldValueNorUnchangedColumns) {
  start();
  Message update = record(MessageKind::update, "1", 100, 0, true, {{"name", "b"}});
  update.old_value = Cells{Cell{"name", "a"}};
  EXPECT_EQ(apply({update}), Properties{property::row_content});
  EXPECT_EQ(apply({record(MessageKind::update, "1", 101, 0, true, {{"name", "b"}})}),
            Properties{property::row_content});
}

TEST_F(View, ADeleteInFullModeHasTheRowAsItWas) {
  spec_.replica = ReplicaMode::full;
  start();
  EXPECT_EQ(apply({record(MessageKind::erase, "1", 100, 0, true, {{"name", "z"}, {"done", "t"}})}),
            Properties{property::row_content});
}

TEST_F(View, TheHalvesOfAKeyChangeNameEachOther) {
  start();
  Message first = record(MessageKind::erase, "1", 100, 0, false, {});
  Message second = record(MessageKind::insert, "2", 100, 1, true);
  first.key_change_to = "2";
  EXPECT_EQ(apply({first, second}), Properties{property::row_content}) << "the second names none";
  first.key = second.key_change_from = "2";
  first.value = Cells{Cell{"id", "2"}};
  second.key = first.key_change_to = "3";
  second.value[2].text = "3";
  first.lsn = second.lsn = 101;
  EXPECT_EQ(apply({first, second}), Properties{});
  Message alone = record(MessageKind::insert, "4", 102, 0, true);
  alone.key_change_from = "3";
  EXPECT_EQ(apply({alone}), Properties{property::row_content});
}

// -- positions ------------------------------------------------------------------------------------

TEST_F(View, ARecordAtOrBeforeTheRequestedOffsetIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, true)}, LogOffset::at(100, 0)),
            Properties{property::log_order});
}

TEST_F(View, ARecordAfterTheAnswersOffsetIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 2, true)}, LogOffset::snapshot_end(),
                  LogOffset::at(100, 0)),
            Properties{property::log_order});
}

TEST_F(View, ARecordThatGoesBackInItsTransactionIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 2, false),
                   record(MessageKind::insert, "3", 100, 0, true)}),
            Properties{property::log_order});
}

TEST_F(View, ATransactionThatComesAfterALaterOneIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 101, 0, true),
                   record(MessageKind::insert, "3", 100, 0, true)}),
            Properties{property::log_order});
}

TEST_F(View, ALogRecordBeforeTheSnapshotsEndIsAViolation) {
  EXPECT_EQ(apply({record(MessageKind::insert, "1", 100, 0, true)}),
            Properties{property::protocol});
}

TEST_F(View, ASnapshotRowAfterTheSnapshotsEndIsAViolation) {
  start();
  EXPECT_EQ(apply({snapshot_row(MessageKind::insert, "2")}), Properties{property::protocol});
}

TEST_F(View, ASecondSnapshotEndIsAViolation) {
  start();
  EXPECT_EQ(apply({snapshot_end()}), Properties{property::protocol});
}

// -- transactions and markers ---------------------------------------------------------------------

TEST_F(View, ATransactionWithoutALastRecordIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, false),
                   record(MessageKind::insert, "3", 101, 0, true)}),
            Properties{property::last_once});
}

TEST_F(View, ARecordAfterItsTransactionsLastIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, true),
                   record(MessageKind::insert, "3", 100, 2, true)}),
            Properties{property::last_once});
}

TEST_F(View, ATransactionMaySpanAnswers) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, false)}), Properties{});
  EXPECT_EQ(apply({record(MessageKind::insert, "3", 100, 2, true), up_to_date(100)}), Properties{});
}

TEST_F(View, AMarkerInsideATransactionIsAViolation) {
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, false), up_to_date(100)}),
            Properties{property::transaction_whole});
}

TEST_F(View, ATransactionThatAMarkerHadPromisedToBeOverIsAViolation) {
  start();
  EXPECT_EQ(apply({up_to_date(100)}), Properties{});
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 100, 0, true)}),
            Properties{property::marker_honest});
}

TEST_F(View, AMarkerThatIsNotTheLastMessageIsAViolation) {
  start();
  EXPECT_EQ(apply({up_to_date(99), record(MessageKind::insert, "2", 100, 0, true)}),
            Properties{property::protocol});
}

TEST_F(View, MustRefetchOutsideOfA409IsAViolation) {
  Message message;
  message.kind = MessageKind::must_refetch;
  EXPECT_EQ(apply({message}), Properties{property::protocol});
}

TEST_F(View, AResetForgetsRowsSnapshotAndMarker) {
  start();
  apply({record(MessageKind::insert, "2", 100, 0, false)});
  view_.reset();
  EXPECT_TRUE(view_.rows().empty());
  EXPECT_FALSE(view_.snapshot());
  start();
  EXPECT_EQ(apply({record(MessageKind::insert, "2", 50, 0, true), up_to_date(50)}), Properties{});
}

}  // namespace
}  // namespace holdfast::oracle::test
