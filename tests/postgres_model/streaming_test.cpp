// What the walsender side of the model gives: contents, positions, restarts, keepalives.
#include "tests/postgres_model/fixture.hpp"

namespace holdfast::test {
namespace {

using Lines = std::vector<std::string>;

TEST_F(ModelTest, StreamsACommittedTransactionWithFullOldRows) {
  publish_items();
  auto session = stream();
  const CommitResult commit = run({insert(1, "a"), update(1, "b"), erase(1)});
  EXPECT_EQ(receive(*session).lines,
            (Lines{"B", "I public.items N('1','a')", "U public.items O('1','a') N('1','b')",
                   "D public.items O('1','b')", "C"}));
  EXPECT_EQ(teller.final_lsns, (std::vector{commit.commit_lsn.value}));
  EXPECT_EQ(teller.end_lsns, (std::vector{commit.end_lsn.value}));
  EXPECT_EQ(teller.xids, (std::vector{commit.xid.truncated().value}));
  EXPECT_EQ(teller.relations, (Lines{"public.items f id*:23/-1 name*:25/-1"}));
}

TEST_F(ModelTest, EmptyAndUnpublishedTransactionsAreLeftOut) {
  publish_items();
  TableDefinition other = items();
  other.name = {"public", "other"};
  model->create_table(other);
  auto session = stream();
  Statement into_other = insert(1, "a");
  into_other.table = other.name;
  run({into_other});
  run({});
  EXPECT_EQ(receive(*session).lines, Lines{});
  EXPECT_EQ(teller.keepalives.back(), model->flushed_position().value)
      << "but the position moves on";
}

TEST_F(ModelTest, RolledBackTransactionsAreNotStreamed) {
  publish_items();
  auto session = stream();
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  model->rollback(writer);
  EXPECT_EQ(receive(*session).lines, Lines{});
}

TEST_F(ModelTest, TruncateNamesItsPublishedTables) {
  publish_items();
  TableDefinition other = items();
  other.name = {"public", "other"};
  model->create_table(other);
  auto session = stream();
  run({{StatementKind::truncate, {"public", "other"}, {}, {}, {k_items}}});
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "T 0 public.items", "C"}));
}

TEST_F(ModelTest, DefaultIdentitySendsKeysOnly) {
  publish_items();
  model->set_replica_identity(k_items, ReplicaIdentity::by_default);
  auto session = stream();
  const Statement move{StatementKind::update, k_items, {{"id", "2"}}, {{"id", "1"}}, {}};
  run({insert(1, "a"), update(1, "b"), move, erase(2)});
  EXPECT_EQ(receive(*session).lines,
            (Lines{"B", "I public.items N('1','a')", "U public.items N('1','b')",
                   "U public.items K('1',NULL) N('2','b')", "D public.items K('2',NULL)", "C"}));
  EXPECT_EQ(teller.relations, (Lines{"public.items d id*:23/-1 name:25/-1"}));
}

TEST_F(ModelTest, LargeUnchangedValuesAreLeftOutOfTheNewRow) {
  ModelOptions options;
  options.toast_bytes = 10;
  make_model(options);
  publish_items();
  auto session = stream();
  const Statement move{StatementKind::update, k_items, {{"id", "2"}}, {{"id", "1"}}, {}};
  run({insert(1, "0123456789"), move, update(2, "abcdefghijk")});
  EXPECT_EQ(receive(*session).lines,
            (Lines{"B", "I public.items N('1','0123456789')",
                   "U public.items O('1','0123456789') N('2',<u>)",
                   "U public.items O('2','0123456789') N('2','abcdefghijk')", "C"}));
}

TEST_F(ModelTest, ChangesAreStreamedAsTheCatalogueWasWhenTheyWereMade) {
  model->create_table(items());
  model->create_publication("pub");
  model->set_replica_identity(k_items, ReplicaIdentity::full);
  auto session = stream();
  const Session writer = model->begin();
  must(writer, insert(1, "before"));
  model->add_to_publication("pub", k_items);  // takes no lock that the writer holds
  must(writer, insert(2, "after"));
  model->commit(writer, Synchronous::on);
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('2','after')", "C"}));
}

