// Catalogue questions, snapshots and the lock breaker against a real server.
#include <signal.h>

#include <thread>

#include "tests/libpq/fixture.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;
using postgres::ColumnInfo;
using postgres::RelationInfo;

class Query : public LibpqTest {};

TEST_F(Query, inspects_columns_types_and_key) {
  sql("CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
      "CREATE SCHEMA \"S\"\"1\";"
      "CREATE TABLE \"S\"\"1\".\"T t\" (b int8 NOT NULL, gone text, a varchar(10), c text[] NOT "
      "NULL,"
      " d int4[][], m mood, ms mood[], p positive, n name, o oidvector, pt point, q char(5),"
      " g int GENERATED ALWAYS AS (1) STORED, PRIMARY KEY (q, b) INCLUDE (a));"
      "ALTER TABLE \"S\"\"1\".\"T t\" DROP gone");
  sql("CREATE TABLE made AS SELECT ARRAY[1] AS a");
  auto session = query_session();
  const auto found = must(session->inspect({"S\"1", "T t"}));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(std::to_string(found->oid.value), sql("SELECT '\"S\"\"1\".\"T t\"'::regclass::oid"));
  EXPECT_EQ(found->name, (postgres::RelationName{"S\"1", "T t"}));
  EXPECT_FALSE(found->replica_identity_full);
  const auto user_type = [&](const std::string& name) {
    return postgres::Oid{static_cast<std::uint32_t>(
        std::stoul(sql("SELECT oid FROM pg_type WHERE typname = '" + name + "'")))};
  };
  const std::vector<ColumnInfo> expected = {
      {"b", {20}, "int8", -1, 0, true, false, 2, 1},
      {"a", {1043}, "varchar", 14, 0, false, false, 0, 3},
      {"c", {1009}, "text", -1, 1, true, false, 0, 4},
      {"d", {1007}, "int4", -1, 2, false, false, 0, 5},
      {"m", user_type("mood"), "mood", -1, 0, false, false, 0, 6},
      {"ms", user_type("_mood"), "mood", -1, 1, false, false, 0, 7},
      {"p", user_type("positive"), "positive", -1, 0, false, false, 0, 8},
      {"n", {19}, "name", -1, 0, false, false, 0, 9},
      {"o", {30}, "oidvector", -1, 0, false, false, 0, 10},
      {"pt", {600}, "point", -1, 0, false, false, 0, 11},
      {"q", {1042}, "bpchar", 9, 0, true, false, 1, 12},
      {"g", {23}, "int4", -1, 0, false, true, 0, 13},
  };
  ASSERT_EQ(found->columns.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(found->columns[i], expected[i]) << expected[i].name;

  const auto made = must(session->inspect({"public", "made"}));
  EXPECT_EQ(made->columns.at(0).type_name, "int4");
  EXPECT_EQ(made->columns.at(0).dimensions, 1) << "an array, though its declaration says 0";
  sql("ALTER TABLE made REPLICA IDENTITY FULL");
  EXPECT_TRUE(must(session->inspect({"public", "made"}))->replica_identity_full);
}

TEST_F(Query, tells_missing_tables_from_those_that_no_shape_can_have) {
  sql("CREATE TABLE bare (); CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1;"
      "CREATE TABLE p (id int) PARTITION BY LIST (id);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE SEQUENCE s;"
      "CREATE UNLOGGED TABLE u (id int PRIMARY KEY);"
      "CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);"
      "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;"
      "CREATE FOREIGN TABLE f (id int) SERVER far");
  auto session = query_session();
  EXPECT_FALSE(must(session->inspect({"public", "nothing"})).has_value());
  EXPECT_FALSE(must(session->inspect({"nowhere", "items"})).has_value());
  EXPECT_FALSE(must(session->inspect({"public", "bare"})).has_value());
  const std::map<postgres::RelationName, std::string> reasons = {
      {{"public", "v"}, "Table \"public\".\"v\" is a view"},
      {{"public", "m"}, "Table \"public\".\"m\" is a materialized view"},
      {{"public", "f"}, "Table \"public\".\"f\" is a foreign table"},
      {{"public", "s"}, "Table \"public\".\"s\" is a sequence"},
      {{"public", "p"}, "Table \"public\".\"p\" is partitioned"},
      {{"public", "u"}, "Table \"public\".\"u\" is unlogged, so that its changes are in no stream"},
      {{"public", "parent"}, "Table \"public\".\"parent\" has tables that inherit from it"},
      {{"public", "p1"}, "Table \"public\".\"p1\" is a partition of another table"},
      {{"pg_catalog", "pg_class"},
       "Table \"pg_catalog\".\"pg_class\" is a system or temporary table"},
      {{"information_schema", "tables"},
       "Table \"information_schema\".\"tables\" is a system or temporary table"}};
  for (const auto& [name, reason] : reasons) {
    const auto found = session->inspect(name);
    ASSERT_FALSE(found.ok()) << name.table;
    EXPECT_EQ(found.error().kind, DatabaseFailure::undefined_object);
    EXPECT_EQ(found.error().message, reason);
  }
  EXPECT_FALSE(must(session->inspect({"public", "nothing"})).has_value()) << "the session goes on";
}

TEST_F(Query, describes_the_table_that_a_snapshot_has_locked) {
  sql("CREATE TABLE items (a varchar(3)[] NOT NULL, id int, b numeric(4,1), PRIMARY KEY (b, id))");
  sql("ALTER TABLE items REPLICA IDENTITY FULL, DROP COLUMN a, ADD COLUMN c text");
  auto session = query_session();
  const auto begun = must(session->begin_snapshot({"public", "items"}));
  EXPECT_EQ(begun.relation.columns.size(), 3U);
  EXPECT_EQ(begun.relation.columns[0].key_position, 2);
  EXPECT_TRUE(begun.relation.replica_identity_full);
  EXPECT_EQ(begun.relation, *must(query_session()->inspect({"public", "items"})));
  session->end_snapshot();
}

TEST_F(Query, reads_rows_of_one_moment) {
  sql("CREATE TABLE items (id int, body text, flag bool, pad char(4))");
  sql("INSERT INTO items VALUES (1, 'one', true, 'ab'), (2, NULL, false, NULL)");
  RawSession open(server().url(database_));
  open.run("BEGIN");
  open.run("INSERT INTO items VALUES (3)");
  sql("INSERT INTO items VALUES (5)");
  sql("DELETE FROM items WHERE id = 5");
  auto session = query_session();
  const postgres::Snapshot snapshot = must(session->begin_snapshot({"public", "items"})).snapshot;
  open.run("COMMIT");
  sql("INSERT INTO items VALUES (4)");
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"body", "id", "flag", "pad"}, ""}),
            (std::vector<std::string>{"one|1|t|ab  ", "NULL|2|f|NULL"}));
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, "\"id\" > 1"}),
            std::vector<std::string>{"2"});
  EXPECT_TRUE(rows(*session, {{"public", "items"}, {"id"}, "false"}).empty());
  session->end_snapshot();

  // What the rows showed is what the snapshot says.
  const auto xid_of = [&](int id) {
    return postgres::Xid{static_cast<std::uint32_t>(
        std::stoul(sql("SELECT xmin FROM items WHERE id = " + std::to_string(id))))};
  };
  EXPECT_TRUE(snapshot.sees(xid_of(1)));
  EXPECT_FALSE(snapshot.sees(xid_of(3))) << "in progress";
  ASSERT_EQ(snapshot.xip.size(), 1U);
  EXPECT_EQ(snapshot.xip[0].truncated(), xid_of(3));
  EXPECT_FALSE(snapshot.sees(xid_of(4))) << "not begun";
  EXPECT_GT(snapshot.insert_lsn.value, 0U);

  const postgres::Snapshot later = must(session->begin_snapshot({"public", "items"})).snapshot;
  EXPECT_TRUE(later.sees(xid_of(4)));
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, ""}).size(), 4U);
  session->end_snapshot();
}

