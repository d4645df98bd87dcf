// The simulated executor itself: determinism, virtual time, strategies, kill -9, stalls, world
// events.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "core/runtime/owned_table.hpp"
#include "tests/runtime/simulated_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::Process;
using runtime::Ref;
using sim::StopCause;

class Counted : public Process {
 public:
  int next() {
    yield_point("counted.pause");
    return ++count_;
  }

 private:
  int count_ = 0;
};

/// A small busy world: clients draw, sleep and call; returns what they saw.
void busy_world(SimulatedFixture& fixture, Log& log) {
  const auto counted = fixture.instance.spawn_root<Counted>({.role = "counted"});
  for (int i = 0; i < 4; ++i)
    start(fixture.instance, "client", [&log, counted](Scripted& me) {
      for (int round = 0; round < 20; ++round) {
        const int number = me.call<&Counted::next>(counted);
        log.add(std::to_string(me.self().value) + ":" + std::to_string(number));
        if (me.draw("client.sleep") % 3 == 0) me.sleep(1ms);
      }
    });
  fixture.executor.trace().keep_every_step();
  EXPECT_EQ(fixture.executor.run_until_quiet({.most_steps = 100'000}), StopCause::quiet);
}

std::unique_ptr<sim::SchedulingStrategy> random(std::uint64_t seed) {
  return std::make_unique<sim::UniformRandomStrategy>(seed);
}

TEST(SimulatedExecutor, the_same_seed_gives_the_same_trace) {
  Log first_log;
  Log second_log;
  SimulatedFixture first(random(5), 5);
  SimulatedFixture second(random(5), 5);
  busy_world(first, first_log);
  busy_world(second, second_log);
  EXPECT_EQ(first.executor.trace().hash(), second.executor.trace().hash());
  EXPECT_EQ(first_log.lines(), second_log.lines());
  EXPECT_EQ(sim::first_difference(first.executor.trace(), second.executor.trace()), std::nullopt);
}

TEST(SimulatedExecutor, different_seeds_and_strategies_give_different_traces) {
  std::set<std::string> hashes;
  const auto add = [&](std::unique_ptr<sim::SchedulingStrategy> strategy, std::uint64_t seed) {
    Log log;
    SimulatedFixture fixture(std::move(strategy), seed);
    busy_world(fixture, log);
    hashes.insert(fixture.executor.trace().hash().to_hex());
  };
  add(nullptr, 1);
  add(nullptr, 2);  // other draws
  add(random(1), 1);
  add(random(2), 1);
  add(std::make_unique<sim::PctStrategy>(1, 3), 1);
  EXPECT_EQ(hashes.size(), 5u);
}

TEST(SimulatedExecutor, the_trace_hash_is_the_same_on_every_build) {
  // Written down once; GCC, Clang, Debug, Release and ASan must agree with it and each other.
  Log log;
  SimulatedFixture fixture(random(5), 5);
  busy_world(fixture, log);
  EXPECT_EQ(fixture.executor.trace().hash().to_hex(), "e1e3d88257af4e59f535aa5ede6ef636");
}

TEST(SimulatedExecutor, two_runs_that_differ_are_told_apart_at_the_first_differing_step) {
  Log log;
  SimulatedFixture first(random(5), 5);
  SimulatedFixture second(random(5), 5);
  for (SimulatedFixture* fixture : {&first, &second})
    fixture->executor.on_step([&, fixture](const sim::StepInfo& info) {
      if (fixture == &second && info.step == 100)
        fixture->executor.virtual_clock().advance_to(fixture->executor.now() + 1ns);
    });
  busy_world(first, log);
  busy_world(second, log);
  const auto difference = sim::first_difference(first.executor.trace(), second.executor.trace());
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->first, 100u);
}

TEST(SimulatedExecutor, a_draw_depends_on_who_draws_and_how_often_not_on_the_others) {
  const auto draws_of_a = [](bool with_b) {
    SimulatedFixture fixture;
    std::vector<std::uint64_t> drawn;
    if (with_b)
      start(fixture.instance, "b", [](Scripted& me) {
        for (int i = 0; i < 5; ++i) me.draw("x");
      });
    start(fixture.instance, "a", [&](Scripted& me) {
      for (int i = 0; i < 5; ++i) drawn.push_back(me.draw("x"));
    });
    fixture.settle();
    return drawn;
  };
  const auto alone = draws_of_a(false);
  EXPECT_EQ(alone, draws_of_a(true));
  EXPECT_EQ(std::set<std::uint64_t>(alone.begin(), alone.end()).size(), 5u);
}

TEST(SimulatedExecutor, virtual_time_jumps_to_the_next_timer) {
  SimulatedFixture fixture;
  start(fixture.instance, "sleeper", [](Scripted& me) { me.sleep(10h); });
  EXPECT_EQ(fixture.executor.run_until_quiet(), StopCause::quiet);
  EXPECT_GE(fixture.executor.now().since_start, 10h);
  EXPECT_LT(fixture.executor.steps(), 10u);
}

TEST(SimulatedExecutor, a_run_stops_at_its_limits) {
  SimulatedFixture fixture;
  start(fixture.instance, "sleeper", [](Scripted& me) {
    for (;;) me.sleep(1s);
  });
  EXPECT_EQ(fixture.executor.run_until({}, {.until = {10s}}), StopCause::time_limit);
  EXPECT_LE(fixture.executor.now().since_start, 10s);
  EXPECT_EQ(fixture.executor.run_until({}, {.most_steps = 5}), StopCause::step_limit);
  EXPECT_EQ(fixture.executor.run_until([&] { return fixture.executor.now().since_start > 1min; }),
            StopCause::predicate);
}

TEST(SimulatedExecutor, pct_runs_the_highest_priority_until_it_blocks) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    Log log;
    SimulatedFixture fixture(std::make_unique<sim::PctStrategy>(seed, 1), seed);
    for (const std::string name : {"a", "b", "c"})
      start(fixture.instance, name, [&log, name](Scripted& me) {
        for (int i = 0; i < 3; ++i) {
          log.add(name);
          me.yield_point("pause");
        }
      });
    fixture.settle();
    const Lines lines = log.lines();
    ASSERT_EQ(lines.size(), 9u);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(lines[i], lines[i / 3 * 3]) << seed;
  }
}

