// A commit is two steps, and its WAL a third: everything the engine must survive comes from their
// order (postgres.md §27.4).
#include "tests/postgres_model/fixture.hpp"

namespace holdfast::test {
namespace {

using Lines = std::vector<std::string>;

TEST_F(ModelTest, ALoggedCommitIsStreamedBeforeItIsVisible) {
  publish_items();
  auto session = stream();
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  const CommitResult logged = model->log_commit(writer, Synchronous::on);
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('1','a')", "C"}));
  const Snapshot snapshot = model->current_snapshot();
  EXPECT_FALSE(snapshot.sees(logged.xid.truncated()));
  EXPECT_EQ(names(), "");
  model->show_commit(writer);
  EXPECT_TRUE(model->current_snapshot().sees(logged.xid.truncated()));
  EXPECT_EQ(names(), "a");
}

TEST_F(ModelTest, AnAsynchronousCommitIsVisibleBeforeItIsStreamed) {
  publish_items();
  auto session = stream();
  const CommitResult commit = run({insert(1, "a")}, Synchronous::off);
  EXPECT_EQ(names(), "a");
  EXPECT_EQ(receive(*session).lines, Lines{});
  EXPECT_LT(model->flushed_position(), commit.end_lsn);
  EXPECT_GE(model->current_snapshot().insert_lsn, commit.end_lsn);
  // The WAL writer's tick flushes it.
  const auto messages = session->receive(now + std::chrono::seconds(1));
  ASSERT_TRUE(messages.ok());
  EXPECT_FALSE(messages->empty());
  EXPECT_LE(now.since_start, std::chrono::milliseconds(200));
}

TEST_F(ModelTest, ASynchronousCommitFlushesTheAsynchronousOnesBeforeIt) {
  publish_items();
  auto session = stream();
  run({insert(1, "a")}, Synchronous::off);
  run({insert(2, "b")}, Synchronous::on);
  EXPECT_EQ(receive(*session).lines.size(), 6U);
}

TEST_F(ModelTest, StreamOrderIsTheOrderOfCommitRecordsNotOfVisibility) {
  publish_items();
  auto session = stream();
  const Session first = model->begin();
  const Session second = model->begin();
  must(second, insert(2, "b"));
  must(first, insert(1, "a"));
  model->log_commit(first, Synchronous::on);
  model->log_commit(second, Synchronous::on);
  model->show_commit(second);
  EXPECT_EQ(names(), "b") << "the first commit is still invisible";
  model->show_commit(first);
  EXPECT_EQ(receive(*session).lines,
            (Lines{"B", "I public.items N('1','a')", "C", "B", "I public.items N('2','b')", "C"}));
  EXPECT_GT(teller.xids[0], teller.xids[1]) << "xids are given at the first write";
}

TEST_F(ModelTest, ASnapshotNamesThoseInProgressBelowItsEnd) {
  model->create_table(items());
  const Snapshot before = model->current_snapshot();
  const Session slow = model->begin();
  must(slow, insert(1, "a"));
  EXPECT_EQ(model->current_snapshot().xmax, before.xmax) << "nothing has completed since";
  EXPECT_EQ(model->current_snapshot().xmin, before.xmax);
  EXPECT_TRUE(model->current_snapshot().xip.empty());
  const CommitResult quick = run({insert(2, "b")});
  const Snapshot after = model->current_snapshot();
  EXPECT_EQ(after.xmax.value, quick.xid.value + 1);
  EXPECT_EQ(after.xip, (std::vector{FullXid{quick.xid.value - 1}}));
  EXPECT_EQ(after.xmin, after.xip.front());
  model->rollback(slow);
  EXPECT_EQ(model->current_snapshot().xmin, after.xmax);
}

TEST_F(ModelTest, ReadersGetAnXidOnlyWhenTheyWrite) {
  model->create_table(items());
  const FullXid before = model->current_snapshot().xmax;
  const Session session = model->begin();
  EXPECT_EQ(model->commit(session, Synchronous::on).xid.value, 0U);
  EXPECT_EQ(model->current_snapshot().xmax, before);
}

TEST_F(ModelTest, XidsSkipTheReservedOnesOfANewEpoch) {
  ModelOptions options;
  options.first_xid = {(1ULL << 32) - 2};
  make_model(options);
  model->create_table(items());
  EXPECT_EQ(run({insert(1, "a")}).xid.value, (1ULL << 32) - 1);
  EXPECT_EQ(run({insert(2, "b")}).xid.value, (1ULL << 32) + 3);
}

TEST_F(ModelTest, PositionsGrowThroughPagesAndNear2To63) {
  ModelOptions options;
  options.first_lsn = {(1ULL << 63) - 64};
  make_model(options);
  publish_items();
  auto session = stream();
  for (int i = 0; i < 100; ++i) run({insert(i, std::string(200, 'x'))});
  receive(*session);
  ASSERT_EQ(teller.final_lsns.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_LT(teller.final_lsns[i], teller.end_lsns[i]);
    EXPECT_EQ(teller.final_lsns[i] % 8, 0U);
    EXPECT_GE(teller.final_lsns[i] % 8192, 24U) << "a page begins with its header";
    EXPECT_GE(teller.final_lsns[i], i == 0 ? 0 : teller.end_lsns[i - 1]);
  }
  EXPECT_GT(teller.final_lsns.back(), 1ULL << 63);
}

TEST_F(ModelTest, CommitPausesBeforeEachStep) {
  model->create_table(items());
  Lines labels;
  const Session session = model->begin();
  must(session, insert(1, "a"));
  on_pause = [&](const char* label) { labels.emplace_back(label); };
  model->commit(session, Synchronous::on);
  EXPECT_EQ(labels, (Lines{"pg.commit", "pg.commit.visible"}));
}

TEST_F(ModelTest, ACrashBetweenTheStepsKeepsAFlushedCommit) {
  model->create_table(items());
  const Session session = model->begin();
  must(session, insert(1, "a"));
  on_pause = [&](const char* label) {
    if (std::string(label) == "pg.commit.visible") model->crash_and_restart();
  };
  EXPECT_TRUE(model->commit(session, Synchronous::on).committed);
  on_pause = nullptr;
  EXPECT_EQ(names(), "a");
}

}  // namespace
}  // namespace holdfast::test