TEST_F(Query, gives_rows_in_bounded_batches) {
  sql("CREATE TABLE items AS SELECT i AS id, repeat('x', 100) AS body FROM generate_series(1, "
      "1201) i");
  auto session = query_session();
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id", "body"}, ""}));
  std::vector<std::size_t> sizes;
  do {
    sizes.push_back(must(session->next()).rows());
  } while (sizes.back() > 0 && sizes.size() < 10);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{500, 500, 201, 0}));
  EXPECT_EQ(must(session->next()).rows(), 0U) << "the end stays the end";
  session->end_snapshot();

  sql("CREATE TABLE large AS SELECT repeat('x', 200000) AS body FROM generate_series(1, 5)");
  must(session->begin_snapshot({"public", "large"}));
  must(session->start({{"public", "large"}, {"body"}, ""}));
  EXPECT_EQ(must(session->next()).rows(), 2U) << "large rows make small batches";
  session->end_snapshot();
}

TEST_F(Query, reports_a_failure_in_the_middle_of_the_rows) {
  sql("CREATE TABLE items AS SELECT i AS id FROM generate_series(1, 2000) i");
  auto session = query_session();
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id"}, "1 / (1500 - id) < 9"}));
  EXPECT_EQ(must(session->next()).rows(), 500U);
  env::DatabaseResult<postgres::RowBatch> got = postgres::RowBatch(1);
  for (int i = 0; i < 4 && got.ok(); ++i) got = session->next();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, DatabaseFailure::query);
  EXPECT_EQ(got.error().sqlstate, "22012");
  session->end_snapshot();
  must(session->begin_snapshot({"public", "items"}));
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, "id = 7"}), std::vector<std::string>{"7"});
  session->end_snapshot();
}

