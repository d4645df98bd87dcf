// SQLite in WAL mode with synchronous=FULL over the simulated disk keeps its promise at every crash
// point of a run, under every outcome the disk model allows that we draw. Were it not so, either
// the VFS or the model would be wrong, and the engine's own durability tests would prove nothing.
#include <set>

#include "sim/disk/crash_point.hpp"
#include "sim/disk/sqlite_vfs.hpp"
#include "tests/disk/workload.hpp"

namespace holdfast::sim {
namespace {

enum class Crash { power_loss, kill };

struct Outcome {
  std::size_t committed = 0;
  std::size_t found = 0;
  Hash128 fingerprint;
};

std::uint64_t operations_of(const Workload& workload) {
  seed_sqlite(1);
  KeyedRandom random(1);
  SimDisk disk({.random = random});
  const auto mount = disk.mount(1);
  EXPECT_EQ(workload.run(*mount), workload.transactions.size());
  return disk.operations();
}

/// Runs until the crash point, crashes, re-opens with a new mount, compares; then loses power
/// again.
Outcome crash_and_recover(const Workload& workload, std::uint64_t seed, std::uint64_t operation,
                          CrashMoment moment, Crash crash) {
  seed_sqlite(1);
  KeyedRandom random(seed);
  SimDisk disk({.random = random});
  Outcome outcome;
  const auto first = disk.mount(1);
  CrashPoint point(operation, moment, [&] {
    if (crash == Crash::kill) {
      first->kill();
    } else {
      disk.power_loss();
    }
  });
  disk.options().faults = &point;
  disk.options().observer = &point;
  outcome.committed = workload.run(*first);
  EXPECT_TRUE(point.struck());
  EXPECT_EQ(first->open_handles(), 0U) << "SQLite closed everything after its errors";
  disk.options().faults = nullptr;
  disk.options().observer = nullptr;
  outcome.fingerprint = disk.fingerprint();

  const auto second = disk.mount(2);
  outcome.found = workload.expect_prefix(*second, outcome.committed);
  disk.power_loss();
  const auto third = disk.mount(3);
  if (crash == Crash::power_loss) {
    EXPECT_EQ(workload.expect_prefix(*third, outcome.found), outcome.found)
        << "recovery must not depend on what was not synced";
  } else {
    workload.expect_prefix(*third, outcome.committed);
  }
  return outcome;
}

class EveryCrashPoint : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  Workload workload = Workload::generate(GetParam(), 6, 12);
};

TEST_P(EveryCrashPoint, PowerLossShowsExactlyTheCommittedPrefix) {
  const std::uint64_t operations = operations_of(workload);
  std::size_t in_flight_survived = 0;
  std::size_t in_flight_lost = 0;
  for (std::uint64_t k = 1; k <= operations; ++k) {
    for (const CrashMoment moment : {CrashMoment::before, CrashMoment::after}) {
      const Outcome outcome =
          crash_and_recover(workload, GetParam() * 1000 + k, k, moment, Crash::power_loss);
      if (outcome.committed == workload.transactions.size()) continue;
      (outcome.found > outcome.committed ? in_flight_survived : in_flight_lost) += 1;
      if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
    }
  }
  EXPECT_GT(in_flight_survived, 0U) << "the crash points reached past the writes of a commit";
  EXPECT_GT(in_flight_lost, 0U);
}

TEST_P(EveryCrashPoint, KillShowsExactlyTheCommittedPrefix) {
  const std::uint64_t operations = operations_of(workload);
  for (std::uint64_t k = 1; k <= operations; ++k) {
    for (const CrashMoment moment : {CrashMoment::before, CrashMoment::after}) {
      crash_and_recover(workload, GetParam() * 1000 + k, k, moment, Crash::kill);
      if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
    }
  }
}

// The other process has the WAL index mapped, so nobody recovers it from the WAL.
TEST_P(EveryCrashPoint, KillOfOneMountLeavesAReaderRight) {
  const std::uint64_t operations = operations_of(workload);
  for (std::uint64_t k = 1; k <= operations; ++k) {
    seed_sqlite(1);
    KeyedRandom random(k);
    SimDisk disk({.random = random});
    const auto standby = disk.mount(2);
    const auto leader = disk.mount(1);
    Sql reader("/x.db", standby->sqlite_vfs());
    ASSERT_EQ(reader.run(k_full_sync), SQLITE_OK);
    state_of(reader);
    CrashPoint point(disk.operations() + k, CrashMoment::after, [&] { leader->kill(); });
    disk.options().faults = &point;
    disk.options().observer = &point;
    const std::size_t committed = workload.run(*leader);
    disk.options().faults = nullptr;
    disk.options().observer = nullptr;
    const std::string state = state_of(reader);
    EXPECT_TRUE(state == workload.states[committed] ||
                state == workload.states[std::min(committed + 1, workload.states.size() - 1)])
        << "operation " << k << ":\n"
        << state;
    EXPECT_EQ(reader.value("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(reader.run("BEGIN IMMEDIATE; COMMIT"), SQLITE_OK) << "the dead hold no locks";
    if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
  }
}

// One failing operation: that transaction fails or has an unknown outcome, the file stays whole.
TEST_P(EveryCrashPoint, AnErrorAtAnyOperationLeavesAPrefix) {
  const std::uint64_t operations = operations_of(workload);
  std::size_t failed = 0;
  for (std::uint64_t k = 1; k <= operations; ++k) {
    for (const auto failure : {env::DiskFailure::io, env::DiskFailure::no_space}) {
      seed_sqlite(1);
      KeyedRandom random(k);
      Script script;
      script.on_decide = [&](const Operation& op) {
        FaultDecision decision;
        if (op.number != k || op.kind == OperationKind::sync_directory) return decision;
        decision.failure = failure;
        decision.written_prefix_bytes = op.size_bytes / 3;
        return decision;
      };
      SimDisk disk({.random = random, .faults = &script});
      const auto mount = disk.mount(1);
      const std::size_t committed = workload.run(*mount);
      failed += committed < workload.transactions.size() ? 1 : 0;
      script.on_decide = {};
      const auto next = disk.mount(2);
      const std::size_t found = workload.expect_prefix(*next, committed);
      disk.power_loss();
      const auto last = disk.mount(3);
      // What a failed sync lost cannot be seen in the cache: only acknowledged commits must stay.
      workload.expect_prefix(*last, committed);
      (void)found;
      if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
    }
  }
  EXPECT_GT(failed, operations / 4);
}

INSTANTIATE_TEST_SUITE_P(Workloads, EveryCrashPoint, ::testing::Values(1, 2, 3));

TEST(SqliteCrash, TheSameSeedLeavesTheSameBytes) {
  const Workload workload = Workload::generate(5, 6, 12);
  const std::uint64_t operations = operations_of(workload);
  std::set<Hash128> distinct;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto run = [&] {
      return crash_and_recover(workload, seed, operations - 40, CrashMoment::after,
                               Crash::power_loss)
          .fingerprint;
    };
    const Hash128 first = run();
    EXPECT_EQ(first, run());
    distinct.insert(first);
  }
  EXPECT_GT(distinct.size(), 1U) << "and other seeds other bytes";
}

}  // namespace
}  // namespace holdfast::sim
