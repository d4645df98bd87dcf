// The rules of the splice, each in the shortest story that goes wrong without it: those that are
// guards, and those that no whole history needs, since others stand before them. One shape over
// tasks of some projects; project 2 has come, and the query for its tasks is under way.
#include <gtest/gtest.h>

#include "core/base/guard_list.hpp"
#include "core/subquery/outer_shape.hpp"
#include "tests/subquery/reader.hpp"
#include "tests/subquery/relations.hpp"

namespace holdfast::subquery {
namespace {

postgres::RelationInfo relation(const char* name, std::uint32_t oid, const char* second) {
  return two_columns(name, oid, second, {20}, "int8");
}

class Story {
 public:
  explicit Story(Rules rules)
      : definition_(resolve()), shape_(definition_, {"1-1"}, with_project_1(), options(rules)) {
    handle(shape_.begin());
    handle(shape_.on_snapshot(query_, {{5}, {5}, {}, {50}}));
    row(query_, "1", "1");
    handle(shape_.on_rows_complete(query_));
    handle(shape_.on_position({60}));
    projects_.apply(inner_row(inner(), {0}, {"2", "0"}, nullptr));
    handle(shape_.on_moves(0, projects_.commit({9})));
  }

  std::uint64_t query() const { return query_; }
  /// A transaction that gives a task another project; empty: it comes, or goes.
  void update(std::uint32_t xid, std::uint64_t commit, const char* id, const char* from,
              const char* to) {
    auto made = std::make_shared<postgres::Transaction>();
    made->xid = {xid};
    made->commit_lsn = {commit};
    postgres::Change change;
    change.kind = *from == 0 ? postgres::ChangeKind::insert : postgres::ChangeKind::update;
    if (*from != 0) change.old_tuple = {id, from};
    change.new_tuple = {id, to};
    made->changes.push_back(change);
    handle(shape_.on_transaction({made, {0}}));
  }
  /// The same for tasks that come, of a transaction that goes on.
  void insert_in_part(std::uint32_t xid, std::uint64_t commit, std::vector<const char*> ids,
                      const char* to) {
    auto made = std::make_shared<postgres::Transaction>();
    made->xid = {xid};
    made->commit_lsn = {commit};
    made->ends = false;
    OuterTransaction outer;
    for (const char* id : ids) {
      postgres::Change change;
      change.op = 2 * made->changes.size();
      change.new_tuple = {id, to};
      outer.changes.push_back(static_cast<std::uint32_t>(made->changes.size()));
      made->changes.push_back(change);
    }
    outer.transaction = std::move(made);
    handle(shape_.on_transaction(outer));
  }
  void project_1_goes() {
    InnerChange gone;
    gone.kind = InnerChange::Kind::erase;
    gone.key = inner_row(inner(), {0}, {"1", "0"}, nullptr).key;
    projects_.apply(gone);
    handle(shape_.on_moves(0, projects_.commit({12})));
  }
  void row(std::uint64_t attempt, const char* id, const char* project) {
    postgres::RowBatch batch(2);
    batch.add_cell(id);
    batch.add_cell(project);
    handle(shape_.on_rows(attempt, batch));
  }
  /// The query's snapshot, which does not see these transactions of those below 20.
  void snapshot(std::vector<postgres::FullXid> hidden, std::uint64_t insert_lsn) {
    handle(shape_.on_snapshot(
        query_,
        {hidden.empty() ? postgres::FullXid{20} : hidden.front(), {20}, hidden, {insert_lsn}}));
  }
  void complete() { handle(shape_.on_rows_complete(query_)); }
  void fail() { handle(shape_.on_failed(query_)); }
  void position(std::uint64_t lsn) { handle(shape_.on_position({lsn})); }

  bool steady() const { return shape_.steady(); }
  /// What a strict reader objects to; empty: nothing.
  const std::string& trouble() const { return reader_.trouble; }
  std::string rows() const {
    std::string text;
    for (const auto& [id, seen] : reader_.rows)
      text += id + "=" + seen.cells.at("project").get<std::string>() + " ";
    return text;
  }

 private:
  static const where::Relations& relations() {
    static const where::Relations made = {relation("tasks", 1, "project"),
                                          relation("projects", 2, "size")};
    return made;
  }
  static std::shared_ptr<const shape::Definition> resolve() {
    auto made =
        shape::Definition::resolve({.table = relations().front().name,
                                    .columns = {},
                                    .where = "project IN (SELECT id FROM projects) OR id > 100"},
                                   relations().front(), &relations());
    EXPECT_TRUE(made.ok());
    return std::make_shared<const shape::Definition>(std::move(*made));
  }
  static OuterShape::Options options(Rules rules) {
    OuterShape::Options made;
    made.rules = rules;
    made.piece_bytes = 1;
    return made;
  }
  const shape::Definition& inner() const { return *definition_->dependencies().front().inner; }
  Views with_project_1() {
    projects_.apply(inner_row(inner(), {0}, {"1", "0"}, nullptr));
    (void)projects_.commit({});
    return Views({projects_.values()});
  }
  void handle(Output output) {
    snapshot_rows_.insert(snapshot_rows_.end(), output.snapshot_rows.begin(),
                          output.snapshot_rows.end());
    if (output.snapshot_complete) reader_.start(snapshot_rows_);
    for (const shape::LogItem& item : output.items) reader_.apply(item);
    if (output.query) query_ = output.query->attempt;
    if (!shape_.splicing()) return;
    auto next = shape_.go_on({});
    ASSERT_TRUE(next.ok()) << next.error().message;
    handle(std::move(*next));
  }