// As a real server does it (RealHistory, seed 98): the older transaction finds the relation told.
TEST_F(ModelTest, ARelationIsToldAgainOnlyAfterAnInvalidation) {
  model->create_table(items());
  model->create_publication("pub");
  auto session = stream();
  const Session writer = model->begin();
  must(writer, insert(1, "before"));
  model->add_to_publication("pub", k_items);
  run({insert(2, "after")});
  model->commit(writer, Synchronous::on);
  EXPECT_EQ(receive(*session).lines, (Lines{"B", "I public.items N('2','after')", "C", "B",
                                            "I public.items N('1','before')", "C"}));
  EXPECT_EQ(teller.relations.size(), 1U);
}

// As a real server does it (RealHistory, seed 261).
TEST_F(ModelTest, WhoeverMetATruncateTellsTheTableAgainAfterwards) {
  publish_items();
  const RelationName k_other{"public", "other"};
  model->create_table({k_other, items().columns});
  auto session = stream();
  run({insert(1, "a")});
  const Session writer = model->begin();
  must(writer, {StatementKind::insert, k_other, {{"id", "1"}}, {}, {}});
  run({truncate()});
  run({insert(2, "b")});
  EXPECT_EQ(receive(*session).lines.size(), 9U);
  EXPECT_EQ(teller.relations.size(), 3U);
  model->commit(writer, Synchronous::on);
  run({insert(3, "c")});
  EXPECT_EQ(receive(*session).lines.size(), 12U);
  EXPECT_EQ(teller.relations.size(), 4U);
}

// As a real server does it (RealHistory, seed 4063).
TEST_F(ModelTest, AReplicaIdentitySaidOnceMoreChangesNothing) {
  publish_items();
  auto session = stream();
  run({insert(1, "a")});
  ASSERT_TRUE(model->set_replica_identity(k_items, ReplicaIdentity::full));
  run({insert(2, "b")});
  EXPECT_EQ(receive(*session).relations.size(), 1U);
  ASSERT_TRUE(model->set_replica_identity(k_items, ReplicaIdentity::by_default));
  run({insert(3, "c")});
  EXPECT_EQ(receive(*session).relations.size(), 2U);
}

TEST_F(ModelTest, PublishWaitsForWritersSoThatNoChangeIsMissed) {
  model->create_table(items());
  model->create_publication("pub");
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  bool waited = false;
  while_waiting.emplace_back([&] {
    waited = true;
    const Session late = model->begin();
    EXPECT_EQ(model->execute(late, insert(2, "b")).outcome, ExecuteOutcome::blocked)
        << "new writers queue behind ALTER TABLE";
    EXPECT_FALSE(model->describe(k_items)->replica_identity_full);
    model->commit(writer, Synchronous::on);
  });
  auto session = connect();
  EXPECT_EQ(session->publish("pub", k_items).value(), env::PublishOutcome::published);
  EXPECT_TRUE(waited);
  EXPECT_TRUE(model->describe(k_items)->replica_identity_full);
  EXPECT_EQ(session->publish("pub", k_items).value(), env::PublishOutcome::already_published);
  const auto tables = session->published("pub").value();
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].name, k_items);
  ASSERT_TRUE(session->unpublish("pub", tables[0], "slot").ok());
  EXPECT_EQ(session->published("pub").value().size(), 1U) << "nobody holds the slot's lock";
  auto replication = model->database(0).connect_replication().value();
  ASSERT_TRUE(replication->acquire_lock("slot").ok());
  ASSERT_TRUE(session->unpublish("pub", tables[0], "slot").ok());
  EXPECT_TRUE(session->published("pub").value().empty());
}

TEST_F(ModelTest, VerifyingChangesNothingAndWaitsForWhoeverWasWriting) {
  using env::PublicationState;
  model->create_table(items());
  model->create_publication("pub");
  auto session = connect();
  const auto state = [&] { return session->verify_published("pub", k_items).value(); };
  EXPECT_EQ(state(), PublicationState::not_a_member);
  model->add_to_publication("pub", k_items);
  EXPECT_EQ(state(), PublicationState::identity_not_full);
  ASSERT_TRUE(model->set_replica_identity(k_items, ReplicaIdentity::full));
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  bool waited = false;
  while_waiting.emplace_back([&] {
    waited = true;
    const Session late = model->begin();
    must(late, insert(2, "b"));
    model->commit(writer, Synchronous::on);
  });
  EXPECT_EQ(state(), PublicationState::complete) << "who came later is not waited for";
  EXPECT_TRUE(waited);
}

