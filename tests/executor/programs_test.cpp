// Random programs of processes run under threads: every outcome keeps the rules that hold whatever
// the schedule, and for programs small enough to search, it is an outcome of the simulated
// executor. More of them: HOLDFAST_PROGRAMS=10000 HOLDFAST_PROGRAM_SEED=1 test_executor
// --gtest_filter='Programs*'
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/executor/program.hpp"
#include "tests/executor/simulated_shards.hpp"
#include "tests/executor/threaded_fixture.hpp"

namespace holdfast::test {
namespace {

constexpr unsigned k_shards = 3;
constexpr ProgramSize k_large{.most_actors = 6, .most_steps = 8};
constexpr ProgramSize k_small{.most_actors = 3, .most_steps = 3};
/// Schedules to look through before an outcome counts as impossible under simulation.
constexpr unsigned k_most_schedules = 3'000;

std::uint64_t setting(const char* variable, std::uint64_t standard) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? standard : std::strtoull(text, nullptr, 10);
}

std::uint64_t programs(std::uint64_t standard) {
  return setting("HOLDFAST_PROGRAMS", standard);
}
std::uint64_t first_seed() {
  return setting("HOLDFAST_PROGRAM_SEED", 1);
}

std::unique_ptr<sim::SchedulingStrategy> strategy(unsigned schedule) {
  if (schedule == 0) return nullptr;
  if (schedule % 4 == 3) return std::make_unique<sim::PctStrategy>(schedule, 3, 60);
  return std::make_unique<sim::UniformRandomStrategy>(schedule);
}

Outcome run_simulated(const Program& program, unsigned schedule) {
  SimulatedShards fixture(k_shards, strategy(schedule), schedule);
  return run_program(program, fixture);
}

Outcome run_threaded(const Program& program) {
  ThreadedFixture fixture(k_shards);
  return run_program(program, fixture);
}

TEST(Programs, under_threads_keep_the_rules_of_processes) {
  for (std::uint64_t i = 0; i < programs(150); ++i) {
    const std::uint64_t seed = first_seed() + i;
    const Program program = generate_program(seed, k_large);
    const Outcome outcome = run_threaded(program);
    ASSERT_EQ(violated_rule(program, outcome), "") << "seed " << seed << "\n"
                                                   << to_string(program) << to_string(outcome);
  }
}

TEST(Programs, under_simulation_keep_the_same_rules) {
  for (std::uint64_t i = 0; i < programs(150); ++i) {
    const std::uint64_t seed = first_seed() + i;
    const Program program = generate_program(seed, k_large);
    for (unsigned schedule = 0; schedule < 3; ++schedule) {
      const Outcome outcome = run_simulated(program, schedule);
      ASSERT_EQ(violated_rule(program, outcome), "")
          << "seed " << seed << ", schedule " << schedule << "\n"
          << to_string(program) << to_string(outcome);
    }
  }
}

/// The schedule under which the simulated executor gives this outcome; k_most_schedules: none
/// found.
unsigned schedule_of(const Program& program, const Outcome& outcome) {
  unsigned schedule = 0;
  while (schedule < k_most_schedules &&
         !same_observations(run_simulated(program, schedule), outcome))
    ++schedule;
  return schedule;
}

TEST(Programs, under_threads_end_as_some_simulated_schedule_ends) {
  unsigned not_the_first = 0;
  for (std::uint64_t i = 0; i < programs(150); ++i) {
    const std::uint64_t seed = first_seed() + i;
    const Program program = generate_program(seed, k_small);
    const Outcome outcome = run_threaded(program);
    const unsigned schedule = schedule_of(program, outcome);
    ASSERT_LT(schedule, k_most_schedules)
        << "seed " << seed << "\n"
        << to_string(program) << "under threads:\n"
        << to_string(outcome) << "simulated, first in first out:\n"
        << to_string(run_simulated(program, 0));
    if (schedule != 0) ++not_the_first;
  }
  RecordProperty("outcomes_that_fifo_does_not_give", static_cast<int>(not_the_first));
}

TEST(Programs, that_kill_each_other_need_signals_in_flight) {
  // Both kills are sent before either arrives. On one shard a kill takes effect where it is sent,
  // so the second is never sent: why the comparison is with several simulated shards.
  const Program program = {{{Op::kill, 1, 1}}, {{Op::kill, 0, 2}}};
  const auto both_killed = [](const Outcome& outcome) {
    return outcome[0].end == "killed" && outcome[1].end == "killed";
  };
  bool on_several = false, on_one = false;
  for (unsigned schedule = 0; schedule < 300; ++schedule) {
    on_several |= both_killed(run_simulated(program, schedule));
    SimulatedShards one(1, strategy(schedule), schedule);
    on_one |= both_killed(run_program(program, one));
  }
  EXPECT_TRUE(on_several);
  EXPECT_FALSE(on_one) << "then one shard is enough, and the comparison can be simpler";
}

TEST(Programs, the_rules_notice_what_they_are_there_for) {
  // actor 0 casts twice to actor 1, monitors it and reads its table; actor 1 leaves.
  const Program program = {
      {{Op::cast, 1, 1}, {Op::cast, 1, 2}, {Op::monitor, 1, 3}, {Op::read, 1, 4}},
      {{Op::yield, 0, 5}}};
  Outcome good(2);
  for (ActorOutcome& each : good) each.received.resize(2);
  good[0].executed = {1, 2, 3, 4};
  good[0].results = {"4=found"};
  good[1].executed = {5};
  good[1].received[0] = {1, 2};
  ASSERT_EQ(violated_rule(program, good), "");

  const auto broken = [&](auto&& change) {
    Outcome outcome = good;
    change(outcome);
    return violated_rule(program, outcome);
  };
  const auto reordered = broken([](Outcome& o) { o[1].received[0] = {2, 1}; });
  EXPECT_NE(reordered.find("overtook"), std::string::npos);
  const auto twice = broken([](Outcome& o) { o[1].received[0] = {1, 1, 2}; });
  EXPECT_NE(twice.find("twice"), std::string::npos);
  const auto lost = broken([](Outcome& o) { o[1].received[0] = {1}; });
  EXPECT_NE(lost.find("lost"), std::string::npos);
  const auto invented = broken([](Outcome& o) { o[1].received[0] = {1, 2, 9}; });
  EXPECT_NE(invented.find("invented"), std::string::npos);
  const auto gone = broken([](Outcome& o) { o[0].results = {"4=gone"}; });
  EXPECT_NE(gone.find("gone"), std::string::npos);
  const auto no_down = broken([](Outcome& o) { o[1].end = "normal"; });
  EXPECT_NE(no_down.find("down"), std::string::npos);
  const auto false_down = broken([](Outcome& o) { o[0].downs = {"down 1 normal"}; });
  EXPECT_NE(false_down.find("reported down"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::test
