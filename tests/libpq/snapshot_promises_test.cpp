// What a snapshot promises beyond its rows, against a real server: a TRUNCATE cannot come between
// it and its query, and no crash of the server takes back what it saw.
#include <thread>

#include "tests/libpq/fixture.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;

class SnapshotPromises : public LibpqTest {};

// TRUNCATE is not MVCC-safe: one between a snapshot and its query leaves the query nothing.
TEST_F(SnapshotPromises, takes_its_snapshot_after_the_tables_lock) {
  sql("CREATE TABLE items AS SELECT 1 AS id");
  RawSession truncater(server().url(database_));
  truncater.run("BEGIN");
  truncater.run("TRUNCATE items");
  truncater.run("INSERT INTO items VALUES (2), (3)");
  auto session = query_session();
  std::thread later([&] {
    wait_for(
        [&] { return server().execute("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1"; });
    truncater.run("COMMIT");
  });
  const postgres::Snapshot snapshot = must(session->begin_snapshot({"public", "items"})).snapshot;
  later.join();
  const auto xid = static_cast<std::uint32_t>(std::stoul(sql("SELECT max(xmin::text) FROM items")));
  EXPECT_TRUE(snapshot.sees(postgres::Xid{xid})) << "what it waited for";
  EXPECT_TRUE(snapshot.xip.empty());
  truncater.run("SET lock_timeout = '100ms'");
  EXPECT_NE(truncater.refusal("TRUNCATE items"), "") << "excluded before the first query";
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, ""}),
            (std::vector<std::string>{"2", "3"}));
  session->end_snapshot();
  truncater.run("TRUNCATE items");
}

TEST_F(SnapshotPromises, shares_the_locks_of_partitions_too) {
  sql("CREATE TABLE items (id int) PARTITION BY LIST (id);"
      "CREATE TABLE items_1 PARTITION OF items FOR VALUES IN (1); INSERT INTO items VALUES (1)");
  auto session = query_session();
  must(session->begin_snapshot({"public", "items"}));
  RawSession truncater(server().url(database_));
  truncater.run("SET lock_timeout = '100ms'");
  EXPECT_NE(truncater.refusal("TRUNCATE items_1"), "");
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, ""}), std::vector<std::string>{"1"});
  session->end_snapshot();
}

// The model's answers are tests/postgres_model/streaming_test's.
TEST_F(SnapshotPromises, gives_up_waiting_for_the_lock_of_its_snapshot) {
  sql("CREATE TABLE items (id int)");
  RawSession blocker(server().url(database_));
  blocker.run("BEGIN");
  blocker.run("TRUNCATE items");
  ConnectionSettings impatient = settings();
  impatient.statement_timeout = std::chrono::milliseconds(200);
  impatient.first_row_timeout = std::chrono::milliseconds(500);
  auto session = query_session(impatient);
  const auto begun = session->begin_snapshot({"public", "items"});
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().kind, DatabaseFailure::timeout);
  EXPECT_EQ(begun.error().sqlstate, "55P03") << "the server's own answer, so the session lives";
  EXPECT_TRUE(begun.error().message.starts_with(
      "Snapshot query took too long to return data (cancelled after 500ms). Please ensure"))
      << begun.error().message;
  session->end_snapshot();
  blocker.run("ROLLBACK");
  must(session->begin_snapshot({"public", "items"}));
  session->end_snapshot();
}

TEST_F(SnapshotPromises, gives_up_waiting_for_the_lock_of_a_table_in_a_sub_select) {
  sql("CREATE TABLE items (id int); CREATE TABLE others (id int)");
  RawSession blocker(server().url(database_));
  blocker.run("BEGIN");
  blocker.run("TRUNCATE others");
  ConnectionSettings impatient = settings();
  impatient.first_row_timeout = std::chrono::milliseconds(300);
  auto session = query_session(impatient);
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id"}, "id IN (SELECT id FROM others)"}));
  const auto got = session->next();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, DatabaseFailure::timeout);
  EXPECT_TRUE(got.error().message.starts_with("Snapshot query took too long"));
}

