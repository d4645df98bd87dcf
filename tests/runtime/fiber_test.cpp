// The mistakes fibers invite must end the program with a sentence, and deep trees must unwind.
#include <gtest/gtest.h>

#include <string>

#include "tests/runtime/simulated_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

TEST(FiberDeathTest, swallowing_a_kill_with_catch_all_ends_the_program) {
  EXPECT_DEATH(
      {
        SimulatedFixture fixture;
        const auto process = start(fixture.instance, "swallows", [](Scripted& me) {
          try {
            me.sleep(1s);
          } catch (...) {  // what nobody but the runtime may write
          }
        });
        fixture.pass(1ms);
        fixture.instance.kill(process.id);
      },
      "does not swallow a kill");
}

TEST(FiberDeathTest, sending_from_a_destructor_while_unwinding_ends_the_program) {
  struct Sends {
    ~Sends() { me.cast<&Scripted::begin>(runtime::Ref<Scripted>{me.self()}); }
    Scripted& me;
  };
  EXPECT_DEATH(
      {
        SimulatedFixture fixture;
        const auto process = start(fixture.instance, "sends", [](Scripted& me) {
          const Sends guard{me};
          me.sleep(1s);
        });
        fixture.pass(1ms);
        fixture.instance.kill(process.id);
      },
      "destructors never suspend, send or draw");
}

TEST(FiberDeathTest, a_process_that_calls_itself_ends_the_program) {
  EXPECT_DEATH(
      {
        SimulatedFixture fixture;
        start(fixture.instance, "selfish",
              [](Scripted& me) { me.call<&Scripted::begin>(runtime::Ref<Scripted>{me.self()}); });
        fixture.settle();
      },
      "never calls itself");
}

TEST(FiberDeathTest, a_stack_overflow_hits_the_guard_page) {
  struct Deep {
    static int go(int depth) {
      volatile char frame[4096];
      frame[0] = static_cast<char>(depth);
      return depth == 0 ? frame[0] : go(depth - 1) + frame[0];
    }
  };
  EXPECT_DEATH(
      {
        SimulatedFixture fixture;
        start(fixture.instance, "deep", [](Scripted&) { Deep::go(100'000); });
        fixture.settle();
      },
      "");
}

void nest(Scripted& me, int depth, Log& log) {
  if (depth == 0) {
    me.sleep(1h);
    return;
  }
  me.spawn<Scripted>({.role = "child", .link_to_parent = true},
                     Scripted::Script{.init = [depth, &log](Scripted& child) {
                       log.add(std::to_string(depth));
                       if (depth > 1) nest(child, depth - 1, log);
                     }});
}

TEST(Fibers, a_chain_of_fifty_processes_unwinds_when_its_root_is_killed) {
  SimulatedFixture fixture;
  Log log;
  const auto root = start(fixture.instance, "root", [&](Scripted& me) { nest(me, 50, log); });
  fixture.settle();
  EXPECT_EQ(log.lines().size(), 50u);
  EXPECT_EQ(fixture.instance.counters().live, 51u);
  fixture.instance.kill(root.id);
  fixture.settle();
  EXPECT_EQ(fixture.instance.counters().live, 0u);
  EXPECT_EQ(fixture.executor.fibers().borrowed(), 0u);
}

TEST(Fibers, a_body_runs_in_pieces_and_the_fiber_is_used_again) {
  struct Body final : runtime::FiberBody {
    void run_on_fiber() noexcept override {
      seen += "a";
      runtime::Fiber::yield();
      seen += "b";
    }
    std::string seen;
  };
  runtime::FiberPool pool;
  for (int round = 0; round < 3; ++round) {
    Body body;
    auto fiber = pool.acquire();
    fiber->assign(body);
    fiber->resume();
    EXPECT_EQ(body.seen, "a");
    EXPECT_FALSE(fiber->idle());
    fiber->resume();
    EXPECT_EQ(body.seen, "ab");
    EXPECT_TRUE(fiber->idle());
    pool.release(std::move(fiber));
  }
  EXPECT_EQ(pool.idle_count(), 1u);
}

}  // namespace
}  // namespace holdfast::test
