// What SQLite does not promise: a tail of the WAL that a new process reads from the page cache need
// not be on the platter. These are the traps the engine's start has to avoid (design.md §7); each
// is shown to be there, and the way around it to be one.
#include <map>
#include <set>

#include "sim/disk/crash_point.hpp"
#include "sim/disk/sqlite_vfs.hpp"
#include "tests/disk/workload.hpp"

namespace holdfast::sim {
namespace {

/// What a start after a failure does before it trusts what it reads.
enum class Start { trust, commit, checkpoint, rewrite_wal };

/// Writes the WAL's bytes over themselves and syncs them: what an earlier failed sync had marked
/// clean is dirty again, and so really written.
void rewrite_wal(Mount& mount) {
  auto file = mount.open("/x.db-wal", env::OpenMode::read_write);
  if (!file.ok()) return;
  std::string bytes(file.value()->size().value(), '\0');
  ASSERT_EQ(file.value()->read(0, bytes).value(), bytes.size());
  ASSERT_TRUE(file.value()->write_at(0, bytes).ok());
  ASSERT_TRUE(file.value()->sync().ok());
  ASSERT_TRUE(mount.sync_directory("/").ok());
}

/// Two commits, the second ends in trouble; a new mount starts and serves what it reads; then the
/// power goes. What the second reads and the third finds, counted over many seeds.
struct Trial {
  std::map<std::string, int> outcomes;
  enum class Trouble { failed_sync, kill_before_sync };

  void run(Trouble trouble, Start start, std::uint64_t seeds) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) outcomes[once(trouble, start, seed)] += 1;
  }

 private:
  static std::string once(Trouble trouble, Start start, std::uint64_t seed) {
    seed_sqlite(1);
    KeyedRandom random(seed);
    Script script;
    SimDisk disk({.random = random, .faults = &script});
    const auto first = disk.mount(1);
    Sql writer("/x.db", first->sqlite_vfs());
    EXPECT_EQ(writer.run(std::string(k_full_sync) + "CREATE TABLE t(a, b)"), SQLITE_OK);
    for (int row = 1; row <= 20; ++row) {
      EXPECT_EQ(writer.run("INSERT INTO t VALUES (" + std::to_string(row) + ", zeroblob(1500))"),
                SQLITE_OK);
    }
    EXPECT_EQ(writer.run("PRAGMA wal_checkpoint(TRUNCATE); UPDATE t SET a = a + 1 WHERE a = 1"),
              SQLITE_OK);
    script.on_decide = [&](const Operation& op) {
      FaultDecision decision;
      if (op.kind != OperationKind::sync || !op.path.ends_with("-wal")) return decision;
      if (trouble == Trouble::kill_before_sync) first->kill();
      decision.failure = env::DiskFailure::io;
      return decision;
    };
    EXPECT_NE(writer.run("UPDATE t SET a = a + 100"), SQLITE_OK);
    first->kill();
    script.on_decide = {};

    const auto second = disk.mount(2);
    if (start == Start::rewrite_wal) rewrite_wal(*second);
    Sql reader("/x.db", second->sqlite_vfs());
    EXPECT_EQ(reader.run(k_full_sync), SQLITE_OK);
    if (start == Start::commit) {
      EXPECT_EQ(reader.run("CREATE TABLE epoch(n)"), SQLITE_OK);
    }
    if (start == Start::checkpoint) {
      EXPECT_EQ(reader.run("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
    }
    const std::string served = reader.value("SELECT sum(a) FROM t");
    EXPECT_TRUE(served == "211" || served == "2211") << served;
    disk.power_loss();

    const auto third = disk.mount(3);
    Sql last("/x.db", third->sqlite_vfs());
    if (last.run("SELECT sum(a) FROM t") != SQLITE_OK) return "corrupt";
    const std::string found = last.last_rows().front();
    if (last.value("PRAGMA integrity_check") != "ok") return "corrupt";
    if (found == served) return "same";
    return found == "211" ? "lost" : "mixed";
  }
};

std::set<std::string> outcomes(Trial::Trouble trouble, Start start) {
  Trial trial;
  trial.run(trouble, start, 100);
  std::set<std::string> seen;
  for (const auto& [outcome, count] : trial.outcomes) seen.insert(outcome);
  return seen;
}

using Outcomes = std::set<std::string>;

TEST(SqliteUnsynced, AfterAKillTheTailIsDurableOnceSomethingWasCommittedOrCheckpointed) {
  constexpr auto k_kill = Trial::Trouble::kill_before_sync;
  EXPECT_EQ(outcomes(k_kill, Start::trust), (Outcomes{"lost", "same"}))
      << "a start that only reads serves what a power loss can take back";
  EXPECT_EQ(outcomes(k_kill, Start::commit), (Outcomes{"same"}));
  EXPECT_EQ(outcomes(k_kill, Start::checkpoint), (Outcomes{"same"}));
  EXPECT_EQ(outcomes(k_kill, Start::rewrite_wal), (Outcomes{"same"}));
}

TEST(SqliteUnsynced, AfterAFailedSyncACommitDoesNotMakeTheTailDurable) {
  constexpr auto k_failed = Trial::Trouble::failed_sync;
  EXPECT_EQ(outcomes(k_failed, Start::trust), (Outcomes{"lost", "same"}));
  EXPECT_EQ(outcomes(k_failed, Start::commit), (Outcomes{"lost", "same"}))
      << "its sync does not write the pages that count as clean, and recovery stops at the gap";
}

// The pages of the lost commit are in the database file, the WAL on the platter ends before it:
// with the truncation not yet synced, recovery lays old pages over some of the new ones.
TEST(SqliteUnsynced, AfterAFailedSyncACheckpointCanMixTwoStates) {
  EXPECT_EQ(outcomes(Trial::Trouble::failed_sync, Start::checkpoint), (Outcomes{"mixed", "same"}));
}

TEST(SqliteUnsynced, WritingTheWalOverItselfMakesTheTailDurable) {
  EXPECT_EQ(outcomes(Trial::Trouble::failed_sync, Start::rewrite_wal), (Outcomes{"same"}));
}

}  // namespace
}  // namespace holdfast::sim
