// Writers among each other: locks, conflicts, errors, and what a reader sees meanwhile.
#include "tests/postgres_model/fixture.hpp"

namespace holdfast::test {
namespace {

TEST_F(ModelTest, AWriteToARowHeldByAnotherTransactionIsBlockedUntilThatEnds) {
  model->create_table(items());
  run({insert(1, "a")});
  const Session first = model->begin();
  const Session second = model->begin();
  must(first, update(1, "b"));
  EXPECT_EQ(model->execute(second, update(1, "c")).outcome, ExecuteOutcome::blocked);
  EXPECT_EQ(model->execute(second, erase(1)).outcome, ExecuteOutcome::blocked);
  EXPECT_EQ(names(), "a");
  model->log_commit(first, Synchronous::on);
  EXPECT_EQ(model->execute(second, erase(1)).outcome, ExecuteOutcome::blocked)
      << "a logged commit still holds its locks";
  model->show_commit(first);
  EXPECT_EQ(names(), "b");
  must(second, update(1, "c"));
  model->commit(second, Synchronous::on);
  EXPECT_EQ(names(), "c");
}

TEST_F(ModelTest, ADuplicateKeyFailsTheTransaction) {
  model->create_table(items());
  run({insert(1, "a")});
  const Session session = model->begin();
  must(session, insert(2, "b"));
  const ExecuteResult duplicate = model->execute(session, insert(1, "x"));
  EXPECT_EQ(duplicate.outcome, ExecuteOutcome::error);
  EXPECT_EQ(duplicate.error.sqlstate, "23505");
  EXPECT_EQ(model->execute(session, insert(3, "c")).error.sqlstate, "25P02");
  EXPECT_FALSE(model->commit(session, Synchronous::on).committed);
  EXPECT_EQ(names(), "a");
}

TEST_F(ModelTest, AnInsertWaitsForAnUndecidedInsertOfTheSameKey) {
  model->create_table(items());
  const Session first = model->begin();
  const Session second = model->begin();
  must(first, insert(1, "a"));
  EXPECT_EQ(model->execute(second, insert(1, "b")).outcome, ExecuteOutcome::blocked);
  model->rollback(first);
  must(second, insert(1, "b"));
  model->commit(second, Synchronous::on);
  EXPECT_EQ(names(), "b");
}

TEST_F(ModelTest, AnUpdateMayMoveTheKeyButNotOntoAnother) {
  model->create_table(items());
  run({insert(1, "a"), insert(2, "b")});
  const Statement move{StatementKind::update, k_items, {{"id", "3"}}, {{"id", "1"}}, {}};
  run({move});
  EXPECT_EQ(names("id = 3"), "a");
  const Statement onto{StatementKind::update, k_items, {{"id", "2"}}, {{"id", "3"}}, {}};
  const Session session = model->begin();
  EXPECT_EQ(model->execute(session, onto).error.sqlstate, "23505");
}

TEST_F(ModelTest, NotNullAndBadTextsAreRefusedAsPostgresDoes) {
  model->create_table(items());
  const auto error = [&](std::vector<ColumnText> set) {
    const Session session = model->begin();
    return model->execute(session, {StatementKind::insert, k_items, std::move(set), {}, {}})
        .error.sqlstate;
  };
  EXPECT_EQ(error({{"id", std::nullopt}}), "23502");
  EXPECT_EQ(error({{"id", "x"}}), "22P02");
  EXPECT_EQ(error({{"id", "99999999999"}}), "22003");
  EXPECT_EQ(error({{"nosuch", "1"}}), "42703");
}

TEST_F(ModelTest, TruncateExcludesWritersAndReaders) {
  model->create_table(items());
  run({insert(1, "a")});
  const Session writer = model->begin();
  const Session truncater = model->begin();
  must(writer, insert(2, "b"));
  EXPECT_EQ(model->execute(truncater, truncate()).outcome, ExecuteOutcome::blocked);
  model->commit(writer, Synchronous::on);
  {
    auto session = connect();
    auto read = session->begin_snapshot(k_items).value();
    EXPECT_EQ(names(*read), "a,b");
    EXPECT_EQ(model->execute(truncater, truncate()).outcome, ExecuteOutcome::blocked);
  }
  must(truncater, truncate());
  const Session late = model->begin();
  EXPECT_EQ(model->execute(late, insert(3, "c")).outcome, ExecuteOutcome::blocked);
  // A snapshot waits for the lock first, so that it sees the TRUNCATE that it waited for.
  while_waiting.emplace_back([&] { model->commit(truncater, Synchronous::on); });
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  EXPECT_EQ(names(*read), "");
  EXPECT_EQ(truth(VisibleSet{{0}, read->snapshot()}), RowMap{});
  const Session again = model->begin();
  EXPECT_EQ(model->execute(again, truncate()).outcome, ExecuteOutcome::blocked)
      << "held from before the snapshot, whether or not it was read";
}

TEST_F(ModelTest, AReaderSeesItsSnapshotWhateverCommitsLater) {
  model->create_table(items());
  run({insert(1, "a"), insert(2, "b")});
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  run({update(1, "x"), erase(2), insert(3, "c")});
  EXPECT_EQ(names(*read), "a,b");
  EXPECT_EQ(names(), "x,c");
}

TEST_F(ModelTest, LargeResultsComeInBatches) {
  ModelOptions options;
  options.rows_per_batch = 2;
  make_model(options);
  model->create_table(items());
  for (int i = 0; i < 5; ++i) run({insert(i, std::to_string(i))});
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  ASSERT_TRUE(read->start({k_items, {"name", "id"}, ""}).ok());
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 4; ++i) sizes.push_back(read->next().value().rows());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 2, 1, 0}));
}

