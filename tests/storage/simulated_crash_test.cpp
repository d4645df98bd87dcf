// Every operation of a run is a crash point, by power loss and by kill, and so is every operation
// of the recovery after it: what was acknowledged is there, never a part of a group, and bytes and
// chunk ends are what they were (I-2, I-9, I-26, I-40). And every operation fails once.
#include <set>

#include "sim/disk/crash_point.hpp"
#include "tests/disk/support.hpp"
#include "tests/storage/scripted_run.hpp"

namespace holdfast::storage {
namespace {

using sim::CrashMoment;
using sim::CrashPoint;

enum class Crash { power_loss, kill };

/// Where a run stood when it ended: its models before and after the step that did not return.
struct Ended {
  std::size_t step = 0;
  Model before{small_options().chunk_bytes};
};

Ended run_until_failure(ScriptedRun& run, Incarnation& engine, env::Disk& disk) {
  Ended ended;
  if (!engine.start(disk)) return ended;
  for (; ended.step < run.steps(); ++ended.step) {
    if (!run.perform(ended.step, *engine.store)) return ended;
    ended.before = run.after(ended.step, ended.before);
  }
  return ended;
}

/// The states that a restart may find.
std::vector<Model> possible(ScriptedRun& run, const Ended& ended) {
  std::vector<Model> models{ended.before};
  if (ended.step < run.steps()) models.push_back(run.after(ended.step, ended.before));
  for (Model& model : models) model.restart();
  return models;
}

/// Compares a started engine with what may be; the state found.
std::optional<Model> match(ScriptedRun& run, const Ended& ended, Incarnation& engine) {
  std::string expected;
  Ended learned = ended;
  run.learn(engine.boot, learned.before);
  for (Model& model : possible(run, learned)) {
    const std::string found = show(engine.boot, *engine.reader, model);
    if (found == show(model)) return model;
    expected += "expected:\n" + show(model) + "found:\n" + found;
  }
  ADD_FAILURE() << "step " << ended.step << "\n" << expected;
  return std::nullopt;
}

/// Whether the step that did not return took effect all the same.
bool took_effect(ScriptedRun& run, const Ended& ended, const Model& found) {
  if (ended.step == run.steps()) return false;
  Model next = run.after(ended.step, ended.before);
  next.restart();
  return show(found) == show(next);
}

/// After a recovery the store goes on: a new shape gets a new handle, the rest of the run gives
/// what the model says, and so does what is found after another start.
void expect_alive(ScriptedRun& run, const Ended& ended, Model found, Incarnation& engine,
                  env::Disk& disk) {
  std::set<std::string> seen;
  for (const auto& [name, handle] : run.handles()) seen.insert(handle.text);
  const auto made = must(engine.store->create(Hash128{99, 99}, "z"));
  EXPECT_FALSE(seen.contains(made.handle.text)) << "handle " << made.handle.text << " again";
  must(engine.store->remove(made.handle, "test", 1));
  must(engine.store->finish_removal(made.handle));
  const std::size_t from = ended.step + (took_effect(run, ended, found) ? 1 : 0);
  Ended resumed{from, std::move(found)};
  for (; resumed.step < run.steps(); ++resumed.step) {
    must(run.perform(resumed.step, *engine.store));
    if (::testing::Test::HasFailure()) return;
    resumed.before = run.after(resumed.step, resumed.before);
  }
  must(engine.start(disk));
  match(run, resumed, engine);
}

struct CrashRun {
  std::uint64_t seed = 1;
  std::uint64_t operation = 0;
  CrashMoment moment = CrashMoment::after;
  Crash crash = Crash::power_loss;
  std::uint64_t recovery_operation = 0;  ///< 0: recovery is left alone
};

/// How many operations the recovery took; 0: the crash point lies beyond the run.
std::uint64_t crash_and_recover(const CrashRun& plan) {
  sim::seed_sqlite(1);
  sim::KeyedRandom random(plan.seed);
  sim::SimDisk disk({.random = random});
  ScriptedRun run;
  const auto crash_at = [&](CrashPoint& point) {
    disk.options().faults = &point;
    disk.options().observer = &point;
  };
  const auto calm = [&] {
    disk.options().faults = nullptr;
    disk.options().observer = nullptr;
  };
  Ended ended;
  {
    const auto mount = disk.mount(1);
    CrashPoint point(plan.operation, plan.moment,
                     [&] { plan.crash == Crash::kill ? mount->kill() : disk.power_loss(); });
    crash_at(point);
    Incarnation engine;
    ended = run_until_failure(run, engine, *mount);
    calm();
    if (!point.struck()) return 0;
  }
  if (plan.recovery_operation > 0) {
    const auto mount = disk.mount(2);
    CrashPoint point(disk.operations() + plan.recovery_operation, plan.moment,
                     [&] { plan.crash == Crash::kill ? mount->kill() : disk.power_loss(); });
    crash_at(point);
    Incarnation engine;
    const bool started = engine.start(*mount).ok();
    EXPECT_TRUE(point.struck() || started);
    calm();
  }
  const auto mount = disk.mount(3);
  const std::uint64_t before = disk.operations();
  Incarnation engine;
  must(engine.start(*mount));
  const std::uint64_t operations = disk.operations() - before;
  if (::testing::Test::HasFailure()) return operations;
  const auto found = match(run, ended, engine);
  if (!found) return operations;
  must(engine.start(*mount));
  EXPECT_EQ(show(engine.boot, *engine.reader, *found), show(*found)) << "recovered twice";
  run.learn(engine.boot, ended.before);
  expect_alive(run, ended, *found, engine, *mount);
  return operations;
}

std::uint64_t operations_of_run() {
  sim::seed_sqlite(1);
  sim::KeyedRandom random(1);
  sim::SimDisk disk({.random = random});
  const auto mount = disk.mount(1);
  ScriptedRun run;
  Incarnation engine;
  const Ended ended = run_until_failure(run, engine, *mount);
  EXPECT_EQ(ended.step, run.steps());
  EXPECT_GE(disk.operations(), 400U);
  return disk.operations();
}

class StoreCrash : public ::testing::TestWithParam<Crash> {};

TEST(StoreScript, TheRunItselfGivesWhatTheModelSays) {
  sim::KeyedRandom random(1);
  sim::SimDisk disk({.random = random});
  const auto mount = disk.mount(1);
  ScriptedRun run;
  Incarnation engine;
  const Ended ended = run_until_failure(run, engine, *mount);
  ASSERT_EQ(ended.step, run.steps());
  must(engine.start(*mount));
  EXPECT_TRUE(match(run, ended, engine).has_value());
  EXPECT_FALSE(mount->list("/store/segments").value().empty()) << "the run seals";
}

TEST_P(StoreCrash, AtEveryOperationAndOnceMoreDuringRecovery) {
  const std::uint64_t operations = operations_of_run();
  for (std::uint64_t k = 1; k <= operations; ++k) {
    // Just before an operation is just after the one before, but for what its caller is told.
    CrashRun plan{.seed = k,
                  .operation = k,
                  .moment = k % 4 == 0 ? CrashMoment::before : CrashMoment::after,
                  .crash = GetParam()};
    const std::uint64_t recovery = crash_and_recover(plan);
    if (recovery > 0) {
      plan.recovery_operation = 1 + k % recovery;
      crash_and_recover(plan);
    }
    if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
  }
}

TEST_P(StoreCrash, AtEveryOperationOfTheRecoveryFromOneCrash) {
  const std::uint64_t operations = operations_of_run();
  for (const std::uint64_t k : {operations / 2, operations - 5}) {
    CrashRun plan{.seed = k, .operation = k, .crash = GetParam()};
    const std::uint64_t recovery = crash_and_recover(plan);
    for (plan.recovery_operation = 1; plan.recovery_operation <= recovery;
         ++plan.recovery_operation) {
      crash_and_recover(plan);
      if (HasFailure()) FAIL() << "operation " << plan.recovery_operation << " of the recovery";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Crashes, StoreCrash, ::testing::Values(Crash::power_loss, Crash::kill));

/// Goes on after a failed step as the engine would: tries again after `io`, opens again after an
/// unknown outcome and believes what it then reads.
void survive(ScriptedRun& run, Incarnation& engine, env::Disk& disk, std::size_t& unknown) {
  const auto start = [&] {
    for (int attempt = 0; attempt < 3; ++attempt)
      if (engine.start(disk)) return;
    FAIL() << "does not start again";
  };
  start();
  Ended ended;
  int attempts = 0;
  while (ended.step < run.steps() && attempts < 4) {
    const auto done = run.perform(ended.step, *engine.store);
    if (done) {
      ended.before = run.after(ended.step++, ended.before);
      attempts = 0;
      continue;
    }
    ++attempts;
    if (done.error().kind != StoreFailure::unknown_outcome) continue;
    ++unknown;
    EXPECT_EQ(engine.store->maintain().error().kind, StoreFailure::unknown_outcome);
    start();
    const auto found = match(run, ended, engine);
    if (!found) return;
    if (took_effect(run, ended, *found)) ++ended.step;
    ended.before = *found;
  }
  EXPECT_EQ(ended.step, run.steps()) << "a step fails again and again";
  start();
  const auto found = match(run, ended, engine);
  if (found) {
    EXPECT_EQ(show(*found), show(possible(run, ended).front()));
  }
}

TEST(StoreFault, AnErrorAtAnyOperationLosesNothing) {
  const std::uint64_t operations = operations_of_run();
  std::size_t unknown = 0;
  for (std::uint64_t k = 1; k <= operations; ++k) {
    sim::seed_sqlite(1);
    sim::KeyedRandom random(k);
    sim::Script script;
    script.on_decide = [&](const sim::Operation& op) {
      sim::FaultDecision decision;
      if (op.number == k) decision.failure = env::DiskFailure::io;
      return decision;
    };
    sim::SimDisk disk({.random = random, .faults = &script});
    ScriptedRun run;
    {
      const auto mount = disk.mount(1);
      Incarnation engine;
      survive(run, engine, *mount, unknown);
    }
    if (HasFailure()) FAIL() << "operation " << k << " of " << operations;
  }
  EXPECT_GT(unknown, 10U) << "some failures are of a commit's sync";
}

}  // namespace
}  // namespace holdfast::storage
