// What comes into the publication and leaves it, against a real server.
#include <thread>

#include "tests/libpq/fixture.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;
using env::PublicationState;
using env::PublishOutcome;

class Publication : public LibpqTest {
 protected:
  /// Holds the slot's lock, as a replication session of this process would.
  struct LockHolder {
    explicit LockHolder(const Publication& test) : session(server().url(test.database_)) {
      session.run("SELECT pg_advisory_lock(hashtext('" + test.slot_ + "'))");
      backends.push_back(std::stoi(
          test.sql("SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND"
                   " d.datname = current_database() WHERE l.locktype = 'advisory'")));
    }
    RawSession session;
    std::vector<int> backends;
  };
};

TEST_F(Publication, publishes_with_full_identity_and_back) {
  sql("CREATE PUBLICATION pub; CREATE TABLE b (id int); CREATE TABLE \"A'\"\"\" (id int)");
  auto session = query_session();
  const postgres::RelationName odd{"public", "A'\""};
  EXPECT_EQ(must(session->publish("pub", odd)), PublishOutcome::published);
  EXPECT_EQ(must(session->publish("pub", odd)), PublishOutcome::already_published);
  EXPECT_TRUE(must(session->inspect(odd))->replica_identity_full);
  EXPECT_EQ(must(session->publish("pub", {"public", "b"})), PublishOutcome::published);
  const auto tables = must(session->published("pub"));
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0].name, odd);
  EXPECT_EQ(std::to_string(tables[1].oid.value), sql("SELECT 'b'::regclass::oid"));
  sql("ALTER TABLE b REPLICA IDENTITY DEFAULT");
  EXPECT_EQ(must(session->publish("pub", {"public", "b"})), PublishOutcome::published)
      << "the identity is put right again";
  LockHolder leader(*this);
  must(session->unpublish("pub", tables[0], slot_, leader.backends));
  must(session->unpublish("pub", tables[0], slot_, leader.backends));
  EXPECT_EQ(must(session->published("pub")).size(), 1U);
  sql("DROP TABLE b");
  must(session->unpublish("pub", tables[1], slot_, leader.backends));
  EXPECT_TRUE(must(session->published("pub")).empty());
}

// Whoever lost the lock does not know what its successor publishes.
TEST_F(Publication, takes_nothing_out_of_the_publication_without_the_slots_lock) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub FOR TABLE items");
  auto session = query_session();
  const auto tables = must(session->published("pub"));
  LockHolder successor(*this);
  must(session->unpublish("pub", tables.at(0), slot_, {}));
  must(session->unpublish("pub", tables.at(0), slot_, {successor.backends.at(0) + 1}));
  must(session->unpublish("pub", tables.at(0), "another", successor.backends));
  EXPECT_EQ(must(session->published("pub")).size(), 1U);
}

TEST_F(Publication, takes_no_other_table_out_of_the_publication_by_its_name) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub FOR TABLE items");
  auto session = query_session();
  const auto tables = must(session->published("pub"));
  sql("DROP TABLE items; CREATE TABLE items (id int); ALTER PUBLICATION pub ADD TABLE items");
  LockHolder leader(*this);
  must(session->unpublish("pub", tables.at(0), slot_, leader.backends));
  EXPECT_EQ(must(session->published("pub")).size(), 1U);
}

TEST_F(Publication, tells_whose_snapshot_a_tables_publication_is_in) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub FOR TABLE items");
  auto session = query_session();
  const auto sees = [&](const postgres::Snapshot& snapshot) {
    return snapshot.sees(must(session->published("pub")).at(0).added_by.value());
  };
  const auto before = must(session->current_snapshot());
  EXPECT_TRUE(sees(before));
  sql("ALTER PUBLICATION pub DROP TABLE items; ALTER PUBLICATION pub ADD TABLE items");
  EXPECT_FALSE(sees(before));
  EXPECT_TRUE(sees(must(session->current_snapshot())));
}

TEST_F(Publication, verifies_what_somebody_else_publishes) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub");
  auto session = query_session();
  const auto state = [&] { return must(session->verify_published("pub", {"public", "items"})); };
  EXPECT_EQ(state(), PublicationState::not_a_member);
  sql("ALTER PUBLICATION pub ADD TABLE items");
  EXPECT_EQ(state(), PublicationState::identity_not_full);
  sql("ALTER TABLE items REPLICA IDENTITY FULL");
  EXPECT_EQ(state(), PublicationState::complete);
  for (const char* part : {"items WHERE (id < 9)", "items (id)"}) {
    sql(std::string("ALTER PUBLICATION pub SET TABLE ") + part);
    EXPECT_EQ(state(), PublicationState::not_a_member) << part;
  }
  const auto missing = session->verify_published("pub", {"public", "missing"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, DatabaseFailure::undefined_object);
}

