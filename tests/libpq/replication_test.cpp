// The replication session against a real server: set-up, the stream, what a confirmation means.
#include <thread>

#include "core/postgres/parse_text.hpp"
#include "tests/libpq/fixture.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;
using postgres::Lsn;
using postgres::Transaction;

class Replication : public LibpqTest {
 protected:
  /// The session must exist before the tables do: CREATE PUBLICATION makes an empty one.
  std::unique_ptr<BlockingReplication> streaming(const std::vector<std::string>& tables) {
    auto session = streaming_session();
    auto admin = query_session();
    for (const std::string& table : tables) must(admin->publish(publication_, {"public", table}));
    return session;
  }
  bool slot_active() const {
    return sql("SELECT active FROM pg_replication_slots WHERE slot_name = '" + slot_ + "'") == "t";
  }
  void wait_until_slot_is_inactive() const {
    for (int i = 0; i < 500 && slot_active(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(slot_active());
  }
};

TEST_F(Replication, tells_the_system_and_its_settings) {
  auto session = must(BlockingReplication::open(settings(), std::make_shared<Interrupt>()));
  const auto identity = must(session->identify_system());
  EXPECT_EQ(identity.system_identifier, sql("SELECT system_identifier FROM pg_control_system()"));
  EXPECT_EQ(identity.timeline, 1U);
  const auto found = must(session->settings());
  EXPECT_EQ(std::to_string(found.version_number), sql("SHOW server_version_num"));
  EXPECT_EQ(found.wal_sender_timeout, std::chrono::seconds(60));
}

TEST_F(Replication, makes_publication_and_slot_once) {
  {
    auto session = replication_session();
    EXPECT_TRUE(must(session->ensure_publication(publication_)));
    const auto slot = must(session->ensure_slot(slot_));
    EXPECT_TRUE(slot.created);
    EXPECT_GT(slot.confirmed_flush.value, 0U);
  }
  auto session = replication_session();
  EXPECT_FALSE(must(session->ensure_publication(publication_)));
  const auto slot = must(session->ensure_slot(slot_));
  EXPECT_FALSE(slot.created);
  EXPECT_EQ(slot.confirmed_flush.to_string(),
            sql("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" + slot_ +
                "'"));
}

// WAL written while the publication did not exist can never be decoded through it (§8.1).
TEST_F(Replication, makes_a_new_slot_with_a_new_publication) {
  {
    auto session = replication_session();
    must(session->ensure_publication(publication_));
    must(session->ensure_slot(slot_));
  }
  sql("CREATE TABLE t (id int); DROP PUBLICATION pub");
  sql("INSERT INTO t VALUES (1)");
  auto session = replication_session();
  EXPECT_TRUE(must(session->ensure_publication(publication_)));
  EXPECT_TRUE(must(session->ensure_slot(slot_)).created);
  must(session->start_streaming(slot_, publication_));
  must(query_session()->publish(publication_, {"public", "t"}));
  sql("INSERT INTO t VALUES (2)");
  StreamReader reader(*session);
  EXPECT_EQ(to_text(reader.transactions(1)), std::vector<std::string>{"insert public.t (2)"});
}

// A session that ends between the two steps leaves neither a publication nor a stale slot in use.
TEST_F(Replication, leaves_no_publication_without_its_slot) {
  {
    auto session = replication_session();
    EXPECT_TRUE(must(session->ensure_publication(publication_)));
  }
  auto session = replication_session();
  EXPECT_TRUE(must(session->ensure_publication(publication_)));
  EXPECT_TRUE(must(session->ensure_slot(slot_)).created);
  EXPECT_EQ(sql("SELECT count(*) FROM pg_publication"), "1");
}

TEST_F(Replication, refuses_a_publication_that_lacks_operations) {
  sql("CREATE PUBLICATION pub WITH (publish = 'insert')");
  const auto found = replication_session()->ensure_publication(publication_);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind, DatabaseFailure::configuration);
  EXPECT_EQ(found.error().message,
            "Publication \"pub\" does not publish all required operations: INSERT, UPDATE, DELETE, "
            "TRUNCATE");
}

TEST_F(Replication, streams_what_the_statements_did) {
  sql("CREATE TABLE items (id int PRIMARY KEY, body text); ALTER TABLE items ALTER body SET STORAGE"
      " EXTERNAL; CREATE TABLE \"No\"\"tes\" (a int, b bool); CREATE TABLE hidden (id int)");
  auto session = streaming({"items", "No\"tes"});
  const std::string big(3000, 'x');
  sql("INSERT INTO items VALUES (1, 'one'), (2, NULL), (3, '')");
  sql("UPDATE items SET body = 'ONE' WHERE id = 1");
  sql("UPDATE items SET id = 20 WHERE id = 2");
  sql("INSERT INTO hidden VALUES (1)");
  sql("INSERT INTO items VALUES (4, '" + big + "')");
  sql("UPDATE items SET id = 5 WHERE id = 4");  // the big value is not sent again
  sql("BEGIN; DELETE FROM items WHERE id = 3; INSERT INTO \"No\"\"tes\" VALUES (1, true);"
      " SAVEPOINT s; INSERT INTO items VALUES (99); ROLLBACK TO s; COMMIT");
  sql("TRUNCATE items, \"No\"\"tes\"");
  StreamReader reader(*session);
  const std::vector<Transaction> found = reader.transactions(7);
  EXPECT_EQ(
      to_text(found),
      (std::vector<std::string>{
          "insert public.items (1,one)", "insert public.items (2,NULL)", "insert public.items (3,)",
          "update public.items (1,one) -> (1,ONE)", "update public.items (2,NULL) -> (20,NULL)",
          "insert public.items (4," + big + ")",
          "update public.items (4," + big + ") -> (5," + big + ")", "delete public.items (3,)",
          "insert public.No\"tes (1,t)", "truncate public.items", "truncate public.No\"tes"}));
  for (std::size_t i = 0; i + 1 < found.size(); ++i) {
    EXPECT_LT(found[i].commit_lsn, found[i].end_lsn);
    EXPECT_LE(found[i].end_lsn, found[i + 1].commit_lsn);
  }
  EXPECT_EQ(found[0].changes[2].op, 4U);
  EXPECT_EQ(reader.relations.size(), 2U);
}

TEST_F(Replication, prints_values_under_the_display_settings) {
  sql("CREATE TABLE v (a timestamptz, b interval, c bytea, d float8, e date)");
  sql("ALTER DATABASE " + database_ + " SET timezone = 'Asia/Tokyo'");
  sql("ALTER DATABASE " + database_ + " SET intervalstyle = 'postgres'");
  sql("ALTER DATABASE " + database_ + " SET datestyle = 'German'");
  sql("ALTER DATABASE " + database_ + " SET bytea_output = 'escape'");
  auto session = streaming({"v"});
  sql("INSERT INTO v VALUES ('2020-01-02 03:04:05+00', '1 day 2 hours', '\\x0102', 0.1, "
      "'2020-02-01')");
  const std::string expected =
      "insert public.v (2020-01-02 03:04:05+00,P1DT2H,\\x0102,0.1,2020-02-01)";
  StreamReader reader(*session);
  EXPECT_EQ(to_text(reader.transactions(1)), std::vector<std::string>{expected});

  auto query = query_session();
  must(query->begin_snapshot({"public", "v"}));
  must(query->start({{"public", "v"}, {"a", "b", "c", "d", "e"}, ""}));
  const auto batch = must(query->next());
  std::string printed = "insert public.v (";
  for (std::size_t i = 0; i < 5; ++i)
    printed += std::string(i > 0 ? "," : "") + std::string(batch.cell(0, i).value());
  EXPECT_EQ(printed + ")", expected) << "a snapshot prints what the stream prints";
}

TEST_F(Replication, tells_a_changed_relation_before_its_rows) {
  sql("CREATE TABLE t (id int)");
  auto session = streaming({"t"});
  sql("INSERT INTO t VALUES (1)");
  sql("ALTER TABLE t ADD more text");
  sql("INSERT INTO t VALUES (2, 'x')");
  StreamReader reader(*session);
  EXPECT_EQ(to_text(reader.transactions(2)),
            (std::vector<std::string>{"insert public.t (1)", "insert public.t (2,x)"}));
  ASSERT_EQ(reader.relations.size(), 2U);
  EXPECT_EQ(reader.relations[0].relation->columns.size(), 1U);
  EXPECT_EQ(reader.relations[1].relation->columns.size(), 2U);
}

TEST_F(Replication, starts_again_after_what_was_confirmed) {
  sql("CREATE TABLE t (id int)");
  auto session = streaming({"t"});
  for (int i = 1; i <= 3; ++i) sql("INSERT INTO t VALUES (" + std::to_string(i) + ")");
  StreamReader reader(*session);
  const auto found = reader.transactions(3);
  must(session->send_status(found[2].end_lsn, found[1].end_lsn));
  session.reset();
  wait_until_slot_is_inactive();
  session = replication_session();
  EXPECT_EQ(must(session->ensure_slot(slot_)).confirmed_flush, found[1].end_lsn);
  must(session->start_streaming(slot_, publication_));
  StreamReader again(*session);
  EXPECT_EQ(to_text(again.transactions(1)), std::vector<std::string>{"insert public.t (3)"});
}

// postgres.md §9.4: on an idle database the record at walEnd, the next to be written, may be the
// commit of a transaction that is open now. Upstream confirms walEnd + 1.
class ConfirmedKeepalive : public Replication {
 protected:
  std::vector<std::string> received_after_confirming_walend_plus(std::uint64_t extra) {
    sql("CREATE TABLE t (id int); CREATE TABLE hidden (id int)");
    auto session = streaming({"t"});
    RawSession writer(server().url(database_));
    writer.run("BEGIN");
    writer.run("INSERT INTO t VALUES (1)");
    sql("INSERT INTO hidden VALUES (1)");  // its commit flushes all before it
    const Lsn written = insert_position();
    const Lsn wal_end = StreamReader(*session).wait_for_keepalive_at(written);
    EXPECT_EQ(wal_end, written);
    must(session->send_status({wal_end.value + extra}, {wal_end.value + extra}));
    session.reset();
    wait_until_slot_is_inactive();
    EXPECT_EQ(insert_position(), wal_end) << "the commit's record is the next";
    writer.run("COMMIT");
    sql("INSERT INTO t VALUES (2)");
    session = replication_session();
    must(session->start_streaming(slot_, publication_));
    return to_text(StreamReader(*session).transactions(1));
  }
  Lsn insert_position() const {
    return *postgres::parse_lsn(sql("SELECT pg_current_wal_insert_lsn()"));
  }
};

TEST_F(ConfirmedKeepalive, at_its_walend_keeps_the_transaction_that_commits_there) {
  EXPECT_EQ(received_after_confirming_walend_plus(0),
            std::vector<std::string>{"insert public.t (1)"});
}

TEST_F(ConfirmedKeepalive, one_byte_further_loses_it) {
  EXPECT_EQ(received_after_confirming_walend_plus(1),
            std::vector<std::string>{"insert public.t (2)"});
}

TEST_F(Replication, waits_for_the_lock_until_its_holder_is_gone) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  auto waiter = replication_session();
  std::thread waiting([&] { must(waiter->acquire_lock(slot_)); });
  const std::string blocked =
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
  for (int i = 0; i < 500 && sql(blocked) != "1"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(sql(blocked), "1");
  holder.reset();
  waiting.join();
  EXPECT_EQ(sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"),
            std::to_string(waiter->backend_pid()));
}

TEST_F(Replication, reports_a_lock_wait_that_the_server_cuts_short) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  sql("ALTER DATABASE " + database_ + " SET statement_timeout = '100ms'");
  auto waiter = replication_session();
  for (int i = 0; i < 2; ++i) {
    const auto locked = waiter->acquire_lock(slot_);
    ASSERT_FALSE(locked.ok());
    EXPECT_EQ(locked.error().kind, DatabaseFailure::lock_timeout);
  }
  holder.reset();
  env::DatabaseResult<void> locked = waiter->acquire_lock(slot_);
  for (int i = 0; i < 100 && !locked.ok(); ++i) locked = waiter->acquire_lock(slot_);
  must(std::move(locked));
}

