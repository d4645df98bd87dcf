// What a start after trouble owes to those it serves: whatever it showed is still there after the
// power goes, whoever else has the database open meanwhile. And a reader writes nothing, ever.
#include <set>

#include "tests/disk/support.hpp"
#include "tests/storage/scripted_run.hpp"

namespace holdfast::storage {
namespace {

using sim::CrashPolicy;
using sim::Operation;
using sim::OperationKind;

constexpr auto k_log_begin = protocol::LogOffset::snapshot_end();
constexpr std::string_view k_log = "/store/store.db-wal";

/// All that a client could read of a started engine.
std::string served(Incarnation& engine) {
  std::string text = "applied " + std::to_string(engine.boot.applied.value) + "\n";
  for (const ShapeRecord& shape : engine.boot.shapes) {
    text += shape.handle.text + " " + shape.definition + "\n";
    for (auto after = protocol::LogOffset::before_all(); shape.snapshot_complete;) {
      const Slice slice = must(engine.reader->read({shape.handle, after, shape.head}));
      if (::testing::Test::HasFailure()) return text;
      text += "  " + show(slice.end) + " " + slice.items + "\n";
      after = slice.end;
      if (after == shape.head || slice.items.empty()) break;
    }
  }
  return text;
}

enum class AfterStart { nothing, commit, checkpoint };

/// A run whose k-th sync of the log fails and which is then killed; a start, what it serves, and a
/// power loss. What the next start serves must be what the first one did.
class FailedSync {
 public:
  FailedSync(std::uint64_t seed, std::uint64_t sync, AfterStart after)
      : random_(seed), disk_({.random = random_}), sync_(sync), after_(after) {}

  /// False: the run has fewer syncs.
  bool run() {
    sim::seed_sqlite(1);
    if (!break_a_sync()) return false;
    std::string expected;
    {
      const auto mount = disk_.mount(2);
      Incarnation engine;
      StoreOptions options = small_options();
      options.checkpoint_passive_bytes = 1;
      must(engine.start(*mount, options));
      expected = served(engine) + go_on(*engine.store);
      disk_.power_loss();
    }
    const auto mount = disk_.mount(3);
    Incarnation engine;
    must(engine.start(*mount));
    EXPECT_EQ(served(engine), expected);
    return true;
  }

 private:
  bool break_a_sync() {
    sim::Script script;
    std::uint64_t syncs = 0;
    script.on_decide = [&](const Operation& op) {
      sim::FaultDecision decision;
      if (op.kind == OperationKind::sync && op.path == k_log && ++syncs == sync_)
        decision.failure = env::DiskFailure::io;
      return decision;
    };
    disk_.options().faults = &script;
    const auto mount = disk_.mount(1);
    ScriptedRun run;
    Incarnation engine;
    bool ok = engine.start(*mount).ok();
    for (std::size_t step = 0; ok && step < run.steps(); ++step)
      ok = run.perform(step, *engine.store).ok();
    disk_.options().faults = nullptr;
    mount->kill();
    return syncs >= sync_;
  }

  /// What is served in addition.
  std::string go_on(Store& store) {
    if (after_ == AfterStart::commit)
      return must(store.create(Hash128{77, 77}, "new")).handle.text + " new\n";
    for (int slice = 0; after_ == AfterStart::checkpoint && slice < 50; ++slice)
      if (!must(store.maintain()).more) break;
    return "";
  }

  sim::KeyedRandom random_;
  sim::SimDisk disk_;
  std::uint64_t sync_;
  AfterStart after_;
};

TEST(StoreRecovery, AfterAFailedSyncWhatIsServedStaysWhateverIsDoneNext) {
  for (const AfterStart after : {AfterStart::nothing, AfterStart::commit, AfterStart::checkpoint}) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      std::uint64_t sync = 1;
      while (FailedSync(seed, sync, after).run()) {
        ASSERT_FALSE(HasFailure())
            << "seed " << seed << ", sync " << sync << ", then " << static_cast<int>(after);
        ++sync;
      }
      EXPECT_GT(sync, 20U);
    }
  }
}

class StoreOnSimDisk : public ::testing::Test {
 protected:
  StoreOnSimDisk() : disk_({.random = random_, .faults = &script_, .observer = &script_}) {
    sim::seed_sqlite(1);
  }

  sim::KeyedRandom random_{1};
  sim::Script script_;
  sim::SimDisk disk_;
};