// What was written before the table was published is in no stream, and before its end in no
// snapshot either.
TEST_F(Publication, verifies_when_whoever_was_writing_has_ended) {
  sql("CREATE TABLE items (id int); ALTER TABLE items REPLICA IDENTITY FULL;"
      "CREATE PUBLICATION pub FOR TABLE items");
  RawSession writer(server().url(database_));
  writer.run("BEGIN");
  writer.run("INSERT INTO items VALUES (1)");
  ConnectionSettings impatient = settings();
  impatient.statement_timeout = std::chrono::milliseconds(300);
  auto session = query_session(impatient);
  const auto refused = session->verify_published("pub", {"public", "items"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, DatabaseFailure::lock_timeout);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    writer.run("COMMIT");
    writer.run("BEGIN");
    writer.run("INSERT INTO items VALUES (2)");
  });
  auto patient = query_session();
  EXPECT_EQ(must(patient->verify_published("pub", {"public", "items"})), PublicationState::complete)
      << "who came later is not waited for";
  later.join();
  EXPECT_EQ(sql("SELECT count(*) FROM items"), "1");
}

TEST_F(Publication, says_why_it_cannot_publish) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub");
  server().execute("DROP ROLE IF EXISTS weak");
  server().execute("CREATE ROLE weak LOGIN");
  auto weak = query_session("weak");
  auto owner = query_session();
  const auto kind = [](const auto& result) {
    EXPECT_FALSE(result.ok());
    return result.error().kind;
  };
  EXPECT_EQ(kind(weak->publish("pub", {"public", "items"})), DatabaseFailure::privilege);
  EXPECT_EQ(kind(owner->publish("pub", {"public", "missing"})), DatabaseFailure::undefined_object);
  EXPECT_EQ(kind(owner->publish("none", {"public", "items"})), DatabaseFailure::no_publication);
  EXPECT_EQ(must(owner->publish("pub", {"public", "items"})), PublishOutcome::published);
  const auto refused = weak->begin_snapshot({"public", "items"});
  EXPECT_EQ(kind(refused), DatabaseFailure::privilege);
  EXPECT_EQ(refused.error().message, "permission denied for table items");
  weak->end_snapshot();
}

TEST_F(Publication, gives_up_waiting_for_a_tables_lock) {
  sql("CREATE TABLE items (id int); CREATE PUBLICATION pub");
  RawSession blocker(server().url(database_));
  blocker.run("BEGIN");
  blocker.run("INSERT INTO items VALUES (1)");
  ConnectionSettings impatient = settings();
  impatient.statement_timeout = std::chrono::milliseconds(300);
  auto session = query_session(impatient);
  const auto published = session->publish("pub", {"public", "items"});
  ASSERT_FALSE(published.ok());
  EXPECT_EQ(published.error().kind, DatabaseFailure::lock_timeout);
  EXPECT_TRUE(must(session->published("pub")).empty()) << "not half of it";
  blocker.run("COMMIT");
  EXPECT_EQ(must(session->publish("pub", {"public", "items"})), PublishOutcome::published);
}

// Whoever makes it again: a slot that stands before a change which was written without it is of no
// use to anybody.
TEST_F(Publication, that_was_gone_for_one_change_needs_a_new_slot) {
  {
    auto session = replication_session();
    must(session->ensure_publication(publication_));
    must(session->ensure_slot(slot_));
  }
  sql("CREATE TABLE items (id int); DROP PUBLICATION pub");
  sql("INSERT INTO items VALUES (1)");
  sql("CREATE PUBLICATION pub FOR TABLE items");
  const auto failure = [this]() -> std::optional<DatabaseFailure> {
    auto session = replication_session();
    EXPECT_FALSE(must(session->ensure_publication(publication_)));
    must(session->ensure_slot(slot_));
    must(session->start_streaming(slot_, publication_));
    const auto deadline = deadline_after(std::chrono::seconds(2));
    while (deadline > std::chrono::steady_clock::now())
      if (const auto received = session->receive(deadline); !received.ok())
        return received.error().kind;
    return std::nullopt;
  };
  EXPECT_EQ(failure(), DatabaseFailure::no_publication);
  EXPECT_EQ(failure(), DatabaseFailure::no_publication);
  must(replication_session()->drop_slot("another"));
  EXPECT_EQ(failure(), DatabaseFailure::no_publication);
  must(replication_session()->drop_slot(slot_));
  EXPECT_EQ(failure(), std::nullopt);
}

// What was left out for a while is missing ever after, so who looks later must still see it.
TEST_F(Publication, that_left_out_an_operation_has_its_tables_since_then) {
  sql("CREATE TABLE items (id int PRIMARY KEY); CREATE PUBLICATION pub");
  auto session = query_session();
  must(session->publish("pub", {"public", "items"}));
  const auto before = must(session->published("pub"));
  ASSERT_EQ(before.size(), 1U);
  sql("ALTER PUBLICATION pub SET (publish = 'insert')");
  EXPECT_TRUE(must(session->published("pub")).empty());
  const auto refused = session->publish("pub", {"public", "items"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, DatabaseFailure::not_published);
  sql("ALTER PUBLICATION pub SET (publish = 'insert, update, delete, truncate')");
  const auto after = must(session->published("pub"));
  ASSERT_EQ(after.size(), 1U);
  EXPECT_GT(after[0].added_by.value().value, before[0].added_by.value().value);
}

}  // namespace
}  // namespace holdfast::production
