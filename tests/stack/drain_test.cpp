// A server that is told to stop answers what it holds as at its timeout, before its stack is gone:
// a client goes on from its offset somewhere else, instead of being told 503 and waiting.
#include "sim/scheduler/strategy.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {
namespace {

void expect_answers(sim::SimulatedExecutorOptions schedule) {
  WholeEngine world(std::move(schedule));
  world.create_items();
  world.start();
  const std::string target = "/v1/shape?table=items";
  const protocol::Response first = world.ask(target + "&offset=-1");
  ASSERT_EQ(first.status, 200);
  const std::string* handle = first.header("electric-handle");
  ASSERT_NE(handle, nullptr);
  const std::string from = target + "&handle=" + *handle + "&offset=";
  const std::string offset = *world.ask(from + "0_0").header("electric-offset");

  std::vector<protocol::Response> answers;
  constexpr std::size_t k_held = 50;
  for (std::size_t i = 0; i < k_held; ++i) {
    world.instance_->handle(
        test::request(from + offset + "&live=true"),
        [&](protocol::Response response) { answers.push_back(std::move(response)); });
  }
  world.pass(std::chrono::seconds(2));
  ASSERT_TRUE(answers.empty()) << "they are held";

  bool stopped = false;
  world.instance_->stop([&] { stopped = true; });
  world.until([&] { return stopped; });
  ASSERT_EQ(answers.size(), k_held);
  for (const protocol::Response& answer : answers) {
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_NE(answer.body.find("up-to-date"), std::string::npos) << answer.body;
  }
}

TEST(Drain, HeldRequestsAreAnsweredAsAtTheirTimeout) {
  expect_answers({});
}

// Whichever of its processes gets on first.
TEST(Drain, HeldRequestsAreAnsweredUnderAnySchedule) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    expect_answers({.seed = seed, .strategy = std::make_unique<sim::UniformRandomStrategy>(seed)});
}

}  // namespace
}  // namespace holdfast::stack::test
