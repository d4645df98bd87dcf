// Recording a run changes nothing of it, and what is recorded is what happened.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/base/guard_list.hpp"
#include "scenarios/run.hpp"
#include "scenarios/timeline/recorder.hpp"

namespace holdfast::scenarios {
namespace {

using timeline::ArrowKind;
using timeline::k_no_step;

struct Recorded {
  timeline::Recorder recorder;
  RunReport report;
  const timeline::Recording& what() const { return recorder.recording(); }
};

void record(Recorded& into, const std::string& scenario, std::uint64_t seed,
            const Guards& guards = Guards::all()) {
  RunOptions options{.weakened = {.guards = guards}};
  options.recorder = &into.recorder;
  into.report = run_plan(make_plan(scenario, seed), options);
}

/// The first seed of `mixed` that fails without this guard.
std::uint64_t failing_seed(const Guards& guards) {
  for (std::uint64_t seed = 1; seed < 100; ++seed)
    if (run_plan(make_plan("mixed", seed), {.weakened = {.guards = guards}}).failed()) return seed;
  return 0;
}

TEST(Timeline, ARecordedRunTakesTheSameSteps) {
  for (const char* scenario : {"mixed", "restarts"})
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      Recorded recorded;
      record(recorded, scenario, seed);
      const RunReport plain = run_plan(make_plan(scenario, seed));
      EXPECT_EQ(recorded.report.trace_hash, plain.trace_hash) << scenario << " " << seed;
      EXPECT_EQ(recorded.report.steps, plain.steps);
    }
}

TEST(Timeline, EveryStepHasItsLaneWhileThatLives) {
  Recorded recorded;
  record(recorded, "mixed", 7);
  const auto& steps = recorded.what().steps;
  EXPECT_LE(steps.size(), recorded.report.steps);
  EXPECT_GT(steps.size() + 10, recorded.report.steps) << "all but those that the observer undid";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].lane == timeline::k_no_lane) continue;
    const timeline::Lane& lane = recorded.what().lanes[steps[i].lane];
    EXPECT_GE(i, lane.born) << lane.path;
    EXPECT_LE(i, lane.died) << lane.path;  // k_no_step is the greatest number
  }
}

TEST(Timeline, AnArrowEndsInALaterStepOfItsReceiver) {
  Recorded recorded;
  record(recorded, "mixed", 7);
  std::array<unsigned, 8> taken_up{};
  for (const timeline::Arrow& arrow : recorded.what().arrows) {
    if (arrow.to_step == k_no_step) continue;
    taken_up[static_cast<std::size_t>(arrow.kind)]++;
    EXPECT_EQ(recorded.what().steps[arrow.to_step].lane, arrow.to_lane);
    EXPECT_GE(arrow.to_step, arrow.from_step);
  }
  for (const ArrowKind kind : {ArrowKind::cast, ArrowKind::call, ArrowKind::reply, ArrowKind::exit,
                               ArrowKind::spawn, ArrowKind::wake, ArrowKind::read})
    EXPECT_GT(taken_up[static_cast<std::size_t>(kind)], 0U) << static_cast<int>(kind);
}

TEST(Timeline, TablesEndWithTheirOwners) {
  Recorded recorded;
  record(recorded, "restarts", 3);
  ASSERT_FALSE(recorded.what().tables.empty());
  bool ended = false;
  for (const timeline::Table& table : recorded.what().tables) {
    const timeline::Lane& owner = recorded.what().lanes[table.owner];
    EXPECT_LE(table.ended, owner.died) << table.name;
    ended = ended || table.ended != k_no_step;
  }
  EXPECT_TRUE(ended);
}

TEST(Timeline, CommitsAreLoggedBeforeTheyAreShown) {
  Recorded recorded;
  record(recorded, "reference", 1);
  unsigned shown = 0;
  for (const timeline::Transaction& one : recorded.what().transactions) {
    if (one.shown == k_no_step) continue;
    EXPECT_LE(one.logged, one.shown);
    shown += one.statements.empty() ? 0 : 1;
  }
  EXPECT_GT(shown, 10U);
  EXPECT_GT(recorded.what().confirmed.size(), 1U);
  EXPECT_TRUE(std::any_of(recorded.what().disk.begin(), recorded.what().disk.end(),
                          [](const auto& event) { return !event.failed; }));
}

TEST(Timeline, AViolationStandsAtTheAnswerThatShowsIt) {
  Guards guards = Guards::all();
  guards.switch_off(Guard::visible_only_after_commit);
  const std::uint64_t seed = failing_seed(guards);
  ASSERT_NE(seed, 0U) << "the canary of the guard finds nothing";
  Recorded recorded;
  record(recorded, "mixed", seed, guards);
  ASSERT_EQ(recorded.what().violations.size(), recorded.report.violations.size());
  const auto& first = recorded.what().violations.front();
  const std::string& client = recorded.report.violations.front().client;
  ASSERT_FALSE(client.empty());
  ASSERT_NE(first.lane, timeline::k_no_lane);
  EXPECT_EQ(recorded.what().lanes[first.lane].path, "/world/client[" + client + "]");
  EXPECT_TRUE(std::any_of(recorded.what().requests.begin(), recorded.what().requests.end(),
                          [&](const auto& request) {
                            return request.lane == first.lane && request.answered == first.step;
                          }));
}

}  // namespace
}  // namespace holdfast::scenarios
