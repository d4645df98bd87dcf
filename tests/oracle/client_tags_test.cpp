// The rules for rows of shapes with subqueries, each broken once: what the log says of why a row is
// in the shape must be legal at each step, or moves would be checked only where all is quiet.
#include <gtest/gtest.h>

#include "oracle/client/client_view.hpp"
#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::LogOffset;
using Texts = std::vector<std::string>;

/// A row whose one condition is a membership test of `hash`.
Message row(const char* id, const char* hash, MessageKind kind = MessageKind::insert) {
  Message message;
  message.kind = kind;
  message.key = id;
  for (const auto& [column, text] : {std::pair("id", id), {"name", "a"}, {"done", "t"}})
    message.value.push_back({column, text});
  message.tags = RowTags{{hash}, {}, std::vector<bool>{true}, false};
  return message;
}

Message record(std::uint64_t lsn, Message message) {
  message.lsn = lsn;
  message.last = true;
  if (message.kind == MessageKind::update) {
    message.tags->removed.emplace();
    message.value = {{"id", message.key}, {"name", std::to_string(lsn)}};
  }
  if (message.kind == MessageKind::erase) message.value = {{"id", message.key}};
  return message;
}

Message moved_in(Message message) {
  message.tags->is_move_in = true;
  return message;
}

Message move(MessageKind kind, const char* hash, std::size_t position = 0) {
  Message message;
  message.kind = kind;
  message.patterns = {{position, hash}};
  return message;
}
Message move_in(const char* hash, std::size_t position = 0) {
  return move(MessageKind::move_in, hash, position);
}
Message move_out(const char* hash, std::size_t position = 0) {
  return move(MessageKind::move_out, hash, position);
}

Message snapshot_end() {
  Message message;
  message.kind = MessageKind::snapshot_end;
  message.snapshot = {10, 12, {11}};
  return message;
}
Message up_to_date() {
  Message message;
  message.kind = MessageKind::up_to_date;
  message.up_to = 1;
  return message;
}

/// The same row with these tags and conditions.
Message with(Message message, Texts tags, std::vector<bool> conditions) {
  message.tags->tags = std::move(tags);
  message.tags->conditions = std::move(conditions);
  return message;
}