TEST_F(Replication, leaves_the_lock_queue_when_interrupted) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  auto interrupt = std::make_shared<Interrupt>();
  auto waiter = must(BlockingReplication::open(settings(), interrupt));
  const int waiting_pid = waiter->backend_pid();
  std::thread waiting([&] {
    const auto locked = waiter->acquire_lock(slot_);
    EXPECT_FALSE(locked.ok());
    waiter.reset();
  });
  const std::string alive =
      "SELECT count(*) FROM pg_stat_activity WHERE pid = " + std::to_string(waiting_pid);
  for (int i = 0; i < 500 && sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                                 " AND NOT granted") != "1";
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  interrupt->fire();
  waiting.join();
  for (int i = 0; i < 500 && sql(alive) != "0"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(sql(alive), "0") << "the backend was told to stop waiting";
}

TEST_F(Replication, gives_nothing_when_the_deadline_passes_without_messages) {
  auto session = streaming({});
  StreamReader reader(*session);
  bool quiet = false;
  for (int i = 0; i < 100 && !quiet; ++i)
    quiet = must(session->receive(deadline_after(std::chrono::milliseconds(100)))).empty();
  EXPECT_TRUE(quiet);
  sql("SELECT pg_logical_emit_message(false, 'x', 'y')");
}

TEST_F(Replication, fails_with_the_servers_reason_when_it_is_ended) {
  auto session = streaming({});
  sql("SELECT pg_terminate_backend(" + std::to_string(session->backend_pid()) + ")");
  env::DatabaseResult<std::vector<std::string>> got = std::vector<std::string>();
  for (int i = 0; i < 100 && got.ok(); ++i)
    got = session->receive(deadline_after(std::chrono::seconds(5)));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, DatabaseFailure::connection);
  EXPECT_EQ(got.error().sqlstate, "57P01");
  EXPECT_FALSE(session->send_status({1}, {1}).ok());
}