// A leader that was stopped wakes up while its successor makes the log durable. Before each of the
// successor's operations on the log it tries to commit: either that is refused, or it stays.
TEST_F(StoreOnSimDisk, ATakeoverMakesTheLogDurableWithoutLosingAnothersCommit) {
  std::uint64_t moments = 1;
  for (std::uint64_t k = 1; k <= moments; ++k) {
    sim::SimDisk disk({.random = random_, .observer = &script_});
    const auto first = disk.mount(1);
    const auto second = disk.mount(2);
    Incarnation old_leader;
    StoreOptions options = small_options();
    options.checkpoint_passive_bytes = 1;
    must(old_leader.start(*first, options));
    const auto shape = must(old_leader.store->create(Hash128{1, 1}, "a")).handle;
    must(old_leader.store->commit(completion(shape, {"[]"})));
    // All of the log is in the database, so the next commit begins it anew, over old frames.
    while (must(old_leader.store->maintain()).more) continue;
    std::uint64_t seen = 0;
    std::string last;
    script_.on_done = [&](const Operation& op) {
      if (op.incarnation != 2 || op.path != k_log || ++seen != k) return;
      const auto done = old_leader.store->commit(one_change(shape, 9, 0, make_item(9)));
      if (done) last = "9_0";
    };
    Incarnation successor;
    must(successor.start(*second));
    script_.on_done = {};
    moments = std::max(moments, seen);
    // What a process sees that reads the file itself.
    successor.reader.reset();
    successor.store.reset();
    old_leader.reader.reset();
    old_leader.store.reset();
    const auto third = disk.mount(3);
    Incarnation engine;
    must(engine.start(*third));
    if (!last.empty()) {
      EXPECT_EQ(show(engine.boot.shapes.at(0).head), last) << "at operation " << k;
    }
    EXPECT_NE(served(engine).find("[]"), std::string::npos) << "at operation " << k;
  }
  EXPECT_GT(moments, 5U);
}

// A holder is killed at each operation of a commit, in particular once all of it is in the log and
// nothing synced. What a standby then reads must be there after a power loss. Found by a history.
TEST(StoreRecovery, WhatAStandbyReadsOfAKilledHolderStays) {
  std::set<std::string> seen;
  bool struck = true;
  for (std::uint64_t k = 1; struck; ++k) {
    sim::seed_sqlite(1);
    sim::KeyedRandom random(k);
    sim::Script script;
    sim::SimDisk disk({.random = random, .faults = &script});
    protocol::LogOffset shown;
    {
      const auto first = disk.mount(1);
      Incarnation holder;
      must(holder.start(*first));
      const auto shape = must(holder.store->create(Hash128{1, 1}, "a")).handle;
      must(holder.store->commit(completion(shape, {"[]"})));
      std::uint64_t operations = 0;
      struck = false;
      script.on_decide = [&](const Operation& op) {
        if (op.incarnation == 1 && ++operations == k) {
          struck = true;
          first->kill();
        }
        return sim::FaultDecision{};
      };
      (void)holder.store->commit(one_change(shape, 9, 0, make_item(9))).ok();
      script.on_decide = {};
      first->kill();
    }
    {
      const auto second = disk.mount(2);
      auto standby = must(open_reader(*second, small_options(), nullptr));
      shown = must(standby->load()).shapes.at(0).head;
      seen.insert(show(shown));
      standby.reset();
      disk.power_loss(CrashPolicy::lose_all);
    }
    const auto third = disk.mount(3);
    Incarnation engine;
    must(engine.start(*third));
    EXPECT_EQ(show(engine.boot.shapes.at(0).head), show(shown)) << "killed at operation " << k;
  }
  EXPECT_EQ(seen.size(), 2U) << "the commit was seen, and not";
}

// Seed 51183 of hierarchy: after a failed sync the pages count as clean, and a sync of the
// standby's own has nothing to write.
TEST(StoreRecovery, WhatAStandbyReadsOfAHolderWhoseSyncFailedStays) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sim::seed_sqlite(1);
    sim::KeyedRandom random(seed);
    sim::Script script;
    sim::SimDisk disk({.random = random, .faults = &script});
    const auto fail_syncs = [](const Operation& op) {
      sim::FaultDecision decision;
      if (op.kind == OperationKind::sync) decision.failure = env::DiskFailure::io;
      return decision;
    };
    {
      const auto first = disk.mount(1);
      Incarnation holder;
      must(holder.start(*first));
      const auto shape = must(holder.store->create(Hash128{1, 1}, "a")).handle;
      must(holder.store->commit(completion(shape, {"[]"})));
      script.on_decide = fail_syncs;
      EXPECT_FALSE(holder.store->commit(one_change(shape, 9, 0, make_item(9))).ok());
      first->kill();
    }
    protocol::LogOffset shown;
    {
      const auto second = disk.mount(2);
      EXPECT_FALSE(open_reader(*second, small_options(), nullptr).ok()) << "its sync fails as well";
      script.on_decide = {};
      auto standby = must(open_reader(*second, small_options(), nullptr));
      shown = must(standby->load()).shapes.at(0).head;
      seen.insert(show(shown));
      standby.reset();
      disk.power_loss();
    }
    const auto third = disk.mount(3);
    Incarnation engine;
    must(engine.start(*third));
    EXPECT_EQ(show(engine.boot.shapes.at(0).head), show(shown)) << "seed " << seed;
  }
  EXPECT_TRUE(seen.contains("9_0")) << "the commit was found in the log";
}