class Tags : public ::testing::Test {
 protected:
  Tags() {
    spec_.inner_tables = {"groups"};
    view_.emplace(spec_);
  }
  Properties apply(const std::vector<Message>& messages) {
    Objections found;
    view_->apply(messages, LogOffset::before_all(), LogOffset::at(1'000, 0), found.sink());
    EXPECT_EQ(view_->digest(), digest_of(view_->rows()));
    return found.properties();
  }
  /// Rows 1 and 2 of value `aa`, row 3 of `bb`; of form "one membership test".
  void start() {
    ASSERT_EQ(apply({row("1", "aa"), row("2", "aa"), row("3", "bb"), snapshot_end()}),
              Properties{});
  }
  Texts keys() const {
    Texts keys;
    for (const auto& [key, cells] : view_->rows()) keys.push_back(key);
    return keys;
  }

  ShapeSpec spec_ = items_spec();
  std::optional<ClientView> view_;
};

const Properties k_form{property::tags_form};
const Properties k_true{property::tags_true};
const Properties k_moves{property::moves_legal};

TEST_F(Tags, AMoveOutTakesTheRowsOfItsValueAndAMoveInBringsThemBack) {
  start();
  EXPECT_EQ(apply({move_out("aa"), up_to_date()}), Properties{});
  EXPECT_EQ(keys(), Texts{"3"});
  EXPECT_EQ(apply({move_in("aa"), moved_in(row("1", "aa")), moved_in(row("2", "aa")),
                   snapshot_end(), up_to_date()}),
            Properties{});
  EXPECT_EQ(keys(), (Texts{"1", "2", "3"}));
  EXPECT_EQ(apply({move_in("cc"), up_to_date()}), Properties{}) << "no rows, no snapshot-end";
}

TEST_F(Tags, ARowStaysForAsLongAsADisjunctHasAllItsConditions) {
  const Texts either = {"aa//", "/bb/1"};
  ASSERT_EQ(apply({with(row("1", ""), either, {true, true, true}),
                   with(row("2", ""), either, {true, true, false}), snapshot_end()}),
            Properties{});
  EXPECT_EQ(apply({move_out("aa"), up_to_date()}), Properties{});
  EXPECT_EQ(keys(), Texts{"1"});
  EXPECT_EQ(apply({move_in("aa"), moved_in(with(row("2", ""), either, {true, true, false})),
                   snapshot_end(), move_out("bb", 1), up_to_date()}),
            Properties{});
  EXPECT_EQ(keys(), (Texts{"1", "2"})) << "the row that was there is not sent again";
}

TEST_F(Tags, AnUpdateMayChangeThemAndSaysWhichAreGone) {
  start();
  Message update = record(100, row("1", "bb", MessageKind::update));
  update.tags->removed = {"aa"};
  EXPECT_EQ(apply({update, move_out("aa")}), Properties{});
  EXPECT_EQ(keys(), (Texts{"1", "3"}));
}

TEST_F(Tags, AnUpdateThatDoesNotSayWhichAreGoneIsAViolation) {
  start();
  EXPECT_EQ(apply({record(100, row("1", "bb", MessageKind::update))}), k_true);
  Message none = record(101, row("2", "aa", MessageKind::update));
  none.tags->removed.reset();
  EXPECT_EQ(apply({none}), k_form);
  Message both = record(102, row("2", "aa", MessageKind::update));
  both.tags->removed = {"aa"};
  EXPECT_EQ(apply({both}), k_true);
  Message never = record(103, row("2", "aa", MessageKind::update));
  never.tags->removed = {"cc"};
  EXPECT_EQ(apply({never}), k_true);
}

TEST_F(Tags, ADeleteHasTheTagsOfTheRow) {
  start();
  EXPECT_EQ(apply({record(100, row("1", "aa", MessageKind::erase))}), Properties{});
  EXPECT_EQ(apply({record(101, row("2", "bb", MessageKind::erase))}), k_true);
}

TEST_F(Tags, AnInsertHasNoRemovedTags) {
  start();
  Message insert = record(100, row("4", "aa"));
  insert.tags->removed = {"bb"};
  EXPECT_EQ(apply({insert}), k_form);
}

TEST_F(Tags, ARowThatIsOutByItsOwnConditionsIsAViolation) {
  start();
  EXPECT_EQ(apply({record(100, with(row("4", "cc"), {"cc"}, {false}))}), k_true);
}

TEST_F(Tags, RowsOfOneValueThatContradictEachOtherAreAViolation) {
  const Texts either = {"aa/", "/1"};
  ASSERT_EQ(apply({with(row("1", ""), either, {true, true}), snapshot_end()}), Properties{});
  EXPECT_EQ(apply({record(100, with(row("2", ""), either, {false, true}))}), k_true);
}

TEST_F(Tags, WhatAMoveHasTurnedStaysTurned) {
  const Texts either = {"aa/", "/1"};
  ASSERT_EQ(apply({with(row("1", ""), either, {true, true}), snapshot_end(), move_out("aa")}),
            Properties{});
  EXPECT_EQ(apply({record(100, with(row("2", ""), either, {true, true}))}), k_true);
}

TEST_F(Tags, AMoveThatIsAppliedTwiceIsAViolation) {
  start();
  EXPECT_EQ(apply({move_in("aa")}), k_moves);
  const Texts either = {"aa/", "/1"};
  view_->reset();
  ASSERT_EQ(apply({with(row("1", ""), either, {true, true}), snapshot_end(), move_out("aa")}),
            Properties{});
  EXPECT_EQ(apply({move_out("aa")}), k_moves);
  Message twice = move_in("aa");
  twice.patterns.push_back(twice.patterns.front());
  EXPECT_EQ(apply({twice}), (Properties{property::moves_legal, property::moves_legal}));
}

TEST_F(Tags, ARowThatAMoveBringsWasOutBeforeAndIsInBecauseOfIt) {
  start();
  EXPECT_EQ(apply({move_in("cc"), moved_in(row("4", "bb")), snapshot_end()}), k_moves);
  view_->reset();
  const Texts either = {"aa/", "/1"};
  ASSERT_EQ(apply({with(row("1", ""), either, {true, true}), snapshot_end()}), Properties{});
  EXPECT_EQ(apply({move_in("dd"), moved_in(with(row("2", ""), {"dd/", "/1"}, {true, true})),
                   snapshot_end()}),
            k_moves);
}

TEST_F(Tags, ARowOfAMoveThatIsPresentIsAViolation) {
  start();
  EXPECT_EQ(apply({move_in("cc"), moved_in(row("1", "cc")), snapshot_end()}),
            Properties{property::row_legality});
}

TEST_F(Tags, TheRowsOfAMoveFollowItAndSnapshotEndFollowsThem) {
  start();
  EXPECT_EQ(apply({moved_in(row("4", "aa"))}), k_form) << "no move";
  EXPECT_EQ(apply({move_in("cc"), moved_in(row("5", "cc")), up_to_date()}), k_form);
  EXPECT_EQ(apply({move_in("dd"), snapshot_end()}), Properties{property::protocol}) << "no rows";
  EXPECT_EQ(apply({snapshot_end()}), Properties{property::protocol});
  EXPECT_EQ(apply({move_in("ee"), record(100, moved_in(row("6", "ee"))), snapshot_end()}), k_form);
}

TEST_F(Tags, ARowAfterSnapshotEndIsBroughtByAMoveOrIsARecord) {
  start();
  EXPECT_EQ(apply({row("4", "aa")}), Properties{property::protocol});
}

TEST_F(Tags, AMoveBeforeTheSnapshotHasEndedIsAViolation) {
  EXPECT_EQ(apply({row("1", "aa"), move_out("aa")}), Properties{property::protocol});
}

TEST_F(Tags, TheirFormIsOfTheShapeAndNotOfTheRow) {
  for (const Texts& tags : {Texts{}, {"aa", "bb"}, {"1"}, {"aa/"}, {"aa/", "1"}}) {
    view_->reset();
    start();
    EXPECT_EQ(apply({record(100, with(row("4", ""), tags, {true}))}), k_form);
  }
}

TEST_F(Tags, OneForEachConditionAndOneConditionForEach) {
  EXPECT_EQ(apply({with(row("1", ""), {"aa/", "/bb"}, {true})}), k_form);
  Message none = row("2", "aa");
  none.tags->conditions.reset();
  EXPECT_EQ(apply({none}), k_form);
  EXPECT_EQ(apply({with(row("3", ""), {"aa/bb", "cc/"}, {true, true})}), k_form)
      << "two values in one position";
}

TEST_F(Tags, AMoveIsOfASubqueryOnly) {
  ASSERT_EQ(apply({with(row("1", ""), {"aa/1"}, {true, true}), snapshot_end()}), Properties{});
  EXPECT_EQ(apply({move_in("1", 1)}), k_form);
  EXPECT_EQ(apply({move_in("xx", 2)}), k_form);
}

TEST_F(Tags, AreThereInShapesWithSubqueriesAndOnlyThere) {
  start();
  Message bare = record(100, row("4", "aa"));
  bare.tags.reset();
  EXPECT_EQ(apply({bare}), k_form);
  spec_.inner_tables.clear();
  ClientView plain(spec_);
  Objections found;
  plain.apply({row("1", "aa"), snapshot_end(), move_in("aa")}, LogOffset::before_all(),
              LogOffset::at(1'000, 0), found.sink());
  EXPECT_EQ(found.properties(), (Properties{property::tags_form, property::tags_form}));
}

}  // namespace
}  // namespace holdfast::oracle::test
