// Monitors, links, exits, kills and timers: what a process learns of the others' ends and how it
// ends.
#include <gtest/gtest.h>

#include <string>

#include "tests/runtime/executor_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::ProcessId;
using runtime::Ref;

class Lifecycle : public RuntimeTest {
 protected:
  Ref<Scripted> spawn(Scripted::Script script, std::string role = "subject") {
    return runtime().spawn_root<Scripted>({.role = std::move(role)}, std::move(script));
  }
  Ref<Scripted> idle() { return spawn({}); }
  /// A process that writes every Down and every linked exit it gets.
  Ref<Scripted> watcher(std::function<void(Scripted&)> begin) {
    return spawn({.init = std::move(begin),
                  .down = [this](Scripted&, ProcessId,
                                 const ExitReason& r) { log.add("down " + r.to_string()); },
                  .linked_exit = [this](Scripted&, ProcessId,
                                        const ExitReason& r) { log.add("exit " + r.to_string()); }},
                 "watcher");
  }
  Log log;
};

TEST_P(Lifecycle, a_monitor_is_told_exactly_once) {
  const auto subject = idle();
  settle();
  watcher([&](Scripted& me) { me.monitor(subject.id); });
  settle();
  runtime().send_exit(subject.id, ExitReason::crash("x"));
  runtime().kill(subject.id);
  settle();
  // Two ends are asked for; the kill may overtake the exit, but there is one end and one Down.
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_TRUE(log.lines()[0] == "down crash(x)" || log.lines()[0] == "down killed");
}

TEST_P(Lifecycle, a_monitor_of_a_dead_process_is_told_noproc) {
  const auto subject = idle();
  runtime().kill(subject.id);
  settle();
  watcher([&](Scripted& me) { me.monitor(subject.id); });
  settle();
  EXPECT_EQ(log.lines(), (Lines{"down noproc"}));
}

TEST_P(Lifecycle, two_monitors_of_one_process_are_told_once_each) {
  const auto subject = idle();
  settle();
  watcher([&](Scripted& me) {
    me.monitor(subject.id);
    me.monitor(subject.id);
  });
  settle();
  runtime().send_exit(subject.id, ExitReason::normal());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"down normal", "down normal"}));
}

TEST_P(Lifecycle, after_demonitor_no_down_comes_even_if_it_was_in_the_mailbox) {
  const auto subject = idle();
  settle();
  watcher([&](Scripted& me) {
    const runtime::MonitorRef monitor = me.monitor(subject.id);
    me.send_exit(subject.id, ExitReason::killed());
    me.sleep(10ms);  // the Down is in the mailbox now
    me.demonitor(monitor);
  });
  settle();
  EXPECT_EQ(log.lines(), Lines{});
}

TEST_P(Lifecycle, a_linked_crash_ends_a_process_that_does_not_trap_exits) {
  const auto subject = idle();
  settle();
  const auto linked = watcher([&](Scripted& me) { me.link(subject.id); });
  log_end(runtime(), linked.id, log);
  settle();
  runtime().send_exit(subject.id, ExitReason::crash("x"));
  settle();
  EXPECT_EQ(log.lines(), (Lines{"crash(x)"}));
}

TEST_P(Lifecycle, a_linked_normal_end_does_not) {
  const auto subject = idle();
  settle();
  const auto linked = watcher([&](Scripted& me) { me.link(subject.id); });
  log_end(runtime(), linked.id, log);
  settle();
  runtime().send_exit(subject.id, ExitReason::normal());
  settle();
  EXPECT_EQ(log.lines(), Lines{});
}

TEST_P(Lifecycle, a_process_that_traps_exits_is_told_of_a_linked_end) {
  const auto subject = idle();
  settle();
  watcher([&](Scripted& me) {
    me.trap_exits();
    me.link(subject.id);
  });
  settle();
  runtime().kill(subject.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"exit killed"}));
}

TEST_P(Lifecycle, after_unlink_nothing_is_told) {
  const auto subject = idle();
  settle();
  watcher([&](Scripted& me) {
    me.trap_exits();
    me.link(subject.id);
    me.sleep(5ms);
    me.unlink(subject.id);
  });
  pass(50ms);
  runtime().kill(subject.id);
  settle();
  EXPECT_EQ(log.lines(), Lines{});
}