  std::shared_ptr<const shape::Definition> definition_;
  MaterializerState projects_;
  OuterShape shape_;
  std::uint64_t query_ = 0;
  std::vector<std::string> snapshot_rows_;
  test::Reader reader_;
};

/// Answers with what is wrong in the end.
std::string told(Rules rules, void (*story)(Story&), const std::string& rows) {
  Story made(rules);
  EXPECT_EQ(made.rows(), "1=1 ");
  story(made);
  if (!made.trouble().empty()) return made.trouble();
  if (!made.steady()) return "it is not spliced";
  return made.rows() == rows ? "" : "the rows are " + made.rows();
}

Rules without(Guard guard) {
  Guards guards = Guards::all();
  guards.switch_off(guard);
  return Rules(guards);
}

// F-67. Under the old view, where project 2 is not, the task is nothing.
void a_task_of_the_new_project_comes_during_the_query(Story& story) {
  story.update(21, 140, "7", "", "2");
  story.snapshot({}, 100);
  story.complete();
  story.position(150);
}

TEST(SpliceRules, WhatComesDuringAQueryIsConvertedUnderTheViewThatItBrings) {
  const std::string rows = "1=1 7=2 ";
  EXPECT_EQ(told({}, a_task_of_the_new_project_comes_during_the_query, rows), "");
  EXPECT_EQ(told(without(Guard::convert_at_the_splice),
                 a_task_of_the_new_project_comes_during_the_query, rows),
            "the rows are 1=1 ");
}

// B2. Once while it is spliced, once as a new session brings it again.
void a_transaction_is_replayed(Story& story) {
  story.snapshot({}, 100);
  story.complete();
  story.position(130);
  for (int session = 1; session <= 2; ++session) story.update(21, 140, "7", "", "1");
}

TEST(SpliceRules, ATransactionThatWasHandledIsNotHandledAgain) {
  const std::string rows = "1=1 7=1 ";
  EXPECT_EQ(told({}, a_transaction_is_replayed, rows), "");
  EXPECT_EQ(told(without(Guard::drop_replayed_transactions), a_transaction_is_replayed, rows),
            "an offset does not grow: 140_0");
}

// F-30. Transaction 11 is invisible and comes first; 10 is visible and comes later, and its row
// is among the query's.
void visible_after_invisible(Story& story) {
  story.snapshot({{11}}, 200);
  story.row(story.query(), "7", "2");
  story.complete();
  story.update(11, 140, "8", "", "2");
  story.update(10, 150, "7", "", "2");
  story.position(200);
  if (story.steady()) return;
  // Another query sees both.
  story.snapshot({}, 210);
  story.row(story.query(), "7", "2");
  story.row(story.query(), "8", "2");
  story.complete();
  story.position(210);
}

TEST(SpliceRules, TheFirstInvisibleTransactionDoesNotEndTheWait) {
  const std::string rows = "1=1 7=2 8=2 ";
  EXPECT_EQ(told({}, visible_after_invisible, rows), "");
  Rules off;
  off.wait_for_the_insert_position = false;
  EXPECT_NE(told(off, visible_after_invisible, rows), "");
}

// §3.6. Both are of rows that the shape has: the visible one would have to be written first.
void updates_that_change_places(Story& story) {
  story.snapshot({{11}}, 200);
  story.complete();
  story.update(11, 140, "2", "", "1");
  story.update(10, 150, "3", "", "1");
  story.position(200);
  if (story.steady()) return;
  story.snapshot({}, 210);
  story.complete();
  story.position(210);
}

TEST(SpliceRules, AVisibleTransactionAfterAnInvisibleOneWantsTheQueryAgain) {
  const std::string rows = "1=1 2=1 3=1 ";
  EXPECT_EQ(told({}, updates_that_change_places, rows), "");
  Rules off;
  off.query_again_on_inversion = false;
  EXPECT_EQ(told(off, updates_that_change_places, rows).substr(0, 26),
            "an offset does not grow: 1");
}

// F-80. The rows of an attempt that has failed come after those of the next have begun.
void rows_of_a_void_attempt(Story& story) {
  const std::uint64_t first = story.query();
  story.row(first, "7", "2");
  story.fail();
  story.snapshot({}, 200);
  story.row(story.query(), "7", "2");
  story.row(first, "9", "2");  // a task that has gone since
  story.complete();
  story.position(200);
}

TEST(SpliceRules, AResultBelongsToTheAttemptThatAskedForIt) {
  const std::string rows = "1=1 7=2 ";
  EXPECT_EQ(told({}, rows_of_a_void_attempt, rows), "");
  Rules off;
  off.attempts_have_numbers = false;
  EXPECT_EQ(told(off, rows_of_a_void_attempt, rows), "the rows are 1=1 7=2 9=2 ");
}

// A splice of several pieces begins with the end of a transaction, and a move waits for both.
void move_after_a_transaction_in_parts(Story& story) {
  story.snapshot({}, 100);
  story.row(story.query(), "7", "2");
  story.complete();
  story.insert_in_part(21, 140, {"103", "104", "5"}, "1");
  story.project_1_goes();
  EXPECT_FALSE(story.steady());
  story.position(150);
}

TEST(SpliceRules, WhatMovesAfterATransactionInPartsMovesAfterAllItsPieces) {
  EXPECT_EQ(told({}, move_after_a_transaction_in_parts, "103=1 104=1 7=2 "), "");
}

}  // namespace
}  // namespace holdfast::subquery