TEST_F(Replication, reports_a_slot_in_use) {
  auto first = streaming({});
  auto second = replication_session();
  must(second->ensure_publication(publication_));
  must(second->ensure_slot(slot_));
  const auto started = second->start_streaming(slot_, publication_);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, DatabaseFailure::slot_active);
}

TEST_F(Replication, reports_a_slot_that_is_gone) {
  auto session = replication_session();
  must(session->ensure_publication(publication_));
  must(session->ensure_slot(slot_));
  sql("SELECT pg_drop_replication_slot('" + slot_ + "')");
  const auto started = session->start_streaming(slot_, publication_);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, DatabaseFailure::slot_invalidated);
}

TEST_F(Replication, leaves_a_slot_alone_that_is_somebody_elses) {
  sql("SELECT pg_create_logical_replication_slot('" + slot_ + "', 'test_decoding')");
  auto session = replication_session();
  ASSERT_TRUE(must(session->ensure_publication(publication_))) << "made with this connection";
  const auto ensured = session->ensure_slot(slot_);
  ASSERT_FALSE(ensured.ok());
  EXPECT_EQ(ensured.error().kind, DatabaseFailure::configuration);
  EXPECT_TRUE(ensured.error().message.ends_with("belongs to another database or output plugin"));
  EXPECT_EQ(sql("SELECT plugin FROM pg_replication_slots WHERE slot_name = '" + slot_ + "'"),
            "test_decoding");
}