TEST_P(Lifecycle, a_child_ends_with_the_parent_it_is_linked_to) {
  ProcessId child;
  const auto parent = spawn({.run = [&](Scripted& me) {
    child = me.spawn<Scripted>({.role = "child", .link_to_parent = true},
                               Scripted::Script{.terminate =
                                                    [this](Scripted&, const ExitReason& r) {
                                                      log.add("terminate " + r.to_string());
                                                    }})
                .id;
  }});
  settle();
  runtime().kill(parent.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"terminate killed"}));
  EXPECT_FALSE(runtime().alive(child));
}

TEST_P(Lifecycle, terminate_runs_in_every_end_but_a_kill) {
  const auto subject = [&](std::string name) {
    return Scripted::Script{.terminate = [this, name](Scripted&, const ExitReason& r) {
      log.add(name + " " + r.to_string());
    }};
  };
  for (const auto& [name, run] :
       std::vector<std::pair<std::string, std::function<void(Scripted&)>>>{
           {"exit", [](Scripted& me) { me.exit(ExitReason::normal()); }},
           {"throw", [](Scripted&) { throw std::runtime_error("x"); }},
           {"asked", [](Scripted& me) { me.sleep(1s); }},
           {"kill", [](Scripted& me) { me.sleep(1s); }}}) {
    Scripted::Script script = subject(name);
    script.run = run;
    const auto process = spawn(std::move(script));
    pass(5ms);
    if (name == "asked") runtime().send_exit(process.id, ExitReason::shutdown());
    if (name == "kill") runtime().kill(process.id);
  }
  settle();
  EXPECT_EQ(log.lines(), (Lines{"exit normal", "throw crash(x)", "asked shutdown"}));
}

TEST_P(Lifecycle, an_exit_interrupts_a_handler_unless_exits_are_trapped) {
  for (const bool traps : {false, true}) {
    const auto process =
        spawn({.init =
                   [traps](Scripted& me) {
                     if (traps) me.trap_exits();
                   },
               .run =
                   [this](Scripted& me) {
                     me.sleep(50ms);
                     log.add("handler finished");
                   },
               .terminate = [this](Scripted&, const ExitReason&) { log.add("terminate"); }});
    pass(10ms);
    runtime().send_exit(process.id, ExitReason::shutdown());
    settle();
  }
  EXPECT_EQ(log.lines(), (Lines{"terminate", "handler finished", "terminate"}));
}

TEST_P(Lifecycle, a_kill_unwinds_nested_frames_and_their_destructors_run) {
  struct Guarded {
    ~Guarded() { log.add(name); }
    Log& log;
    std::string name;
  };
  const auto callee = spawn({.run = [](Scripted& me) { me.sleep(100ms); }}, "callee");
  settle();
  const auto subject = spawn(
      {.run =
           [&, callee](Scripted& me) {
             const Guarded outer{log, "outer"};
             const auto inner = [&] {
               const Guarded guard{log, "inner"};
               me.call<&Scripted::perform>(callee, [](Scripted& other) { other.sleep(100ms); });
             };
             inner();
             log.add("not reached");
           },
       .terminate = [this](Scripted&, const ExitReason&) { log.add("not run"); }});
  pass(20ms);
  runtime().kill(subject.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"inner", "outer"}));
}

TEST_P(Lifecycle, a_process_that_kills_itself_ends_at_its_next_suspension) {
  const auto subject = spawn({.run = [&](Scripted& me) {
    me.send_exit(me.self(), ExitReason::killed());
    log.add("still running");
    me.yield_point("the end");
    log.add("not reached");
  }});
  log_end(runtime(), subject.id, log);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"still running", "killed"}));
}

TEST_P(Lifecycle, a_kill_ends_a_terminate_that_takes_too_long) {
  const auto subject = spawn({.terminate = [this](Scripted& me, const ExitReason&) {
    log.add("terminating");
    me.sleep(1s);
    log.add("not reached");
  }});
  settle();
  log_end(runtime(), subject.id, log);
  runtime().send_exit(subject.id, ExitReason::shutdown());
  pass(10ms);
  runtime().send_exit(subject.id, ExitReason::shutdown());  // changes nothing
  pass(10ms);
  runtime().kill(subject.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"terminating", "killed"}));
}

TEST_P(Lifecycle, a_failed_init_fails_the_spawn_and_spares_the_linked_parent) {
  const auto parent = spawn({.run = [&](Scripted& me) {
    log.add(me.exit_of([&] {
      me.spawn<Scripted>(
          {.role = "child", .link_to_parent = true},
          Scripted::Script{.init = [](Scripted&) { throw std::runtime_error("no"); }});
    }));
    me.yield_point("pause");
    log.add("parent lives");
  }});
  settle();
  EXPECT_EQ(log.lines(), (Lines{"crash(no)", "parent lives"}));
  EXPECT_TRUE(runtime().alive(parent.id));
}

