// SQLite over the simulated disk behaves as over the unix VFS: results, locks, shared memory, and
// what happens to it when its mount dies.
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/disk/support.hpp"

namespace holdfast::sim {
namespace {

class Sqlite : public ::testing::Test {
 protected:
  KeyedRandom random{7};
  Script script;
  SimDisk disk{{.random = random, .faults = &script, .observer = &script}};
};

constexpr const char* k_wal = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";

const std::vector<std::string> k_script = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB)",
    "CREATE INDEX by_body ON t(body)",
    "INSERT INTO t(name, body) VALUES ('a', zeroblob(10)), ('b', zeroblob(9000)), ('c', NULL)",
    "INSERT INTO t(name) VALUES ('a')",
    "BEGIN; UPDATE t SET name = name || 'x'; ROLLBACK",
    "BEGIN; DELETE FROM t WHERE name = 'b'; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
    "INSERT INTO t(name, body) SELECT 'n' || i, zeroblob(i % 700) FROM n",
    "SELECT count(*), sum(length(body)), max(name) FROM t",
    "SELECT name FROM t ORDER BY length(body) DESC, name LIMIT 5",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "DELETE FROM t WHERE id % 3 = 0",
    "VACUUM",
    "SELECT count(*), total(id) FROM t",
    "PRAGMA integrity_check",
    "PRAGMA page_count",
};

std::vector<std::string> transcript(const std::string& path, const char* vfs,
                                    const std::string& pragmas) {
  std::vector<std::string> lines;
  for (int round = 0; round < 2; ++round) {  // the second finds what the first left
    Sql sql(path, vfs);
    EXPECT_EQ(sql.run(pragmas), SQLITE_OK);
    for (const std::string& statement : k_script) {
      const int code = sql.run(statement);
      lines.push_back(std::to_string(code) + " " + sqlite3_errmsg(sql.db()));
      for (const std::string& row : sql.last_rows()) lines.push_back(row);
    }
  }
  return lines;
}

class SameScript : public ::testing::TestWithParam<const char*> {};