TEST_F(ModelTest, ATablesPublicationIsInTheSnapshotsTakenSince) {
  publish_items();
  auto session = connect();
  const auto sees = [&](const Snapshot& snapshot) {
    return snapshot.sees(session->published("pub").value().at(0).added_by.value());
  };
  const Snapshot before = session->current_snapshot().value();
  EXPECT_TRUE(sees(before));
  model->remove_from_publication("pub", k_items);
  model->add_to_publication("pub", k_items);
  EXPECT_FALSE(sees(before));
  EXPECT_TRUE(sees(session->current_snapshot().value()));
}

TEST_F(ModelTest, PublishGivesUpAtItsLockTimeout) {
  model->create_table(items());
  model->create_publication("pub");
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  auto session = connect();
  EXPECT_EQ(session->publish("pub", k_items).error().kind, env::DatabaseFailure::lock_timeout);
  must(writer, insert(2, "b"));
  model->rollback(writer);
  EXPECT_TRUE(session->publish("pub", k_items).ok());
}

// As a real server answers production: tests/libpq/snapshot_promises_test.
TEST_F(ModelTest, ASnapshotGivesUpWaitingForItsTablesLock) {
  model->create_table(items());
  const Session locker = model->begin();
  must(locker, truncate());
  auto session = connect();
  const auto begun = session->begin_snapshot(k_items);
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().kind, env::DatabaseFailure::timeout);
  EXPECT_EQ(begun.error().sqlstate, "55P03");
  EXPECT_EQ(begun.error().message,
            "Snapshot query took too long to return data (cancelled after 30000ms). Please ensure "
            "snapshot queries are using an index to avoid taking up all database connections.");
  model->rollback(locker);
  EXPECT_TRUE(session->begin_snapshot(k_items).ok());
}

TEST_F(ModelTest, ANewSessionRepeatsRelationsAndUnconfirmedTransactions) {
  publish_items();
  run({insert(1, "a")});
  auto first = stream();
  run({insert(2, "b")});
  EXPECT_EQ(receive(*first).lines.size(), 3U);
  first.reset();
  auto second = stream();
  EXPECT_EQ(receive(*second).lines.size(), 6U) << "the same transaction again";
  EXPECT_EQ(teller.relations.size(), 2U);
  EXPECT_EQ(teller.final_lsns[0], teller.final_lsns[1]);
  run({insert(3, "c")});
  EXPECT_EQ(receive(*second).relations.size(), 2U) << "once a session";
  model->remove_from_publication("other", k_items);
  model->set_replica_identity(k_items, ReplicaIdentity::by_default);
  run({insert(4, "d")});
  EXPECT_EQ(receive(*second).relations.size(), 3U) << "and after the catalogue changed";
}

TEST_F(ModelTest, TransactionsWhoseCommitStartsBeforeTheConfirmedPositionAreSkipped) {
  publish_items();
  auto session = stream();
  const CommitResult first = run({insert(1, "a")});
  const CommitResult second = run({insert(2, "b")});
  receive(*session);
  // Confirming the end of the first, or one byte into its commit record, means the same.
  for (const Lsn position : {first.end_lsn, Lsn{first.commit_lsn.value + 1}}) {
    ASSERT_TRUE(session->send_status(position, position).ok());
    session.reset();
    teller = {};
    session = stream();
    EXPECT_EQ(receive(*session).final_lsns, (std::vector{second.commit_lsn.value}));
  }
  ASSERT_TRUE(session->send_status(second.commit_lsn, second.commit_lsn).ok());
  session.reset();
  teller = {};
  session = stream();
  EXPECT_EQ(receive(*session).final_lsns.size(), 1U) << "its first byte is not yet safe";
}

TEST_F(ModelTest, ConfirmingAByteBeyondAKeepaliveLosesTheNextCommit) {
  publish_items();
  auto session = stream();
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  model->flush_wal();
  const std::uint64_t wal_end = receive(*session).keepalives.back();
  for (const std::uint64_t confirmed : {wal_end + 1, wal_end}) {
    ASSERT_TRUE(session->send_status({confirmed}, {confirmed}).ok());
    session.reset();
    if (model->open(writer)) {
      const CommitResult commit = model->commit(writer, Synchronous::on);
      ASSERT_EQ(commit.commit_lsn.value, wal_end) << "its record starts where the keepalive ended";
    }
    teller = {};
    session = stream();
    EXPECT_EQ(receive(*session).lines.size(), confirmed == wal_end ? 3U : 0U);
  }
}