TEST_P(Lifecycle, a_registered_name_is_taken_once_and_free_after_the_end) {
  const auto named = [&] {
    return runtime().spawn_root<Scripted>({.role = "named", .registered_name = "n"},
                                          Scripted::Script{});
  };
  const auto first = named();
  settle();
  const auto second = named();
  log_end(runtime(), second.id, log);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"crash(name already registered: n)"}));
  EXPECT_EQ(runtime().whereis("n"), first.id);
  runtime().kill(first.id);
  settle();
  EXPECT_FALSE(runtime().whereis("n").valid());
  EXPECT_EQ(named().id.valid(), true);
}

class Clocked : public runtime::Process {
 public:
  explicit Clocked(Log* log) : log_(log) {}
  void init() override {
    send_after<&Clocked::tick>(30ms, std::string("c"));
    send_after<&Clocked::tick>(10ms, std::string("a"));
    cancelled_ = send_after<&Clocked::tick>(15ms, std::string("cancelled"));
    in_mailbox_ = send_after<&Clocked::tick>(20ms, std::string("cancelled in the mailbox"));
    send_after<&Clocked::busy>(18ms);
  }
  void tick(const std::string& text) {
    log_->add(text);
    cancel(cancelled_);
  }
  void busy() {
    sleep(10ms);
    cancel(in_mailbox_);
    log_->add("b");
  }

 private:
  Log* log_;
  runtime::TimerRef cancelled_;
  runtime::TimerRef in_mailbox_;
};

TEST_P(Lifecycle, timers_come_in_order_of_time_and_a_cancelled_one_never) {
  runtime().spawn_root<Clocked>({.role = "clocked"}, &log);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"a", "b", "c"}));
}

TEST_P(Lifecycle, timers_end_with_their_process) {
  const auto clocked = runtime().spawn_root<Clocked>({.role = "clocked"}, &log);
  pass(5ms);
  runtime().kill(clocked.id);
  settle();
  EXPECT_EQ(log.lines(), Lines{});
}

TEST_P(Lifecycle, two_processes_suspended_inside_catch_rethrow_their_own_exception) {
  for (const std::string name : {"a", "b"})
    spawn({.run =
               [this, name](Scripted& me) {
                 try {
                   throw std::runtime_error(name);
                 } catch (const std::runtime_error&) {
                   me.sleep(10ms);  // the other one is inside its catch now too
                   try {
                     throw;
                   } catch (const std::runtime_error& again) {
                     log.add(name + again.what());
                   }
                 }
               }},
          name);
  settle();
  EXPECT_EQ(log.sorted(), (Lines{"aa", "bb"}));
}

TEST_P(Lifecycle, a_kill_inside_catch_unwinds_too) {
  const auto subject = spawn({.run = [this](Scripted& me) {
    try {
      throw std::runtime_error("x");
    } catch (const std::runtime_error&) {
      me.sleep(1s);
      log.add("not reached");
    }
  }});
  log_end(runtime(), subject.id, log);
  pass(5ms);
  runtime().kill(subject.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"killed"}));
}

TEST_P(Lifecycle, siblings_of_one_role_have_generations_and_keys_in_their_paths) {
  runtime().spawn_root<Scripted>({.role = "a"}, Scripted::Script{.run = [&](Scripted& me) {
                                   for (int i = 0; i < 2; ++i)
                                     me.spawn<Scripted>({.role = "b", .key = "k"},
                                                        Scripted::Script{});
                                   me.spawn<Scripted>({.role = "b"}, Scripted::Script{});
                                 }});
  settle();
  Lines paths;
  for (const auto& info : runtime().processes()) paths.push_back(info.path);
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths, (Lines{"/t/a", "/t/a/b", "/t/a/b[k]", "/t/a/b[k]#2"}));
}

TEST_P(Lifecycle, an_idle_process_holds_no_stack) {
  for (int i = 0; i < 100; ++i) idle();
  settle();
  EXPECT_EQ(runtime().counters().live, 100u);
  EXPECT_EQ(runtime().executor().fibers().borrowed(), 0u);
}

HOLDFAST_UNDER_EVERY_EXECUTOR(Lifecycle);

}  // namespace
}  // namespace holdfast::test
