// Schedules as lists of deviations: what was recorded replays to the same run, deviations that do
// not apply are reported, and those that stay name the same steps when others are gone.
#include "sim/scheduler/recorded_schedule.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/runtime/simulated_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using sim::RecordingStrategy;
using sim::ScheduleDecision;
using sim::ScriptedStrategy;
using sim::StopCause;

/// Processes that yield and sleep, and world events that share a path and a moment.
std::string crowded_world(SimulatedFixture& fixture) {
  Log log;
  for (const std::string name : {"a", "b", "c"})
    start(fixture.instance, name, [&log, name](Scripted& me) {
      for (int round = 0; round < 12; ++round) {
        log.add(name + std::to_string(round));
        if (me.draw("sleep") % 3 == 0) me.sleep(1ms);
        me.yield_point("pause");
      }
    });
  for (int i = 0; i < 20; ++i)
    fixture.executor.after((1 + i / 5) * 1ms, "/world/event", "event.due",
                           [&log, i] { log.add("event" + std::to_string(i)); });
  EXPECT_EQ(fixture.executor.run_until_quiet({.most_steps = 100'000}), StopCause::quiet);
  std::string all;
  for (const std::string& line : log.lines()) all += line + " ";
  return all;
}

struct Recorded {
  std::string story;
  Hash128 hash;
  std::vector<ScheduleDecision> decisions;
};

Recorded record(std::unique_ptr<sim::SchedulingStrategy> strategy) {
  auto recording = std::make_unique<RecordingStrategy>(std::move(strategy));
  const RecordingStrategy& record = *recording;
  SimulatedFixture fixture(std::move(recording), 5);
  std::string story = crowded_world(fixture);
  return {std::move(story), fixture.executor.trace().hash(), record.decisions()};
}

Recorded replay(const std::vector<ScheduleDecision>& decisions,
                std::vector<ScheduleDecision>* unused) {
  auto scripted = std::make_unique<ScriptedStrategy>(decisions);
  const ScriptedStrategy& script = *scripted;
  SimulatedFixture fixture(std::move(scripted), 5);
  std::string story = crowded_world(fixture);
  if (unused != nullptr) *unused = script.unused();
  return {std::move(story), fixture.executor.trace().hash(), decisions};
}

TEST(RecordedSchedule, replayed_over_fifo_gives_the_same_run) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Recorded original = record(std::make_unique<sim::UniformRandomStrategy>(seed));
    ASSERT_GT(original.decisions.size(), 10u);
    std::vector<ScheduleDecision> unused;
    const Recorded again = replay(original.decisions, &unused);
    EXPECT_EQ(again.hash, original.hash) << "seed " << seed;
    EXPECT_EQ(again.story, original.story);
    EXPECT_TRUE(unused.empty());
  }
}

TEST(RecordedSchedule, of_a_priority_schedule_gives_the_same_run) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Recorded original = record(std::make_unique<sim::PctStrategy>(seed, 3, 100));
    EXPECT_EQ(replay(original.decisions, nullptr).hash, original.hash) << "seed " << seed;
  }
}

TEST(RecordedSchedule, does_not_change_the_run_that_it_records) {
  SimulatedFixture plain(std::make_unique<sim::UniformRandomStrategy>(7), 5);
  const std::string story = crowded_world(plain);
  const Recorded recorded = record(std::make_unique<sim::UniformRandomStrategy>(7));
  EXPECT_EQ(recorded.hash, plain.executor.trace().hash());
  EXPECT_EQ(recorded.story, story);
}

TEST(RecordedSchedule, of_fifo_is_empty) {
  EXPECT_TRUE(record(nullptr).decisions.empty());
}

TEST(RecordedSchedule, of_which_one_decision_is_left_passes_over_that_step_only) {
  const Recorded fifo = record(nullptr);
  const Recorded original = record(std::make_unique<sim::UniformRandomStrategy>(7));
  const ScheduleDecision& first = original.decisions.front();
  std::vector<ScheduleDecision> unused;
  const Recorded once = replay({first}, &unused);
  EXPECT_TRUE(unused.empty());
  EXPECT_NE(once.hash, fifo.hash);
  const Recorded again = record(std::make_unique<ScriptedStrategy>(std::vector{first}));
  EXPECT_EQ(again.decisions, std::vector{first});
}

TEST(RecordedSchedule, lets_a_step_wait_until_nothing_else_can_run) {
  ScheduleDecision wait{.path = "/t/a", .ordinal = 1, .times = 1'000'000};
  const Recorded once = replay({wait}, nullptr);
  EXPECT_FALSE(once.story.starts_with("a0")) << once.story;
  EXPECT_NE(once.story.find("a11"), std::string::npos) << "it runs in the end";
}

TEST(RecordedSchedule, reports_a_decision_that_cannot_apply) {
  const ScheduleDecision never{.path = "/nobody", .ordinal = 2, .times = 1};
  std::vector<ScheduleDecision> unused;
  replay({never}, &unused);
  EXPECT_EQ(unused, std::vector{never});
}

}  // namespace
}  // namespace holdfast::test
