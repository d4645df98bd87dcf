// What breaks: crashes, dropped and half-open connections, the advisory lock and its breaker.
#include "tests/postgres_model/fixture.hpp"

namespace holdfast::test {
namespace {

using env::DatabaseFailure;
using Lines = std::vector<std::string>;

TEST_F(ModelTest, ACrashLosesCommitsThatWereVisibleButNotFlushed) {
  publish_items();
  run({insert(1, "a")});
  const CommitResult lost = run({insert(2, "b"), update(1, "x")}, Synchronous::off);
  EXPECT_EQ(names(), "b,x");
  EXPECT_EQ(model->crash_and_restart(), 1U);
  EXPECT_EQ(names(), "a");
  EXPECT_LT(model->current_snapshot().xmin, FullXid{lost.xid.value + 1})
      << "its id is handed out again";
  auto session = stream();
  const CommitResult again = run({insert(2, "c")});
  EXPECT_EQ(again.xid, lost.xid);
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('2','c')", "C"}));
}

// The queue was forgotten in the crash, and left after it: nobody could write from then on.
TEST_F(ModelTest, ACrashWhileSomebodyQueuesForATableLeavesItUsable) {
  model->create_table(items());
  model->create_publication("pub");
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  auto session = connect();
  while_waiting.emplace_back([&] { model->crash_and_restart(); });
  EXPECT_EQ(session->publish("pub", k_items).error().kind, DatabaseFailure::connection);
  run({insert(2, "b")});
  EXPECT_EQ(names(), "b");
}

TEST_F(ModelTest, ASlotThatIsMadeAgainStandsBeyondWhatWasConfirmed) {
  publish_items();
  auto session = stream();
  const CommitResult last = run({insert(1, "a")});
  ASSERT_TRUE(session->send_status(last.end_lsn, last.end_lsn).ok());
  session.reset();
  ASSERT_TRUE(model->drop_slot("slot"));
  model->make_slot("slot");
  EXPECT_GT(model->slot("slot")->confirmed_flush, last.end_lsn);
}

TEST_F(ModelTest, ASnapshotThatOutlastsCrashesFlushesWhatItSaw) {
  publish_items();
  run({insert(1, "a")}, Synchronous::off);
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  EXPECT_EQ(names(*read), "a");
  ASSERT_LT(model->flushed_position(), read->snapshot().insert_lsn);
  ASSERT_TRUE(read->outlast_crashes().ok());
  read.reset();
  EXPECT_EQ(model->crash_and_restart(), 0U);
  EXPECT_EQ(names(), "a");
}

TEST_F(ModelTest, ASnapshotOfAServerThatCrashedIsNotVouchedFor) {
  publish_items();
  run({insert(1, "a")}, Synchronous::off);
  auto session = connect();
  auto read = session->begin_snapshot(k_items).value();
  EXPECT_EQ(names(*read), "a");
  EXPECT_EQ(model->crash_and_restart(), 1U);
  EXPECT_EQ(read->outlast_crashes().error().kind, DatabaseFailure::connection);
}

TEST_F(ModelTest, ACrashEndsSessionsAndOpenTransactions) {
  publish_items();
  auto session = stream();
  auto query = connect();
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  model->flush_wal();
  model->crash_and_restart();
  EXPECT_FALSE(model->open(writer));
  EXPECT_EQ(model->execute(writer, insert(2, "b")).outcome, ExecuteOutcome::error);
  EXPECT_FALSE(model->commit(writer, Synchronous::on).committed);
  EXPECT_EQ(session->receive(now).error().kind, DatabaseFailure::connection);
  EXPECT_EQ(query->published("pub").error().kind, DatabaseFailure::connection);
  EXPECT_EQ(names(), "");
}

TEST_F(ModelTest, ASlotMayGoBackToItsCheckpointInACrash) {
  publish_items();
  auto session = stream();
  const CommitResult first = run({insert(1, "a")});
  ASSERT_TRUE(session->send_status(first.end_lsn, first.end_lsn).ok());
  model->checkpoint();
  const CommitResult second = run({insert(2, "b")});
  ASSERT_TRUE(session->send_status(second.end_lsn, second.end_lsn).ok());
  EXPECT_EQ(model->slot("slot")->confirmed_flush, second.end_lsn);
  model->crash_and_restart(SlotsAfterCrash::keep);
  EXPECT_EQ(model->slot("slot")->confirmed_flush, second.end_lsn);
  session = stream();
  run({insert(3, "c")});
  model->crash_and_restart(SlotsAfterCrash::back_to_checkpoint);
  EXPECT_EQ(model->slot("slot")->confirmed_flush, second.end_lsn)
      << "the end of recovery is a checkpoint of its own";
}

TEST_F(ModelTest, ASlotGoesBackToTheLastCheckpointNotFurther) {
  publish_items();
  auto session = stream();
  const CommitResult first = run({insert(1, "a")});
  ASSERT_TRUE(session->send_status(first.end_lsn, first.end_lsn).ok());
  model->checkpoint();
  const CommitResult second = run({insert(2, "b")});
  ASSERT_TRUE(session->send_status(second.end_lsn, second.end_lsn).ok());
  model->crash_and_restart();
  EXPECT_EQ(model->slot("slot")->confirmed_flush, first.end_lsn);
  session = stream();
  EXPECT_EQ(receive(*session).final_lsns, (std::vector{second.commit_lsn.value}));
}

TEST_F(ModelTest, PromotionChangesTheTimelineAndLosesSlots) {
  publish_items();
  auto session = stream();
  const auto before = session->identify_system().value();
  model->promote_standby();
  auto after = connect_replication();
  EXPECT_EQ(after->identify_system().value().timeline, before.timeline + 1);
  EXPECT_EQ(after->identify_system().value().system_identifier, before.system_identifier);
  EXPECT_FALSE(model->slot("slot").has_value());
}

TEST_F(ModelTest, DisconnectedSessionsFailAndUnreachableInstancesCannotConnect) {
  auto mine = connect();
  auto others = model->database(1).connect().value();
  model->disconnect(0);
  EXPECT_EQ(mine->inspect(k_items).error().kind, DatabaseFailure::connection);
  EXPECT_TRUE(others->inspect(k_items).ok());
  model->set_reachable(0, false);
  EXPECT_EQ(model->database(0).connect().error().kind, DatabaseFailure::connection);
  EXPECT_TRUE(model->database(1).connect().ok());
  model->set_reachable(0, true);
  EXPECT_TRUE(model->database(0).connect().ok());
}

TEST_F(ModelTest, TheLockPassesToTheNextWhenItsSessionEnds) {
  auto first = connect_replication();
  auto second = model->database(1).connect_replication().value();
  ASSERT_TRUE(first->acquire_lock("slot").ok());
  ASSERT_TRUE(first->acquire_lock("slot").ok()) << "again, by the one who has it";
  const auto holder = model->lock_holder("slot");
  bool waited = false;
  while_waiting.emplace_back([&] {
    waited = true;
    EXPECT_EQ(model->lock_holder("slot"), holder);
    first.reset();
  });
  ASSERT_TRUE(second->acquire_lock("slot").ok());
  EXPECT_TRUE(waited);
  EXPECT_NE(model->lock_holder("slot"), holder);
}

TEST_F(ModelTest, AKilledWaiterLeavesTheQueue) {
  auto first = connect_replication();
  ASSERT_TRUE(first->acquire_lock("slot").ok());
  {
    auto waiter = connect_replication();
    EXPECT_THROW((void)waiter->acquire_lock("slot"), WaitsForEver) << "unwound as by a kill";
  }
  first.reset();
  EXPECT_FALSE(model->lock_holder("slot").has_value());
}

TEST_F(ModelTest, AHalfOpenBackendKeepsItsLockUntilItIsBroken) {
  publish_items();
  auto holder = connect_replication();
  ASSERT_TRUE(holder->acquire_lock("slot").ok());
  ASSERT_TRUE(holder->ensure_slot("slot").ok());
  model->disconnect(0, HalfOpen::yes);
  EXPECT_EQ(holder->settings().error().kind, DatabaseFailure::connection);
  holder.reset();
  EXPECT_TRUE(model->lock_holder("slot").has_value());
  auto breaker = connect();
  EXPECT_EQ(breaker->break_lock("nosuch").value(), 0U);
  EXPECT_EQ(breaker->break_lock("slot").value(), 0U) << "it was busy a moment ago";
  model->move_time(std::chrono::seconds(5));
  EXPECT_EQ(breaker->break_lock("slot").value(), 1U);
  EXPECT_FALSE(model->lock_holder("slot").has_value());
  EXPECT_EQ(breaker->break_lock("slot").value(), 0U);
}

TEST_F(ModelTest, TheBreakerEndsWhoWasLostBeforeItMadeTheSlot) {
  auto holder = connect_replication();
  ASSERT_TRUE(holder->acquire_lock("slot").ok());
  model->disconnect(0, HalfOpen::yes);
  holder.reset();
  model->move_time(std::chrono::seconds(5));
  EXPECT_EQ(connect()->break_lock("slot").value(), 1U);
}

TEST_F(ModelTest, TheBreakerSparesWhoIsMakingTheSlot) {
  model->create_table(items());
  auto holder = connect_replication();
  ASSERT_TRUE(holder->acquire_lock("slot").ok());
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  while_waiting.emplace_back([&] {
    model->move_time(std::chrono::minutes(1));
    now = now + std::chrono::minutes(1);
    EXPECT_EQ(connect()->break_lock("slot").value(), 0U);
    model->rollback(writer);
  });
  EXPECT_TRUE(holder->ensure_slot("slot").ok());
}

TEST_F(ModelTest, TheBreakerSparesAnActiveSlotUntilItsSenderTimesOut) {
  publish_items();
  auto session = connect_replication();
  ASSERT_TRUE(session->acquire_lock("slot").ok());
  ASSERT_TRUE(session->ensure_slot("slot").ok());
  ASSERT_TRUE(session->start_streaming("slot", "pub").ok());
  model->disconnect(0, HalfOpen::yes);
  session.reset();
  auto breaker = connect();
  EXPECT_EQ(breaker->break_lock("slot").value(), 0U);
  EXPECT_TRUE(model->slot("slot")->active_pid.has_value());
  model->move_time(std::chrono::seconds(61));
  EXPECT_FALSE(model->slot("slot")->active_pid.has_value());
  EXPECT_FALSE(model->lock_holder("slot").has_value());
}

TEST_F(ModelTest, WhoeverBytesVanishForFindsOutByItself) {
  publish_items();
  auto session = stream();
  auto query = connect();
  model->fall_silent(std::chrono::seconds(15));
  const auto nothing = session->receive(now + std::chrono::seconds(10));
  ASSERT_TRUE(nothing.ok()) << "nobody has said yet that the connection is gone";
  EXPECT_TRUE(nothing->empty());
  EXPECT_TRUE(model->slot("slot")->active_pid.has_value()) << "the server does not know either";
  const Instant asked = now;
  EXPECT_EQ(query->inspect(k_items).error().kind, DatabaseFailure::connection);
  EXPECT_EQ(now - asked, std::chrono::seconds(5)) << "the rest of the 15 s";
  EXPECT_EQ(session->receive(now).error().kind, DatabaseFailure::connection);
  EXPECT_TRUE(connect()->inspect(k_items).ok()) << "new connections work";
}

TEST_F(ModelTest, WhoeverBytesVanishForConfirmsNothing) {
  publish_items();
  auto session = stream();
  const CommitResult commit = run({insert(1, "a")});
  const Lsn before = model->slot("slot")->confirmed_flush;
  model->fall_silent(std::chrono::seconds(15));
  EXPECT_TRUE(session->send_status(commit.end_lsn, commit.end_lsn).ok()) << "into a buffer";
  EXPECT_EQ(model->slot("slot")->confirmed_flush, before);
}

TEST_F(ModelTest, WhoeverBytesVanishForGoesOnListeningToASessionThatHasEnded) {
  publish_items();
  auto session = stream();
  model->fall_silent(std::chrono::seconds(15));
  model->disconnect_all();
  const auto nothing = session->receive(now + std::chrono::seconds(10));
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->empty());
  EXPECT_FALSE(session->receive(now + std::chrono::seconds(10)).ok());
}

TEST_F(ModelTest, WhoeverBytesVanishForFindsOutEvenIfTheServerHasForgottenTheSession) {
  auto first = connect_replication();
  ASSERT_TRUE(first->acquire_lock("slot").ok());
  auto second = connect_replication();
  while_waiting.emplace_back([&] {
    model->fall_silent(std::chrono::seconds(15));
    model->disconnect_all();
  });
  const Instant asked = now;
  EXPECT_EQ(second->acquire_lock("slot").error().kind, DatabaseFailure::connection);
  EXPECT_EQ(now - asked, std::chrono::seconds(15));
}

TEST_F(ModelTest, AnOrderlyShutdownWaitsUntilTheStreamIsConfirmed) {
  publish_items();
  auto session = stream();
  auto query = connect();
  const CommitResult last = run({insert(1, "a")}, Synchronous::off);
  const Session open = model->begin();
  must(open, insert(2, "b"));
  model->begin_shutdown();
  EXPECT_EQ(query->inspect(k_items).error().kind, DatabaseFailure::connection);
  EXPECT_EQ(model->database(0).connect().error().sqlstate, "57P03");
  EXPECT_FALSE(model->open(open));
  EXPECT_EQ(model->execute(model->begin(), insert(3, "c")).outcome, ExecuteOutcome::error);
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('1','a')", "C"}));
  EXPECT_FALSE(model->has_shut_down());
  ASSERT_TRUE(session->send_status(last.end_lsn, last.end_lsn).ok());
  EXPECT_FALSE(model->has_shut_down()) << "the abort of the open transaction is in the log, too";
  const Lsn end = model->flushed_position();
  ASSERT_TRUE(session->send_status(end, end).ok());
  EXPECT_TRUE(model->has_shut_down());
  model->start_again();
  EXPECT_EQ(names(), "a");
  EXPECT_EQ(model->slot("slot")->confirmed_flush, end);
}

TEST_F(ModelTest, AFloodOfKeepalivesAsksForRepliesUntilItsTime) {
  publish_items();
  auto session = stream();
  model->flood_keepalives(now + std::chrono::milliseconds(10));
  std::size_t flooded = 0;
  while (now < Instant{} + std::chrono::milliseconds(50)) {
    const auto messages = session->receive(now + std::chrono::milliseconds(20));
    ASSERT_TRUE(messages.ok());
    flooded += messages->size();
    if (messages->empty()) break;
    model->move_time(std::chrono::milliseconds(1));
    now = {now.since_start + std::chrono::milliseconds(1)};
  }
  EXPECT_GE(flooded, 4U);
  EXPECT_LE(flooded, 8U);
  EXPECT_GE(model->trouble().flooded, 4U);
}

TEST_F(ModelTest, QueriesAreSlowForAWhile) {
  publish_items();
  auto query = connect();
  model->slow_queries(now + std::chrono::seconds(60));
  ASSERT_TRUE(query->inspect(k_items).ok());
  EXPECT_GE(now, Instant{} + std::chrono::milliseconds(50));
  EXPECT_EQ(model->trouble().slowed, 1U);
  model->slow_queries({});
  const Instant before = now;
  ASSERT_TRUE(query->inspect(k_items).ok());
  EXPECT_EQ(now, before);
}

TEST_F(ModelTest, AStandbyMayHaveTheSlotAsItWas) {
  publish_items();
  auto session = stream();
  const CommitResult first = run({insert(1, "a")});
  ASSERT_TRUE(session->send_status(first.end_lsn, first.end_lsn).ok());
  model->checkpoint();
  const CommitResult second = run({insert(2, "b")});
  ASSERT_TRUE(session->send_status(second.end_lsn, second.end_lsn).ok());
  model->promote_standby(PostgresModel::StandbySlots::behind);
  EXPECT_EQ(model->slot("slot")->confirmed_flush, first.end_lsn);
  EXPECT_EQ(connect_replication()->identify_system().value().timeline, 2U);
}

TEST_F(ModelTest, ANewPublicationNeedsANewSlot) {
  publish_items();
  auto session = connect_replication();
  ASSERT_TRUE(session->ensure_slot("slot").value().created);
  model->drop_publication("pub");
  session = connect_replication();
  ASSERT_TRUE(session->ensure_publication("pub").value());
  EXPECT_TRUE(session->ensure_slot("slot").value().created);
}

// As production does it: a crash between the two leaves no publication that an older slot does not
// know.
TEST_F(ModelTest, ANewPublicationIsCommittedWithTheNewSlot) {
  publish_items();
  ASSERT_TRUE(connect_replication()->ensure_slot("slot").value().created);
  model->drop_publication("pub");
  {
    auto session = connect_replication();
    ASSERT_TRUE(session->ensure_publication("pub").value());
    EXPECT_FALSE(connect()->publish("pub", k_items).ok()) << "nobody else sees it yet";
  }
  auto session = connect_replication();
  EXPECT_TRUE(session->ensure_publication("pub").value()) << "who was to commit it has gone";
  EXPECT_TRUE(session->ensure_slot("slot").value().created);
  EXPECT_TRUE(connect()->publish("pub", k_items).ok());
}

TEST_F(ModelTest, SchemaChangesShowInTheCatalogueTheStreamAndTheRows) {
  publish_items();
  auto session = stream();
  run({insert(1, "a")});
  ASSERT_TRUE(model->add_column(k_items, {"n", TypeId::numeric, false, 0, 0}));
  run({{StatementKind::update, k_items, {{"n", "1.50"}}, {{"id", "1"}}, {}}});
  ASSERT_TRUE(model->rename_column(k_items, "n", "m"));
  ASSERT_TRUE(model->drop_column(k_items, "name"));
  run({{StatementKind::insert, k_items, {{"id", "2"}, {"m", "7"}}, {}, {}}});
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('1','a')", "C", "B",
                                            "U public.items O('1','a',NULL) N('1','a','1.50')", "C",
                                            "B", "I public.items N('2','7')", "C"}));
  EXPECT_EQ(teller.relations.size(), 3U);
  EXPECT_EQ(model->describe(k_items)->columns.size(), 2U);
  ASSERT_TRUE(model->rename_table(k_items, {"public", "renamed"}));
  EXPECT_FALSE(model->describe(k_items).has_value());
  const auto rows =
      model->rows({"public", "renamed"}, {"m"}, "m > 2", VisibleSet{{UINT64_MAX}, {}});
  EXPECT_EQ(rows.value(), (RowMap{{{"2"}, {"7"}}}));
  ASSERT_TRUE(model->drop_table({"public", "renamed"}));
  EXPECT_FALSE(connect()->inspect({"public", "renamed"}).value().has_value());
}

}  // namespace
}  // namespace holdfast::test
