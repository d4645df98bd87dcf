// Workers and suspend(): jobs outlive those who wait for them, and a wake-up counts once.
#include <gtest/gtest.h>

#include <string>

#include "core/runtime/suspend.hpp"
#include "tests/runtime/executor_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::run_job;
using runtime::suspend;
using runtime::Wakeup;
using runtime::Woken;

class Workers : public RuntimeTest {
 protected:
  Workers() : worker(fixture->make_worker()) {}
  Log log;
  std::unique_ptr<runtime::Worker> worker;
};

TEST_P(Workers, a_job_returns_its_result_to_the_process_that_waits) {
  start(runtime(), "client", [&](Scripted&) {
    run_job(*worker, "first", [this] { log.add("void job"); });
    log.add(std::to_string(run_job(*worker, "second", [] { return 42; })));
  });
  settle();
  EXPECT_EQ(log.lines(), (Lines{"void job", "42"}));
}

TEST_P(Workers, jobs_run_one_at_a_time_in_order) {
  for (const std::string name : {"a", "b", "c"})
    worker->submit("job",
                   [this, name] {
                     log.add(name + " begins");
                     log.add(name + " ends");
                   },
                   {});
  settle();
  EXPECT_EQ(log.lines(), (Lines{"a begins", "a ends", "b begins", "b ends", "c begins", "c ends"}));
}

TEST_P(Workers, drain_waits_for_what_was_submitted_before) {
  start(runtime(), "client", [&](Scripted&) {
    worker->submit("job", [this] { log.add("job"); }, {});
    worker->drain();
    log.add("drained");
  });
  settle();
  EXPECT_EQ(log.lines(), (Lines{"job", "drained"}));
}

TEST_P(Workers, a_suspension_ends_at_its_deadline) {
  start(runtime(), "client", [&](Scripted& me) {
    const Instant before = me.now();
    const Woken woken = suspend("wait", me.now() + 10ms, [](Wakeup) {});
    log.add(woken == Woken::deadline && me.now() - before >= 10ms ? "deadline" : "early");
  });
  settle();
  EXPECT_EQ(log.lines(), (Lines{"deadline"}));
}

TEST_P(Workers, a_wakeup_may_fire_early_twice_and_late) {
  Wakeup kept;
  start(runtime(), "client", [&](Scripted& me) {
    const Woken woken = suspend("early", me.now() + 50ms, [&](Wakeup wakeup) {
      wakeup.fire();
      wakeup.fire();
      kept = wakeup;
    });
    log.add(woken == Woken::fired ? "fired" : "deadline");
    kept.fire();  // late: must not end the next suspension
    const Instant before = me.now();
    suspend("next", me.now() + 10ms, [&](Wakeup) { kept.fire(); });
    log.add(me.now() - before >= 10ms ? "whole wait" : "cut short");
  });
  settle();
  kept.fire();
  Wakeup().fire();
  settle();
  EXPECT_EQ(log.lines(), (Lines{"fired", "whole wait"}));
}

HOLDFAST_UNDER_EVERY_EXECUTOR(Workers);

}  // namespace
}  // namespace holdfast::test