TEST_F(Query, stops_a_query_whose_rows_nobody_wants) {
  sql("CREATE TABLE items AS SELECT i AS id FROM generate_series(1, 2000) i");
  auto session = query_session();
  must(session->begin_snapshot({"public", "items"}));
  must(session->start(
      {{"public", "items\" a, \"public\".\"items\" b, \"public\".\"items"}, {"id"}, "true"}));
  EXPECT_FALSE(session->next().ok()) << "names are names, not SQL";
  session->end_snapshot();
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id"}, "pg_sleep(0.05) IS NOT NULL"}));
  const auto before = std::chrono::steady_clock::now();
  session->end_snapshot();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30))
      << "by itself the query takes 100 s";
  must(session->begin_snapshot({"public", "items"}));
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, "id = 7"}), std::vector<std::string>{"7"});
  session->end_snapshot();
}

// Postgres ignores a request to stop that reaches a backend before its statement does.
TEST_F(Query, stops_a_query_that_the_server_had_not_begun) {
  sql("CREATE TABLE items AS SELECT i AS id FROM generate_series(1, 10) i");
  auto session = query_session();
  must(session->begin_snapshot({"public", "items"}));
  const pid_t backend =
      std::stoi(sql("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid()"));
  ASSERT_EQ(::kill(backend, SIGSTOP), 0);
  std::thread continued([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ::kill(backend, SIGCONT);
  });
  must(session->start({{"public", "items"}, {"id"}, "pg_sleep(60) IS NOT NULL"}));
  session->end_snapshot();
  continued.join();
  must(session->begin_snapshot({"public", "items"}));
  EXPECT_EQ(rows(*session, {{"public", "items"}, {"id"}, "id = 7"}), std::vector<std::string>{"7"});
  session->end_snapshot();
}

TEST_F(Query, limits_the_wait_for_the_first_row) {
  sql("CREATE TABLE items AS SELECT 1 AS id");
  ConnectionSettings impatient = settings();
  impatient.first_row_timeout = std::chrono::milliseconds(200);
  auto session = query_session(impatient);
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id"}, "pg_sleep(600) IS NOT NULL"}));
  const auto got = session->next();
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().kind, DatabaseFailure::timeout);
  EXPECT_TRUE(got.error().message.starts_with("Snapshot query took too long to return data"));
  session.reset();
  wait_for([&] {
    return sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND state "
               "= 'active'"
               " AND pid <> pg_backend_pid()") == "0";
  });
}

