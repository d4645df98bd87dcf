// Which shapes go when there are more than the limit allows, and a history in which one has to.
#include <gtest/gtest.h>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/expiry_manager.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/run.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using protocol::ShapeHandle;

Instant second(int count) {
  return Instant{} + std::chrono::seconds(count);
}

TEST(LeastRecentlyRead, TheOneThatWasReadLongestAgoGoesFirst) {
  const LastReads reads{{{"a"}, second(3)}, {{"b"}, second(1)}, {{"c"}, second(2)}};
  EXPECT_EQ(least_recently_read(reads, 0), std::vector<ShapeHandle>{});
  EXPECT_EQ(least_recently_read(reads, 1), std::vector<ShapeHandle>{{"b"}});
  EXPECT_EQ(least_recently_read(reads, 2), (std::vector<ShapeHandle>{{"b"}, {"c"}}));
  EXPECT_EQ(least_recently_read(reads, 9).size(), 3U);
}

TEST(LeastRecentlyRead, OfEqualsTheSmallerHandleSoThatTheSameSeedGivesTheSame) {
  const LastReads reads{{{"b"}, second(1)}, {{"a"}, second(1)}};
  EXPECT_EQ(least_recently_read(reads, 1), std::vector<ShapeHandle>{{"a"}});
}

/// Two shapes where one is allowed. The client of the first waits for changes all the time; that of
/// the second comes after it, is served, and goes. It comes again later.
scenarios::Plan two_shapes_of_one() {
  scenarios::Plan plan = scenarios::make_plan("reference", 1);
  plan.restarts.clear();
  plan.faults.clear();
  plan.transactions.clear();
  plan.specs.resize(2);
  using std::chrono::seconds;
  plan.clients = {{.number = 0, .spec = 0},
                  {.number = 1, .spec = 1, .starts_at = seconds(3), .leaves_after = 2},
                  {.number = 2, .spec = 1, .starts_at = seconds(9), .leaves_after = 2},
                  {.number = 3, .spec = 0, .starts_at = seconds(12)}};
  plan.knobs.max_shapes = 1;
  plan.knobs.expiry_interval = std::chrono::seconds(7);
  return plan;
}

TEST(Expiry, TheShapeThatSomebodyWaitsForStaysAndTheIdleOneGoes) {
  const scenarios::RunReport report = scenarios::run_plan(two_shapes_of_one());
  EXPECT_FALSE(report.failed()) << report.violations.front().what;
  EXPECT_GT(report.marks[static_cast<std::size_t>(Mark::shape_expired)], 0U);
  EXPECT_EQ(report.legitimate_conflicts, 0U) << "nobody who stayed was told that a shape is gone";
}

TEST(Expiry, WithoutTheGuardTheOneThatIsWaitedForGoes) {
  scenarios::RunOptions options;
  options.weakened.guards.switch_off(Guard::held_request_is_a_read);
  const scenarios::RunReport report = scenarios::run_plan(two_shapes_of_one(), options);
  ASSERT_TRUE(report.failed());
  EXPECT_EQ(report.violations.front().property, oracle::property::expiry_order);
}

/// Three shapes where two are allowed, and the cleaner has a removal of one of them before it when
/// it is told to let one expire.
TEST(Expiry, NothingExpiresOnceARemovalHasMadeRoom) {
  test::WholeEngine engine;
  engine.engine_.api.deletion = api::Deletion::allowed;
  engine.engine_.stack.max_shapes = 2;
  engine.engine_.stack.expiry_interval = std::chrono::seconds(5);
  engine.create_items();
  engine.start();
  for (const char* clause : {"id=1", "id=2", "id=3"})
    EXPECT_EQ(engine.ask(std::string("/v1/shape?table=items&offset=-1&where=") + clause).status,
              200);
  const auto cleaner = engine.runtime().whereis(names::shape_cleaner.text);
  engine.executor_.stall(engine.runtime(), cleaner, std::chrono::seconds(8));
  std::optional<int> removed;
  engine.instance_->handle(test::request("/v1/shape?table=items&where=id=3", "DELETE"),
                           [&](const protocol::Response& response) { removed = response.status; });
  engine.pass(std::chrono::seconds(20));
  EXPECT_EQ(removed, 202);
  EXPECT_EQ(engine.events_.last.count("shapes_expire"), 1U) << "there were too many";
  EXPECT_FALSE(engine.reached(Mark::shape_expired));
}

}  // namespace
}  // namespace holdfast::stack
