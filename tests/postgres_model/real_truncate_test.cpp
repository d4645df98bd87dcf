// TRUNCATE is not MVCC-safe: what snapshots older than one see, on the model and on a real
// Postgres. The generated histories compare this only when a seed happens to come by.
#include "tests/postgres_model/fixture.hpp"
#include "tests/postgres_model/real_server.hpp"

namespace holdfast::test {
namespace {

const std::string k_sub_select = "id IN (SELECT id FROM others)";
const RelationName k_others{"public", "others"};

/// The same tables on both sides, two rows in each, one of `items` deleted after the snapshot.
class RealTruncate : public ModelTest {
 protected:
  void SetUp() override {
    ModelTest::SetUp();
    model->create_table(items());
    model->create_table({k_others, items().columns});
    writer.must(
        "CREATE TABLE items (id int4 PRIMARY KEY, name text);"
        "CREATE TABLE others (id int4 PRIMARY KEY, name text)");
    both({insert(1, "a"), insert(2, "b"), into_others(1), into_others(2)});
    session = connect();
    read = begin_beside_items(*session);
    reader.must("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()");
    both({erase(2)});
  }
  void TearDown() override {
    reader.must("ROLLBACK");
    writer.must("DROP TABLE items, others");
    read.reset();
    session.reset();
  }

  static Statement into_others(int id) {
    Statement statement = insert(id, "x");
    statement.table = k_others;
    return statement;
  }
  static Statement truncate_both() {
    return {StatementKind::truncate, k_items, {}, {}, {k_others}};
  }

  void both(const std::vector<Statement>& statements) {
    run(statements);
    std::string sql;
    for (const Statement& statement : statements) sql += statement.to_sql() + ";";
    writer.must("BEGIN; " + sql + "COMMIT");
  }

  std::string real_names(const std::string& condition) {
    return reader.ask("SELECT coalesce(string_agg(name, ',' ORDER BY id), '') FROM items WHERE " +
                      condition);
  }
  void expect_both(const std::string& condition, const std::string& wanted) {
    EXPECT_EQ(real_names(condition), wanted) << "real: " << condition;
    EXPECT_EQ(names(*read, condition), wanted) << "model: " << condition;
  }

  RealConnection writer{real_server().url()};
  RealConnection reader{real_server().url()};
  std::unique_ptr<env::QuerySession> session;
  std::unique_ptr<env::SnapshotRead> read;
};

TEST_F(RealTruncate, LeavesOlderSnapshotsNothingOfWhatWasThere) {
  both({insert(3, "c"), truncate_both(), insert(4, "d")});
  expect_both("true", "");
}

TEST_F(RealTruncate, OfASubSelectsTableLeavesTheOthersAlone) {
  both({{StatementKind::truncate, k_others, {}, {}, {}}, into_others(1)});
  expect_both(k_sub_select, "");
  expect_both("true", "a,b");
}

TEST_F(RealTruncate, TakesNothingWhenItIsRolledBack) {
  const Session open = model->begin();
  must(open, truncate_both());
  model->rollback(open);
  writer.must("BEGIN; " + truncate_both().to_sql() + "; ROLLBACK");
  expect_both(k_sub_select, "a,b");
}

TEST_F(RealTruncate, IsWaitedForByAQueryWithASubSelectOnItsTable) {
  const Statement truncate_others{StatementKind::truncate, k_others, {}, {}, {}};
  const Session open = model->begin();
  must(open, truncate_others);
  writer.must("BEGIN; " + truncate_others.to_sql());
  reader.must("SAVEPOINT before; SET LOCAL lock_timeout = '3ms'");
  EXPECT_EQ(reader.run("SELECT 1 FROM items WHERE " + k_sub_select).sqlstate, "55P03");
  reader.must("ROLLBACK TO before");
  while_waiting.emplace_back([&] {
    model->commit(open, Synchronous::on);
    writer.must("COMMIT");
  });
  EXPECT_EQ(names(*read, k_sub_select), "");
  EXPECT_TRUE(while_waiting.empty()) << "the model's query waited too";
  EXPECT_EQ(real_names(k_sub_select), "");
}

TEST_F(RealTruncate, WaitsForAQueryThatReadItsTableInASubSelect) {
  const Statement truncate_others{StatementKind::truncate, k_others, {}, {}, {}};
  expect_both(k_sub_select, "a,b");
  const Session open = model->begin();
  EXPECT_EQ(model->execute(open, truncate_others).outcome, ExecuteOutcome::blocked);
  model->rollback(open);
  writer.must("BEGIN; SET LOCAL lock_timeout = '3ms'");
  EXPECT_EQ(writer.run(truncate_others.to_sql()).sqlstate, "55P03");
  writer.must("ROLLBACK");
}

}  // namespace
}  // namespace holdfast::test