TEST_F(ModelTest, KeepalivesFollowWalThatConcernsNobody) {
  publish_items();
  auto session = stream();
  receive(*session);
  const std::size_t before = teller.keepalives.size();
  model->write_unrelated_wal(1000);
  EXPECT_EQ(receive(*session).keepalives.size(), before) << "it is not flushed yet";
  model->flush_wal();
  EXPECT_EQ(receive(*session).keepalives.size(), before + 1);
  EXPECT_EQ(teller.keepalives.back(), model->flushed_position().value);
}

TEST_F(ModelTest, ASilentClientIsAskedAndThenDropped) {
  publish_items();
  auto session = stream();
  receive(*session);
  const auto asked = session->receive(Instant::never());
  ASSERT_TRUE(asked.ok());
  for (const std::string& message : *asked) teller.tell(message);
  EXPECT_TRUE(teller.reply_requested.back());
  EXPECT_EQ(now.since_start, std::chrono::seconds(30));
  const auto dropped = session->receive(Instant::never());
  ASSERT_FALSE(dropped.ok());
  EXPECT_EQ(dropped.error().kind, env::DatabaseFailure::connection);
  EXPECT_EQ(now.since_start, std::chrono::seconds(60));
  EXPECT_FALSE(model->slot("slot")->active_pid.has_value());
}

TEST_F(ModelTest, AStatusKeepsASessionAlive) {
  publish_items();
  auto session = stream();
  for (int i = 0; i < 10; ++i) {
    const Instant target = now + std::chrono::seconds(20);
    while (now < target) ASSERT_TRUE(session->receive(target).ok());
    ASSERT_TRUE(session->send_status({1}, {0}).ok());
  }
  EXPECT_EQ(now.since_start, std::chrono::seconds(200));
}

TEST_F(ModelTest, AnsweringNothingMeansTheDeadlinePassed) {
  publish_items();
  auto session = stream();
  receive(*session);
  const auto messages = session->receive(now + std::chrono::seconds(1));
  ASSERT_TRUE(messages.ok());
  EXPECT_TRUE(messages->empty());
  EXPECT_EQ(now.since_start, std::chrono::seconds(1));
}

TEST_F(ModelTest, ReceiveReturnsAtMostFiveHundredMessages) {
  publish_items();
  auto session = stream();
  std::vector<Statement> many;
  for (int i = 0; i < 1000; ++i) many.push_back(insert(i, "a"));
  run(many);
  EXPECT_EQ(session->receive(now)->size(), 500U);
  EXPECT_EQ(session->receive(now)->size(), 500U);
  EXPECT_EQ(session->receive(now)->size(), 3U);
}

TEST_F(ModelTest, ASlotBeingMadeWaitsForTransactionsThatRun) {
  publish_items();
  const Session writer = model->begin();
  must(writer, insert(1, "a"));
  while_waiting.emplace_back([&] { model->commit(writer, Synchronous::on); });
  auto session = stream();
  EXPECT_TRUE(while_waiting.empty());
  EXPECT_EQ(receive(*session).lines, Lines{}) << "it committed before the consistent point";
}

TEST_F(ModelTest, StreamingNeedsAFreeSoundSlotAndAPublication) {
  publish_items();
  using env::DatabaseFailure;
  auto session = connect_replication();
  EXPECT_EQ(session->start_streaming("slot", "pub").error().kind,
            DatabaseFailure::slot_invalidated);
  ASSERT_TRUE(session->ensure_slot("slot").value().created);
  EXPECT_FALSE(session->ensure_slot("slot").value().created);
  EXPECT_EQ(session->start_streaming("slot", "no").error().kind, DatabaseFailure::no_publication);
  ASSERT_TRUE(session->start_streaming("slot", "pub").ok());
  auto other = connect_replication();
  EXPECT_EQ(other->start_streaming("slot", "pub").error().kind, DatabaseFailure::slot_active);
  EXPECT_FALSE(model->drop_slot("slot"));
  model->invalidate_slot("slot");
  EXPECT_EQ(session->receive(now).error().kind, DatabaseFailure::connection);
  EXPECT_EQ(other->start_streaming("slot", "pub").error().kind, DatabaseFailure::slot_invalidated);
  EXPECT_TRUE(model->drop_slot("slot"));
}

}  // namespace
}  // namespace holdfast::test
