// Supervisors: start and stop order, restart strategies, intensity, limits, significant children.
#include "core/runtime/supervisor.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/runtime/executor_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ChildSpec;
using runtime::ExitReason;
using runtime::Name;
using runtime::Ref;
using runtime::Restart;
using runtime::Strategy;
using runtime::Supervisor;
using runtime::SupervisorSpec;

class Supervision : public RuntimeTest {
 protected:
  /// A child that writes "+name" and "-name" when it starts and terminates.
  ChildSpec child(const std::string& name, Restart restart = Restart::permanent) {
    ChildSpec spec;
    spec.role = name;
    spec.registered_name = name;
    spec.restart = restart;
    spec.shutdown_limit = 20ms;
    spec.make = [this, name] {
      return std::make_unique<Scripted>(Scripted::Script{
          .init = [this, name](Scripted&) { log.add("+" + name); },
          .terminate = [this, name](Scripted&, const ExitReason&) { log.add("-" + name); }});
    };
    return spec;
  }
  SupervisorSpec three(Strategy strategy) {
    return {.strategy = strategy, .children = {child("a"), child("b"), child("c")}};
  }
  Ref<Supervisor> supervise(SupervisorSpec spec) {
    const auto supervisor = runtime().spawn_root<Supervisor>({.role = "sup"}, std::move(spec));
    log_end(runtime(), supervisor.id, ends);
    settle();
    return supervisor;
  }
  void crash(const std::string& name) {
    runtime().send_exit(runtime().whereis(name), ExitReason::crash("asked to"));
    settle();
  }
  Log log;
  Log ends;
};

TEST_P(Supervision, children_start_in_order_and_stop_in_reverse) {
  const auto supervisor = supervise(three(Strategy::one_for_one));
  runtime().send_exit(supervisor.id, ExitReason::shutdown());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "+c", "-c", "-b", "-a"}));
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
  EXPECT_EQ(runtime().counters().live, 0u);
}

TEST_P(Supervision, one_for_one_restarts_the_one_that_ended) {
  supervise(three(Strategy::one_for_one));
  crash("b");
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "+c", "-b", "+b"}));
}

TEST_P(Supervision, one_for_all_stops_the_others_in_reverse_and_starts_all_in_order) {
  supervise(three(Strategy::one_for_all));
  crash("b");
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "+c", "-b", "-c", "-a", "+a", "+b", "+c"}));
}

TEST_P(Supervision, rest_for_one_leaves_those_before_alone) {
  supervise(three(Strategy::rest_for_one));
  crash("b");
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "+c", "-b", "-c", "+b", "+c"}));
}

TEST_P(Supervision, a_killed_child_is_restarted_without_its_terminate) {
  supervise(three(Strategy::one_for_one));
  runtime().kill(runtime().whereis("a"));
  settle();
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "+c", "+a"}));
}

TEST_P(Supervision, transient_and_temporary_children_follow_their_rule) {
  supervise({.children = {child("transient", Restart::transient),
                          child("temporary", Restart::temporary)}});
  crash("transient");
  crash("temporary");
  runtime().send_exit(runtime().whereis("transient"), ExitReason::normal());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"+transient", "+temporary", "-transient", "+transient",
                                "-temporary", "-transient"}));
}

TEST_P(Supervision, more_restarts_than_the_intensity_end_the_supervisor) {
  supervise({.intensity = 2, .period = 5s, .children = {child("a"), child("b")}});
  for (int i = 0; i < 3; ++i) crash("b");
  EXPECT_EQ(log.lines(), (Lines{"+a", "+b", "-b", "+b", "-b", "+b", "-b", "-a"}));
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
}

TEST_P(Supervision, restarts_outside_the_period_do_not_count) {
  supervise({.intensity = 1, .period = 100ms, .children = {child("a")}});
  for (int i = 0; i < 4; ++i) crash("a");  // 200 ms apart
  EXPECT_EQ(ends.lines(), Lines{});
  EXPECT_TRUE(runtime().whereis("a").valid());
}

TEST_P(Supervision, an_exceeded_intensity_escalates_to_the_supervisor_above) {
  const auto inner = [this] { return SupervisorSpec{.intensity = 0, .children = {child("leaf")}}; };
  supervise({.children = {child("before"), Supervisor::child("inner", "inner", inner)}});
  crash("leaf");
  EXPECT_EQ(log.lines(), (Lines{"+before", "+leaf", "-leaf", "+leaf"}));
  EXPECT_EQ(ends.lines(), Lines{});
}

TEST_P(Supervision, a_child_that_exceeds_its_limit_is_killed) {
  ChildSpec slow = child("slow");
  slow.make = [this] {
    return std::make_unique<Scripted>(
        Scripted::Script{.terminate = [this](Scripted& me, const ExitReason&) {
          log.add("stopping");
          me.sleep(100ms);
          log.add("not reached");
        }});
  };
  SupervisorSpec spec;
  spec.children.push_back(slow);
  const auto supervisor = supervise(std::move(spec));
  log_end(runtime(), runtime().whereis("slow"), log);
  runtime().send_exit(supervisor.id, ExitReason::shutdown());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"stopping", "killed"}));
}

TEST_P(Supervision, a_limit_of_zero_kills_at_once) {
  ChildSpec spec = child("a");
  spec.shutdown_limit = 0ms;
  SupervisorSpec supervisor_spec;
  supervisor_spec.children.push_back(spec);
  const auto supervisor = supervise(std::move(supervisor_spec));
  runtime().send_exit(supervisor.id, ExitReason::shutdown());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"+a"}));
  EXPECT_EQ(runtime().counters().live, 0u);
}