TEST(SimulatedExecutor, a_pct_change_point_lowers_the_running_process_below_the_others) {
  bool changed = false;
  for (std::uint64_t seed = 1; seed < 20 && !changed; ++seed) {
    Log log;
    SimulatedFixture fixture(std::make_unique<sim::PctStrategy>(seed, 2, 10), seed);
    for (const std::string name : {"a", "b"})
      start(fixture.instance, name, [&log, name](Scripted& me) {
        for (int i = 0; i < 5; ++i) {
          log.add(name);
          me.yield_point("pause");
        }
      });
    fixture.settle();
    const Lines lines = log.lines();
    // One switch in the middle: x.. y..y x..x
    changed = lines.front() == lines.back();
  }
  EXPECT_TRUE(changed);
}

TEST(SimulatedExecutor, random_schedules_reach_an_interleaving_that_fifo_does_not) {
  const auto order = [](std::unique_ptr<sim::SchedulingStrategy> strategy) {
    SimulatedFixture fixture(std::move(strategy));
    Log log;
    for (const std::string name : {"a", "b", "c"})
      start(fixture.instance, name, [&log, name](Scripted&) { log.add(name); });
    fixture.settle();
    return log.lines();
  };
  EXPECT_EQ(order(nullptr), (Lines{"a", "b", "c"}));
  std::set<Lines> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) seen.insert(order(random(seed)));
  EXPECT_EQ(seen.size(), 6u);
}