TEST_F(Replication, refuses_a_role_without_the_attribute) {
  server().execute("DROP ROLE IF EXISTS unprivileged");
  server().execute("CREATE ROLE unprivileged LOGIN");
  const auto opened =
      BlockingReplication::open(settings("unprivileged"), std::make_shared<Interrupt>());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().kind, DatabaseFailure::configuration);
  EXPECT_EQ(opened.error().sqlstate, "42501");
}

// A server of its own: the limit on kept WAL is the whole server's.
TEST(InvalidatedSlot, is_reported_once_and_then_made_anew) {
  tools::ThrowawayPostgres own({"max_slot_wal_keep_size = 1MB", "max_wal_size = 64MB"});
  ConnectionSettings settings;
  settings.url = own.url();
  const auto open = [&] {
    auto session = must(BlockingReplication::open(settings, std::make_shared<Interrupt>()));
    must(session->settings());
    must(session->ensure_publication("pub"));
    return session;
  };
  EXPECT_TRUE(must(open()->ensure_slot("s")).created);
  own.execute("CREATE TABLE t (id int)");
  const auto lost = [&] {
    return own.execute("SELECT wal_status FROM pg_replication_slots") == "lost";
  };
  for (int i = 0; i < 50 && !lost(); ++i) {
    own.execute("INSERT INTO t VALUES (1)");
    own.execute("SELECT pg_switch_wal()");
    own.execute("CHECKPOINT");
  }
  ASSERT_TRUE(lost());
  {
    auto session = open();
    const auto started = session->start_streaming("s", "pub");
    ASSERT_FALSE(started.ok());
    EXPECT_EQ(started.error().kind, DatabaseFailure::slot_invalidated);
    EXPECT_TRUE(started.error().message.starts_with(
        "Couldn't start replication: slot has been invalidated because it exceeded the maximum "
        "reserved size."));
  }
  const auto found = open()->ensure_slot("s");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind, DatabaseFailure::slot_invalidated);
  EXPECT_TRUE(must(open()->ensure_slot("s")).created);
}