// An asynchronous commit is visible before it is on disk, and a crash then takes it back.
TEST_F(SnapshotPromises, flushes_what_its_snapshot_saw) {
  sql("CREATE TABLE items (id int)");
  RawSession writer(server().url(database_));
  writer.run("SET synchronous_commit = off");
  auto session = query_session();
  const auto flushed_beyond = [&](postgres::Lsn position) {
    return sql("SELECT pg_current_wal_flush_lsn() >= '" + position.to_string() + "'") == "t";
  };
  bool was_ahead = false;
  for (int i = 0; i < 50 && !was_ahead; ++i) {
    writer.run("INSERT INTO items VALUES (1)");
    const postgres::Snapshot snapshot = must(session->begin_snapshot({"public", "items"})).snapshot;
    was_ahead = !flushed_beyond(snapshot.insert_lsn);
    must(session->outlast_crashes(snapshot.insert_lsn));
    EXPECT_TRUE(flushed_beyond(snapshot.insert_lsn));
    session->end_snapshot();
  }
  EXPECT_TRUE(was_ahead) << "the walwriter was faster fifty times: nothing was shown";
}

TEST_F(SnapshotPromises, does_not_wait_for_the_records_of_open_transactions) {
  sql("CREATE TABLE items (id int)");
  RawSession open(server().url(database_));
  open.run("BEGIN");
  open.run("INSERT INTO items VALUES (1)");
  auto session = query_session();
  const postgres::Snapshot snapshot = must(session->begin_snapshot({"public", "items"})).snapshot;
  const auto before = std::chrono::steady_clock::now();
  must(session->outlast_crashes(snapshot.insert_lsn));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  session->end_snapshot();
  open.run("ROLLBACK");
  must(session->begin_snapshot({"public", "items"}));
  session->end_snapshot();
}

TEST_F(SnapshotPromises, cannot_vouch_for_a_snapshot_of_a_server_that_crashed) {
  sql("CREATE TABLE items (id int)");
  auto session = query_session();
  const postgres::Snapshot snapshot = must(session->begin_snapshot({"public", "items"})).snapshot;
  server().stop_immediate();
  server().start();
  const auto result = session->outlast_crashes(snapshot.insert_lsn);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, DatabaseFailure::connection);
}

// What is streamed may be invisible for as long as a standby likes, and must not be confirmed
// (F-28).
TEST_F(SnapshotPromises, tell_which_commits_still_wait_for_a_standby) {
  sql("CREATE TABLE items (id int)");
  auto stream = streaming_session();
  auto session = query_session();
  must(session->publish(publication_, {"public", "items"}));
  const auto ask_for_standby = [&](const std::string& setting) {
    server().execute("ALTER SYSTEM " + setting);
    server().execute("SELECT pg_reload_conf()");
  };
  ask_for_standby("SET synchronous_standby_names = 'nobody'");
  wait_for([&] { return sql("SHOW synchronous_standby_names") == "nobody"; });
  std::thread writer(
      [&] { RawSession(server().url(database_)).run("INSERT INTO items VALUES (1)"); });
  StreamReader reader(*stream);
  const postgres::Transaction streamed = reader.transactions(1).at(0);
  const postgres::Snapshot before = must(session->current_snapshot());
  EXPECT_FALSE(before.sees(streamed.xid));
  EXPECT_GT(before.insert_lsn, streamed.commit_lsn);
  ask_for_standby("RESET synchronous_standby_names");
  writer.join();
  const postgres::Snapshot after = must(session->current_snapshot());
  EXPECT_TRUE(after.sees(streamed.xid));
  EXPECT_TRUE(after.includes(before));
  EXPECT_FALSE(before.includes(after));
}

}  // namespace
}  // namespace holdfast::production