// The VFS may not change what a statement answers, in any journal mode.
TEST_P(SameScript, GivesTheSameResultsAsTheUnixVfs) {
  KeyedRandom random(1);
  SimDisk disk({.random = random});
  const auto mount = disk.mount(1);
  char folder[] = "/tmp/holdfast-disk-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string real = std::string(folder) + "/x.db";
  EXPECT_EQ(transcript("/x.db", mount->sqlite_vfs(), GetParam()),
            transcript(real, "unix", GetParam()));

  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(mount->list("/").value(), names) << "both leave the same files behind";
  std::filesystem::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(
    JournalModes, SameScript,
    ::testing::Values("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                      "PRAGMA journal_mode=DELETE", "PRAGMA journal_mode=TRUNCATE",
                      "PRAGMA journal_mode=PERSIST",
                      "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=5; PRAGMA cache_size=5",
                      "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL",
                      "PRAGMA temp_store=FILE; PRAGMA cache_size=5"));

TEST_F(Sqlite, TheWalIndexFileIsListedWhileItIsMapped) {
  const auto mount = disk.mount(1);
  {
    Sql sql("/x.db", mount->sqlite_vfs());
    ASSERT_EQ(sql.run(std::string(k_wal) + "CREATE TABLE t(a)"), SQLITE_OK);
    EXPECT_EQ(mount->list("/").value(), (std::vector<std::string>{"x.db", "x.db-shm", "x.db-wal"}));
  }
  EXPECT_EQ(mount->list("/").value(), (std::vector<std::string>{"x.db"}));
}

TEST_F(Sqlite, TwoConnectionsKeepEachOtherFromWriting) {
  const auto mount = disk.mount(1);
  Sql one("/x.db", mount->sqlite_vfs());
  Sql two("/x.db", mount->sqlite_vfs());
  ASSERT_EQ(one.run(std::string(k_wal) + "CREATE TABLE t(a)"), SQLITE_OK);
  ASSERT_EQ(one.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_EQ(two.run("BEGIN IMMEDIATE"), SQLITE_BUSY);
  EXPECT_EQ(two.value("SELECT count(*) FROM t"), "0") << "a reader does not wait";
  ASSERT_EQ(one.run("COMMIT"), SQLITE_OK);
  EXPECT_EQ(two.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT"), SQLITE_OK);
  EXPECT_EQ(one.value("SELECT count(*) FROM t"), "2");
}

TEST_F(Sqlite, TwoMountsShareOneWalIndex) {
  const auto leader = disk.mount(1);
  const auto standby = disk.mount(2);
  Sql one("/x.db", leader->sqlite_vfs());
  ASSERT_EQ(one.run(std::string(k_wal) + "CREATE TABLE t(a)"), SQLITE_OK);
  Sql two("/x.db", standby->sqlite_vfs());
  for (int i = 1; i <= 300; ++i) {
    Sql& writer = i % 3 == 0 ? two : one;
    Sql& reader = i % 3 == 0 ? one : two;
    ASSERT_EQ(writer.run("INSERT INTO t VALUES (zeroblob(2000))"), SQLITE_OK);
    ASSERT_EQ(reader.value("SELECT count(*) FROM t"), std::to_string(i));
    if (i % 100 != 0) continue;
    ASSERT_EQ(reader.value("PRAGMA wal_checkpoint(RESTART)").substr(0, 2), "0|");
  }
  EXPECT_EQ(two.value("PRAGMA integrity_check"), "ok");
}

TEST_F(Sqlite, ABusyHandlerSleepsInVirtualTime) {
  const auto mount = disk.mount(1);
  Sql one("/x.db", mount->sqlite_vfs());
  Sql two("/x.db", mount->sqlite_vfs());
  ASSERT_EQ(one.run(std::string(k_wal) + "CREATE TABLE t(a); BEGIN IMMEDIATE"), SQLITE_OK);
  Duration slept{0};
  disk.options().pause = [&](const char* label, Duration latency) {
    EXPECT_STREQ(label, "disk.sqlite_sleep");
    slept += latency;
    if (slept > std::chrono::milliseconds(50)) one.run("COMMIT");
  };
  sqlite3_busy_timeout(two.db(), 1000);
  EXPECT_EQ(two.run("BEGIN IMMEDIATE; COMMIT"), SQLITE_OK);
  EXPECT_GT(slept, std::chrono::milliseconds(50));
  EXPECT_LT(slept, std::chrono::milliseconds(200));
}

constexpr const char* k_spill =  // more than the cache holds: frames reach the WAL uncommitted
    "PRAGMA cache_size=2; BEGIN IMMEDIATE; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
    "FROM n WHERE i < 500) INSERT INTO t SELECT i || hex(zeroblob(400)) FROM n";

// kill -9 while another process reads: locks go, committed data stays, the open transaction does
// not.
TEST_F(Sqlite, AKilledWriterLeavesItsLocksAndItsOpenTransaction) {
  const auto leader = disk.mount(1);
  const auto standby = disk.mount(2);
  Sql one("/x.db", leader->sqlite_vfs());
  ASSERT_EQ(one.run(std::string(k_wal) + "CREATE TABLE t(a); INSERT INTO t VALUES (1)"), SQLITE_OK);
  Sql two("/x.db", standby->sqlite_vfs());
  ASSERT_EQ(two.run("BEGIN"), SQLITE_OK);
  ASSERT_EQ(two.value("SELECT count(*) FROM t"), "1");
  ASSERT_EQ(one.run(k_spill), SQLITE_OK);
  EXPECT_EQ(two.run("COMMIT; BEGIN IMMEDIATE"), SQLITE_BUSY);

  leader->kill();
  EXPECT_EQ(one.run("COMMIT") & 0xff, SQLITE_IOERR);
  EXPECT_EQ(two.run("BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT"), SQLITE_OK);
  EXPECT_EQ(one.run("SELECT * FROM t") & 0xff, SQLITE_IOERR);
  EXPECT_EQ(one.close(), SQLITE_OK);
  EXPECT_EQ(two.value("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(two.value("PRAGMA integrity_check"), "ok");
}

// A dead writer's SQLite still cleans the index of the frames it takes for its own, and those may
// now be the frames of the living one's open transaction.
TEST_F(Sqlite, ADeadMountCannotTouchTheLivingWalIndex) {
  const auto leader = disk.mount(1);
  const auto standby = disk.mount(2);
  Sql one("/x.db", leader->sqlite_vfs());
  ASSERT_EQ(one.run(std::string(k_wal) + "CREATE TABLE t(a)"), SQLITE_OK);
  Sql two("/x.db", standby->sqlite_vfs());
  ASSERT_EQ(two.value("SELECT count(*) FROM t"), "0");
  ASSERT_EQ(one.run(k_spill), SQLITE_OK);
  leader->kill();
  ASSERT_EQ(two.run(k_spill), SQLITE_OK);
  one.run("ROLLBACK");
  EXPECT_EQ(one.close(), SQLITE_OK);
  EXPECT_EQ(two.value("SELECT count(*), count(DISTINCT a) FROM t"), "500|500");
  EXPECT_EQ(two.run("COMMIT"), SQLITE_OK);
  EXPECT_EQ(two.value("PRAGMA integrity_check"), "ok");
}

TEST_F(Sqlite, ADeadMountOpensNothing) {
  const auto mount = disk.mount(1);
  mount->kill();
  Sql sql("/x.db", mount->sqlite_vfs());
  EXPECT_NE(sql.run("CREATE TABLE t(a)"), SQLITE_OK);
  EXPECT_EQ(disk.operations(), 0U);
}

TEST_F(Sqlite, AFullDiskFailsTheTransactionAndNothingElse) {
  const auto mount = disk.mount(1);
  Sql sql("/x.db", mount->sqlite_vfs());
  ASSERT_EQ(sql.run(std::string(k_wal) + "CREATE TABLE t(a); INSERT INTO t VALUES (1)"), SQLITE_OK);
  script.on_decide = [](const Operation& op) {
    FaultDecision decision;
    if (op.kind == OperationKind::write) {
      decision.failure = env::DiskFailure::no_space;
      decision.written_prefix_bytes = op.size_bytes / 2;
    }
    return decision;
  };
  EXPECT_EQ(sql.run("INSERT INTO t VALUES (2)"), SQLITE_FULL);
  script.on_decide = {};
  EXPECT_EQ(sql.run("INSERT INTO t VALUES (3)"), SQLITE_OK);
  EXPECT_EQ(sql.rows("SELECT a FROM t"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(sql.value("PRAGMA integrity_check"), "ok");
}

// Otherwise the first commit could vanish as a whole: the name of the WAL would be lost.
TEST_F(Sqlite, TheFirstSyncOfANewWalSyncsItsDirectory) {
  std::vector<std::string> syncs;
  script.on_done = [&](const Operation& op) {
    if (op.kind == OperationKind::sync || op.kind == OperationKind::sync_directory) {
      syncs.push_back(std::string(operation_name(op.kind)) + " " + std::string(op.path));
    }
  };
  const auto mount = disk.mount(1);
  Sql sql("/x.db", mount->sqlite_vfs());
  ASSERT_EQ(sql.run(k_wal), SQLITE_OK);
  syncs.clear();
  ASSERT_EQ(sql.run("CREATE TABLE t(a)"), SQLITE_OK);
  EXPECT_EQ(syncs,
            (std::vector<std::string>{"sync /x.db-wal", "sync_directory /", "sync /x.db-wal"}));
  syncs.clear();
  ASSERT_EQ(sql.run("INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_EQ(syncs, (std::vector<std::string>{"sync /x.db-wal"})) << "one commit is one sync";
}

}  // namespace
}  // namespace holdfast::sim