TEST_F(Replication, refuses_a_slot_of_another_plugin) {
  sql("SELECT pg_create_logical_replication_slot('" + slot_ + "', 'test_decoding')");
  auto session = replication_session();
  sql("CREATE PUBLICATION pub");
  must(session->ensure_publication(publication_));
  const auto found = session->ensure_slot(slot_);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind, DatabaseFailure::configuration);
}

TEST_F(Replication, waits_for_open_transactions_to_make_the_slot) {
  sql("CREATE TABLE t (id int)");
  RawSession writer(server().url(database_));
  writer.run("BEGIN");
  writer.run("INSERT INTO t VALUES (1)");
  auto session = replication_session();
  must(session->ensure_publication(publication_));
  std::thread making([&] { EXPECT_TRUE(must(session->ensure_slot(slot_)).created); });
  for (int i = 0; i < 500 && !slot_active(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  {
    auto other = replication_session();
    must(other->ensure_publication(publication_));
    const auto found = other->ensure_slot(slot_);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, DatabaseFailure::slot_active);
  }
  writer.run("COMMIT");
  sql("CHECKPOINT");  // writes the running-transactions record that the last stage waits for
  making.join();
}

// By this the engine knows a slot that somebody made in place of its own (F-114).
TEST_F(Replication, a_slot_made_again_stands_beyond_what_was_confirmed) {
  sql("CREATE TABLE items (id int)");
  auto session = streaming({"items"});
  sql("INSERT INTO items VALUES (1)");
  const postgres::Lsn last = StreamReader(*session).transactions(1).at(0).end_lsn;
  must(session->send_status(last, last));
  session.reset();
  for (int i = 0; i < 1000 && sql("SELECT active FROM pg_replication_slots WHERE slot_name = '" +
                                  slot_ + "'") == "t";
       ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  sql("SELECT pg_drop_replication_slot('" + slot_ + "')");
  // Nothing can have been confirmed that was not streamed, and nothing was that was not flushed.
  const Lsn end = postgres::parse_lsn(sql("SELECT pg_current_wal_flush_lsn()")).value();
  EXPECT_GE(end, last);
  sql("SELECT pg_create_logical_replication_slot('" + slot_ + "', 'pgoutput')");
  const auto found = must(replication_session()->ensure_slot(slot_));
  EXPECT_FALSE(found.created);
  EXPECT_GT(found.confirmed_flush, end);
}

}  // namespace
}  // namespace holdfast::production