TEST_F(ModelTest, QueriesThatCannotRunSayWhy) {
  model->create_table(items());
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  using env::DatabaseFailure;
  EXPECT_EQ(read->start({{"public", "nosuch"}, {"id"}, ""}).error().kind,
            DatabaseFailure::undefined_object);
  EXPECT_EQ(read->start({k_items, {"nosuch"}, ""}).error().kind, DatabaseFailure::undefined_object);
  EXPECT_EQ(read->start({k_items, {"id"}, "id = "}).error().sqlstate, "42601");
  EXPECT_EQ(read->start({k_items, {"id"}, "name = 1"}).error().kind, DatabaseFailure::query);
}

TEST_F(ModelTest, TheTruthFollowsCommitPositionsAndSnapshots) {
  model->create_table(items());
  const CommitResult first = run({insert(1, "a")});
  const Session open = model->begin();
  must(open, insert(2, "b"));
  const Snapshot early = model->current_snapshot();
  const CommitResult second = model->commit(open, Synchronous::on);
  const CommitResult third = run({update(1, "c"), erase(2)});
  const auto at = [&](Lsn up_to, std::optional<Snapshot> snapshot = {},
                      const std::string& condition = "") {
    return truth(VisibleSet{up_to, snapshot}, condition);
  };
  using Rows = RowMap;
  EXPECT_EQ(at({0}), Rows{});
  EXPECT_EQ(at(first.commit_lsn), (Rows{{{"1"}, {"a"}}}));
  EXPECT_EQ(at({0}, early), (Rows{{{"1"}, {"a"}}}));
  EXPECT_EQ(at(second.commit_lsn), (Rows{{{"1"}, {"a"}}, {{"2"}, {"b"}}}));
  EXPECT_EQ(at(second.commit_lsn, early, "id > 1"), (Rows{{{"2"}, {"b"}}}));
  EXPECT_EQ(at(third.commit_lsn), (Rows{{{"1"}, {"c"}}}));
  EXPECT_EQ(model->rows({"public", "nosuch"}, {}, "", VisibleSet{}).error().sqlstate, "42P01");
}

TEST_F(ModelTest, ACommittedTruncateEmptiesTheTableForOlderSnapshotsToo) {
  model->create_table(items());
  run({insert(1, "a"), insert(2, "b")});
  auto session = connect();
  auto read = begin_beside_items(*session);
  run({erase(2)});
  const Session writer = model->begin();
  must(writer, insert(3, "c"));
  must(writer, truncate());
  must(writer, insert(4, "d"));
  model->commit(writer, Synchronous::on);
  EXPECT_EQ(names(*read), "") << "neither what it deleted nor what was deleted before it";
  EXPECT_EQ(names(), "d");
  // The truth by visible set knows a TRUNCATE as a deletion by its transaction.
  EXPECT_EQ(truth(VisibleSet{{0}, read->snapshot()}), (RowMap{{{"1"}, {"a"}}, {{"2"}, {"b"}}}));
}

TEST_F(ModelTest, ATruncateThatDidNotCommitTakesNothing) {
  model->create_table(items());
  run({insert(1, "a")});
  auto session = connect();
  auto read = begin_beside_items(*session);
  const Session writer = model->begin();
  must(writer, truncate());
  must(writer, insert(1, "b"));
  model->rollback(writer);
  EXPECT_EQ(names(*read), "a");
  read.reset();
  run({truncate()}, Synchronous::off);
  EXPECT_EQ(names(), "");
  model->crash_and_restart();
  EXPECT_EQ(names(), "a") << "the crash took the commit record, so the old storage is in force";
}

TEST_F(ModelTest, SubSelectsLockTheirTablesAndReadWhatATruncateLeft) {
  const RelationName others{"public", "others"};
  model->create_table(items());
  model->create_table({others, items().columns});
  run({insert(1, "a"), {StatementKind::insert, others, {{"id", "1"}, {"name", "x"}}, {}, {}}});
  const std::string condition = "id IN (SELECT id FROM others WHERE id IN (SELECT id FROM items))";
  const Statement empty{StatementKind::truncate, others, {}, {}, {}};
  auto session = connect();
  {
    auto read = session->begin_snapshot(k_items).value();
    EXPECT_EQ(names(*read, condition), "a");
    const Session blocked = model->begin();
    EXPECT_EQ(model->execute(blocked, empty).outcome, ExecuteOutcome::blocked);
    model->rollback(blocked);
  }
  auto read = session->begin_snapshot(k_items).value();
  const Session truncater = model->begin();
  must(truncater, empty);
  while_waiting.emplace_back([&] { model->commit(truncater, Synchronous::on); });
  EXPECT_EQ(names(*read, condition), "");
  EXPECT_TRUE(while_waiting.empty()) << "it waited for the TRUNCATE of the sub-select's table";
  EXPECT_EQ(names(*read), "a") << "its own table was not truncated";
}

TEST_F(ModelTest, StatementsPrintAsSql) {
  const Statement odd{StatementKind::update,
                      {"public", "a\"b"},
                      {{"x", "it's"}, {"y", std::nullopt}},
                      {{"id", "1"}, {"z", std::nullopt}},
                      {}};
  EXPECT_EQ(odd.to_sql(),
            "UPDATE \"public\".\"a\"\"b\" SET \"x\" = 'it''s', \"y\" = NULL "
            "WHERE \"id\" = '1' AND \"z\" IS NULL");
  EXPECT_EQ(truncate().to_sql(), "TRUNCATE \"public\".\"items\"");
}

}  // namespace
}  // namespace holdfast::test