TEST(SimulatedExecutor, the_step_callback_may_kill_the_process_whose_step_it_announces) {
  SimulatedFixture fixture;
  Log log;
  fixture.executor.on_step([&](const sim::StepInfo& info) {
    if (info.path != "/t/victim" || info.label.text != "victim.pause") return;
    info.instance->kill(info.process);
    EXPECT_EQ(info.path, "/t/victim") << "others may be told of the step after it";
  });
  const auto victim = start(fixture.instance, "victim", [&](Scripted& me) {
    log.add("before");
    me.yield_point("victim.pause");
    log.add("after");
  });
  log_end(fixture.instance, victim.id, log);
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"before", "killed"}));
}

TEST(SimulatedExecutor, a_table_is_gone_in_the_very_step_of_a_kill) {
  class Owner : public Process {
   public:
    void init() override { table_.emplace(*this, runtime::TableName<int, int>("numbers")); }

   private:
    std::optional<runtime::OwnedTable<int, int>> table_;
  };
  SimulatedFixture fixture;
  const auto owner = fixture.instance.spawn_root<Owner>({.role = "owner"});
  fixture.settle();
  const runtime::TableName<int, int> name("numbers");
  const runtime::TableRef<int, int> table(fixture.instance, name);
  EXPECT_TRUE(table.find(1).missing());
  fixture.instance.kill(owner.id);
  EXPECT_TRUE(table.find(1).gone());
}

TEST(SimulatedExecutor, a_stalled_process_takes_no_step_until_its_time) {
  SimulatedFixture fixture;
  Log log;
  const auto slow = start(fixture.instance, "slow", [&](Scripted& me) {
    me.sleep(1ms);
    log.add(me.now().since_start >= 50ms ? "late" : "early");
  });
  fixture.executor.stall(fixture.instance, slow.id, 50ms);
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"late"}));
}

TEST(SimulatedExecutor, a_step_that_the_callback_stalls_happens_later_and_is_traced_once) {
  SimulatedFixture fixture;
  Log log;
  fixture.executor.on_step([&](const sim::StepInfo& info) {
    if (info.label.text == "begin.pause" && info.at.since_start < 10ms)
      fixture.executor.stall(*info.instance, info.process, 20ms);
  });
  start(fixture.instance, "slow", [&](Scripted& me) {
    me.yield_point("begin.pause");
    log.add(me.now().since_start >= 20ms ? "late" : "early");
  });
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"late"}));
  EXPECT_EQ(fixture.executor.trace().steps(), 3u);  // init, begin, the rest of begin
}

TEST(SimulatedExecutor, a_stalled_process_can_be_killed) {
  SimulatedFixture fixture;
  Log log;
  const auto slow = start(fixture.instance, "slow", [](Scripted& me) { me.sleep(1ms); });
  log_end(fixture.instance, slow.id, log);
  fixture.executor.stall(fixture.instance, slow.id, 50ms);
  fixture.instance.kill(slow.id);
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"killed"}));
}

TEST(SimulatedExecutor, world_events_happen_at_their_time_unless_cancelled) {
  SimulatedFixture fixture;
  Log log;
  fixture.executor.after(20ms, "/world", "second", [&] { log.add("second"); });
  fixture.executor.after(10ms, "/world", "first", [&] {
    log.add("first");
    fixture.executor.after(0ms, "/world", "nested", [&] { log.add("nested"); });
  });
  const auto cancelled = fixture.executor.after(15ms, "/world", "no", [&] { log.add("no"); });
  fixture.executor.cancel(cancelled);
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"first", "nested", "second"}));
}