TEST_F(Query, says_what_keeps_it_from_connecting) {
  const auto refusal = [](ConnectionSettings to) {
    to.connect_timeout = std::chrono::seconds(5);
    const auto opened = BlockingQuery::open(to, std::make_shared<Interrupt>());
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? env::DatabaseError{} : opened.error();
  };
  EXPECT_EQ(refusal(settings("nobody_by_that_name")).kind, DatabaseFailure::authentication);
  ConnectionSettings to = settings();
  to.url = server().url("no_such_database");
  EXPECT_EQ(refusal(to).kind, DatabaseFailure::authentication);
  EXPECT_EQ(refusal(to).sqlstate, "3D000");
  to.url = "postgresql://postgres@127.0.0.1:1/x";
  EXPECT_EQ(refusal(to).message, "connection refused while trying to connect to 127.0.0.1:1");
}

TEST_F(Query, ends_a_call_when_interrupted) {
  auto interrupt = std::make_shared<Interrupt>();
  auto session = must(BlockingQuery::open(settings(), interrupt));
  sql("CREATE TABLE items AS SELECT 1 AS id");
  must(session->begin_snapshot({"public", "items"}));
  must(session->start({{"public", "items"}, {"id"}, "pg_sleep(600) IS NOT NULL"}));
  std::thread waiting([&] {
    const auto got = session->next();
    EXPECT_FALSE(got.ok());
  });
  interrupt->fire();
  waiting.join();
  EXPECT_FALSE(session->published("pub").ok()) << "and every later one";
}

// -- the lock breaker (postgres.md §7.2) ----------------------------------------------------------

class LockBreaker : public Query {
 protected:
  unsigned broken(Duration grace, const std::vector<int>& own = {}) {
    ConnectionSettings with = settings();
    with.lock_holder_grace = grace;
    auto session = query_session(with);
    return must(session->break_lock(slot_, own));
  }
};

TEST_F(LockBreaker, ends_a_holder_while_the_slot_is_inactive) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  must(holder->ensure_publication(publication_));
  must(holder->ensure_slot(slot_));
  auto other_lock = replication_session();
  must(other_lock->acquire_lock("another name"));
  EXPECT_EQ(broken(std::chrono::minutes(1)), 0U) << "it was busy a moment ago";
  EXPECT_EQ(broken(Duration(0), {holder->backend_pid()}), 0U) << "it is our own";
  EXPECT_EQ(broken(Duration(0)), 1U);
  wait_for([&] {
    return sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted") == "1";
  });
  must(other_lock->ensure_publication(publication_));
}

TEST_F(LockBreaker, ends_a_holder_that_was_lost_before_it_made_the_slot) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  EXPECT_EQ(broken(std::chrono::minutes(1)), 0U) << "it may be about to make it";
  EXPECT_EQ(broken(Duration(0)), 1U);
}

TEST_F(LockBreaker, leaves_a_holder_that_is_making_the_slot) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  must(holder->ensure_publication(publication_));
  sql("CREATE TABLE busy(id int)");
  RawSession writer(server().url(database_));
  writer.run("BEGIN");
  writer.run("INSERT INTO busy VALUES (1)");
  std::thread maker([&] { must(holder->ensure_slot(slot_)); });  // waits for the transaction's end
  wait_for([&] { return sql("SELECT active FROM pg_replication_slots") == "t"; });
  EXPECT_EQ(broken(Duration(0)), 0U);
  writer.run("COMMIT");
  maker.join();
}

TEST_F(LockBreaker, leaves_a_holder_that_streams) {
  auto holder = replication_session();
  must(holder->acquire_lock(slot_));
  must(holder->ensure_publication(publication_));
  must(holder->ensure_slot(slot_));
  must(holder->start_streaming(slot_, publication_));
  EXPECT_EQ(broken(Duration(0)), 0U);
  must(holder->send_status({1}, {1}));
}

TEST_F(LockBreaker, knows_the_key_of_any_hash) {
  // A negative hash fills the upper half of the key with ones.
  for (const char* name : {"electric_slot_default", "a", "b", "c", "d", "e"}) {
    slot_ = name;
    auto holder = replication_session();
    must(holder->acquire_lock(slot_));
    must(holder->ensure_publication(publication_));
    must(holder->ensure_slot(slot_));
    EXPECT_EQ(broken(Duration(0)), 1U) << name;
    sql(std::string("SELECT pg_drop_replication_slot('") + name + "')");
  }
}

}  // namespace
}  // namespace holdfast::production
