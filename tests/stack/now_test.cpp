// offset=now promises every later change. A snapshot that is not complete is taken again after a
// crash, and what it then sees is in no log: so the answer waits for the completion, though
// http-api.md §14 would not have it wait (core/README.md says what it would take).
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

class Now : public test::WholeEngine {
 public:
  enum class Outcome : std::uint8_t { not_answered, told, refused, missed };

  /// Asks, writes after so many steps, kills the engine, and follows what was answered by then.
  Outcome crash_after(std::uint64_t steps) {
    create_items();
    start();
    std::optional<protocol::Response> answer;
    instance_->handle(test::request("/v1/shape?table=items&offset=now"),
                      [&](protocol::Response response) { answer = std::move(response); });
    const std::uint64_t until = executor_.steps() + steps;
    executor_.run_until([&] { return executor_.steps() >= until; },
                        {.until = executor_.now() + std::chrono::seconds(10)});
    if (answer && answer->status != 200) ADD_FAILURE() << answer->body;
    write({insert("items", {{"id", "2"}})});
    instance_->kill();
    start();
    if (!answer) return Outcome::not_answered;
    const std::string* offset = answer->header("electric-offset");
    EXPECT_NE(offset, nullptr);
    EXPECT_EQ(offset == nullptr ? "" : *offset, "0_inf");
    pass(std::chrono::seconds(5));
    const protocol::Response later =
        ask("/v1/shape?table=items&offset=0_inf&handle=" + *answer->header("electric-handle"));
    if (later.status == 409) return Outcome::refused;
    const bool told = later.body.find("\\\"items\\\"/\\\"2\\\"") != std::string::npos;
    return told ? Outcome::told : Outcome::missed;
  }
};

TEST(OffsetNow, WhatIsWrittenAfterTheAnswerIsToldAlsoAfterACrash) {
  std::map<Now::Outcome, unsigned> seen;
  for (std::uint64_t steps = 0; steps < 400; steps += 3) {
    Now engine;
    const Now::Outcome outcome = engine.crash_after(steps);
    EXPECT_NE(outcome, Now::Outcome::missed) << "killed after " << steps << " steps";
    EXPECT_NE(outcome, Now::Outcome::refused) << "killed after " << steps << " steps";
    ++seen[outcome];
  }
  EXPECT_GT(seen[Now::Outcome::not_answered], 10U) << "killed while the snapshot was taken";
  EXPECT_GT(seen[Now::Outcome::told], 10U) << "killed after the answer";
}

}  // namespace
}  // namespace holdfast::stack