TEST(SimulatedExecutor, kill_9_ends_one_instance_and_leaves_the_other_alone) {
  SimulatedFixture fixture;
  Log log;
  struct Guarded {
    ~Guarded() { log.add("unwound"); }
    Log& log;
  };
  {
    runtime::Runtime other({.root = "b"}, fixture.executor, std::make_shared<runtime::Directory>());
    other.spawn_root<Scripted>(
        {.role = "x", .registered_name = "x"},
        Scripted::Script{.run =
                             [&](Scripted& me) {
                               const Guarded guard{log};
                               me.sleep(1h);
                             },
                         .terminate = [&](Scripted&, const ExitReason&) { log.add("not run"); }});
    start(fixture.instance, "survivor", [&](Scripted& me) {
      me.sleep(100ms);
      log.add("survivor");
    });
    fixture.pass(10ms);
    other.destroy_all();
    EXPECT_EQ(other.counters().live, 0u);
    EXPECT_FALSE(other.whereis("x").valid());
  }
  fixture.settle();
  EXPECT_EQ(log.lines(), (Lines{"unwound", "survivor"}));
}

TEST(SimulatedExecutor, the_step_callback_may_destroy_an_instance) {
  SimulatedFixture fixture;
  runtime::Runtime other({.root = "b"}, fixture.executor, std::make_shared<runtime::Directory>());
  for (int i = 0; i < 3; ++i)
    start(other, "x", [](Scripted& me) {
      for (;;) me.yield_point("spin");
    });
  fixture.executor.on_step([&](const sim::StepInfo& info) {
    if (info.step == 20) other.destroy_all();
  });
  EXPECT_EQ(fixture.executor.run_until_quiet({.most_steps = 1'000}), StopCause::quiet);
  EXPECT_EQ(fixture.executor.steps(), 21u);
}

TEST(SimulatedExecutor, a_job_goes_on_when_its_waiter_is_killed_and_when_its_worker_is_gone) {
  SimulatedFixture fixture;
  Log log;
  auto worker = fixture.make_worker();
  const auto waiter = start(fixture.instance, "waiter", [&](Scripted&) {
    runtime::run_job(*worker, "job", [&] {
      for (const std::string step : {"one", "two"}) {
        runtime::suspend("disk.write", runtime::current_time() + 10ms, [](runtime::Wakeup) {});
        log.add(step);
      }
    });
    log.add("not reached");
  });
  log_end(fixture.instance, waiter.id, log);
  fixture.pass(5ms);
  fixture.instance.kill(waiter.id);
  fixture.instance.destroy_all();
  worker = nullptr;
  EXPECT_EQ(log.lines(), (Lines{"killed"}));
  fixture.executor.drain_workers();
  EXPECT_EQ(log.lines(), (Lines{"killed", "one", "two"}));
}

TEST(SimulatedExecutor, the_last_steps_are_kept_as_text) {
  SimulatedFixture fixture;
  start(fixture.instance, "a", [](Scripted& me) { me.yield_point("here"); });
  fixture.settle();
  const Lines lines = fixture.executor.trace().last_lines();
  ASSERT_EQ(lines.size(), 3u);
  for (const std::string& line : lines) EXPECT_NE(line.find(" /t/a  "), std::string::npos);
  EXPECT_TRUE(lines[0].ends_with(" init"));
  EXPECT_TRUE(lines[1].ends_with(" Scripted::begin"));
  EXPECT_TRUE(lines[2].ends_with(" here"));
}

TEST(SimulatedExecutor, a_flooded_mailbox_ends_its_process) {
  sim::SimulatedExecutor executor;
  runtime::Runtime instance({.root = "t", .mailbox_limit = 10}, executor,
                            std::make_shared<runtime::Directory>());
  Log log;
  const auto busy = start(instance, "busy", [](Scripted& me) { me.sleep(1h); });
  log_end(instance, busy.id, log);
  executor.run_for(1ms);
  for (int i = 0; i < 20; ++i)
    instance.cast_from_outside<&Scripted::perform>(busy, [](Scripted&) {});
  executor.run_for(1ms);
  EXPECT_EQ(log.lines(), (Lines{"crash(mailbox_overflow)"}));
}

}  // namespace
}  // namespace holdfast::test