TEST_P(Supervision, a_significant_child_ends_its_supervisor) {
  ChildSpec significant = child("significant", Restart::transient);
  significant.significant = true;
  supervise({.children = {child("a"), significant, child("c")}});
  crash("significant");  // abnormal: restarted
  EXPECT_EQ(ends.lines(), Lines{});
  runtime().send_exit(runtime().whereis("significant"), ExitReason::normal());
  settle();
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
  EXPECT_EQ(log.lines(), (Lines{"+a", "+significant", "+c", "-significant", "+significant",
                                "-significant", "-c", "-a"}));
}

TEST_P(Supervision, a_child_that_cannot_start_fails_the_supervisors_start) {
  ChildSpec failing = child("failing");
  failing.make = [] {
    return std::make_unique<Scripted>(
        Scripted::Script{.init = [](Scripted& me) { me.exit(ExitReason::crash("no disk")); }});
  };
  supervise({.children = {child("a"), failing, child("c")}});
  EXPECT_EQ(log.lines(), (Lines{"+a", "-a"}));
  EXPECT_EQ(ends.lines(), (Lines{"crash(failed to start failing: crash(no disk))"}));
}

TEST_P(Supervision, a_failed_restart_is_tried_again_and_counts) {
  int starts = 0;
  ChildSpec flaky = child("flaky");
  flaky.make = [&] {
    return std::make_unique<Scripted>(Scripted::Script{.init = [&](Scripted& me) {
      ++starts;
      log.add("start");
      if (starts == 2 || starts == 3) me.exit(ExitReason::crash("not yet"));
    }});
  };
  supervise({.intensity = 3, .children = {flaky}});
  crash("flaky");
  EXPECT_EQ(log.lines(), (Lines{"start", "start", "start", "start"}));
  EXPECT_EQ(ends.lines(), Lines{});
  crash("flaky");  // the fourth restart
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
}

TEST_P(Supervision, killing_a_supervisor_takes_its_whole_tree_along) {
  const auto inner = [this] { return three(Strategy::one_for_one); };
  const auto supervisor = supervise({.children = {Supervisor::child("inner", "inner", inner)}});
  EXPECT_EQ(runtime().counters().live, 5u);
  runtime().kill(supervisor.id);
  settle();
  EXPECT_EQ(runtime().counters().live, 0u);
}

TEST_P(Supervision, dynamic_children_are_started_found_stopped_and_forgotten) {
  const auto supervisor = supervise({});
  start(runtime(), "client", [&, supervisor](Scripted& me) {
    const auto started = me.call<&Supervisor::start_child>(supervisor, child("x"));
    const auto again = me.call<&Supervisor::start_child>(supervisor, child("x"));
    if (started && again && *started == *again) log.add("same");
    if (me.call<&Supervisor::child_of>(supervisor, "x", "") == *started) log.add("found");
    if (me.call<&Supervisor::terminate_child>(supervisor, "x", "")) log.add("stopped");
    if (!me.call<&Supervisor::terminate_child>(supervisor, "x", "")) log.add("forgotten");
    ChildSpec failing = child("y");
    failing.make = [] {
      return std::make_unique<Scripted>(
          Scripted::Script{.init = [](Scripted& self) { self.exit(ExitReason::normal()); }});
    };
    const auto failed = me.call<&Supervisor::start_child>(supervisor, failing);
    if (!failed) log.add(failed.error().to_string());
    log.add(std::to_string(me.call<&Supervisor::count_children>(supervisor)));
  });
  settle();
  EXPECT_EQ(log.lines(),
            (Lines{"+x", "same", "found", "-x", "stopped", "forgotten", "normal", "0"}));
}

TEST_P(Supervision, slow_dynamic_children_stop_together_within_one_limit) {
  const auto supervisor = supervise({});
  start(runtime(), "client", [&, supervisor](Scripted& me) {
    for (int i = 0; i < 20; ++i) {
      ChildSpec spec;
      spec.role = "slow";
      spec.key = std::to_string(i);
      spec.shutdown_limit = 20ms;
      spec.make = [this] {
        return std::make_unique<Scripted>(
            Scripted::Script{.terminate = [this](Scripted& self, const ExitReason&) {
              log.add("stopping");
              self.sleep(1s);
            }});
      };
      ASSERT(me.call<&Supervisor::start_child>(supervisor, spec).ok(), "it starts");
    }
    me.send_exit(supervisor.id, ExitReason::shutdown());
  });
  pass(100ms);
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
  EXPECT_EQ(log.lines().size(), 20u);
}

HOLDFAST_UNDER_EVERY_EXECUTOR(Supervision);

TEST(SupervisionAtScale, ten_thousand_dynamic_children_are_not_quadratic) {
  const auto fixture = executors_under_test().front().make();
  Log ends;
  const auto supervisor =
      fixture->runtime().spawn_root<Supervisor>({.role = "sup"}, SupervisorSpec{});
  log_end(fixture->runtime(), supervisor.id, ends);
  start(fixture->runtime(), "client", [supervisor](Scripted& me) {
    for (int i = 0; i < 10'000; ++i) {
      ChildSpec spec;
      spec.role = "leaf";
      spec.key = std::to_string(i);
      spec.restart = Restart::temporary;
      spec.make = [] { return std::make_unique<Scripted>(Scripted::Script{}); };
      ASSERT(me.call<&Supervisor::start_child>(supervisor, spec).ok(), "it starts");
    }
    me.send_exit(supervisor.id, ExitReason::shutdown());
  });
  for (int i = 0; i < 20 && ends.lines().empty(); ++i) fixture->settle();
  EXPECT_EQ(ends.lines(), (Lines{"shutdown"}));
  EXPECT_EQ(fixture->runtime().counters().spawned, 10'002u);
  EXPECT_EQ(fixture->runtime().counters().live, 1u);
}

}  // namespace
}  // namespace holdfast::test