TEST(StoreCreation, TheDirectoriesOutliveAPowerLossAlsoAfterAKillHalfway) {
  StoreOptions options = small_options();
  options.directory = "/srv/holdfast/store";
  const auto start_and_lose_power = [&](std::uint64_t kill_at) {
    sim::seed_sqlite(1);
    sim::KeyedRandom random(kill_at);
    sim::SimDisk disk({.random = random});
    bool killed = false;
    sim::Script script;
    {
      const auto mount = disk.mount(1);
      script.on_done = [&](const Operation& op) {
        if (op.number != kill_at) return;
        killed = true;
        mount->kill();
      };
      disk.options().observer = &script;
      Incarnation engine;
      (void)engine.start(*mount, options).ok();
      disk.options().observer = nullptr;
    }
    {
      const auto mount = disk.mount(2);
      Incarnation engine;
      must(engine.start(*mount, options));
      must(engine.store->create(Hash128{1, 1}, "a"));
      disk.power_loss(CrashPolicy::lose_all);
    }
    const auto mount = disk.mount(3);
    Incarnation engine;
    must(engine.start(*mount, options));
    EXPECT_EQ(engine.boot.shapes.size(), 1U) << "killed after operation " << kill_at;
    return killed;
  };
  std::uint64_t kill_at = 1;
  while (start_and_lose_power(kill_at) && !HasFailure()) ++kill_at;
  EXPECT_GT(kill_at, 30U);
}

/// Every operation that changes a file or a name; the log may be written over itself.
bool changes(const Operation& op) {
  if (op.kind == OperationKind::write && op.path.ends_with("-wal")) return false;
  const std::set<OperationKind> harmless{
      OperationKind::open, OperationKind::read, OperationKind::list, OperationKind::stat,
      OperationKind::lock, OperationKind::sync, OperationKind::sync_directory,
      OperationKind::shared_memory};
  return !harmless.contains(op.kind);
}

std::string log_of(env::Disk& disk) {
  auto file = disk.open("/store/store.db-wal", env::OpenMode::read_only);
  if (!file.ok()) return {};
  std::string bytes((*file)->size().value(), 0);
  EXPECT_EQ((*file)->read(0, bytes).value(), bytes.size());
  return bytes;
}

// Through a whole run of the holder, sealing and checkpoints included, a standby opens, reads and
// closes after every single operation of the holder, also while the database is being created.
// While the holder is inside a transaction it cannot tell what of the log is durable.
TEST_F(StoreOnSimDisk, AStandbyWritesNothingAtAnyMoment) {
  const auto holder = disk_.mount(1);
  const auto standby = disk_.mount(2);
  std::size_t reads = 0;
  std::set<std::string> refusals;
  bool inside = false;
  script_.on_done = [&](const Operation& op) {
    if (op.incarnation == 2) {
      EXPECT_FALSE(changes(op)) << operation_name(op.kind) << " " << op.path;
      return;
    }
    if (inside) return;
    inside = true;
    const std::string log = log_of(*standby);
    auto reader = open_reader(*standby, small_options(), nullptr);
    EXPECT_TRUE(log_of(*standby) == log);
    auto boot = reader ? (*reader)->load() : StoreResult<Boot>(reader.failure());
    if (!boot) refusals.insert(boot.error().message.substr(0, 60));
    if (boot) {
      for (const ShapeRecord& shape : boot->shapes)
        reads += (*reader)->read({shape.handle, k_log_begin, shape.head}).ok();
    }
    inside = false;
  };
  ScriptedRun run;
  Incarnation engine;
  must(engine.start(*holder));
  for (std::size_t step = 0; step < run.steps() && !HasFailure(); ++step)
    must(run.perform(step, *engine.store));
  script_.on_done = {};
  EXPECT_GT(reads, 100U);
  for (const std::string& refusal : refusals) {
    const bool expected = refusal.find("created") != std::string::npos ||
                          refusal.find("cannot lock the log") != std::string::npos;
    EXPECT_TRUE(expected) << refusal;
  }
}

// The same where the holder was killed halfway through the creation, and after power losses then.
TEST(StoreCreation, AStandbyOfAHalfMadeStoreWritesNothing) {
  for (const bool power : {false, true}) {
    bool struck = true;
    for (std::uint64_t kill_at = 1; struck; ++kill_at) {
      sim::seed_sqlite(1);
      sim::KeyedRandom random(kill_at);
      sim::Script script;
      sim::SimDisk disk({.random = random, .observer = &script});
      const auto holder = disk.mount(1);
      const auto standby = disk.mount(2);
      struck = false;
      script.on_done = [&](const Operation& op) {
        if (op.incarnation == 2) {
          EXPECT_FALSE(changes(op)) << operation_name(op.kind) << " " << op.path;
        }
        if (op.number != kill_at) return;
        struck = true;
        power ? disk.power_loss() : holder->kill();
      };
      Incarnation engine;
      (void)engine.start(*holder).ok();
      if (!struck) break;
      const auto again = disk.mount(2);
      auto reader = open_reader(*again, small_options(), nullptr);
      if (reader) {
        (void)(*reader)->load().ok();
      } else {
        EXPECT_EQ(reader.error().kind, StoreFailure::not_found) << reader.error().message;
      }
      ASSERT_FALSE(HasFailure()) << "after operation " << kill_at << (power ? ", power" : "");
    }
  }
}

}  // namespace
}  // namespace holdfast::storage
