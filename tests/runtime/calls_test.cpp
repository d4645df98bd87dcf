// Calls, casts, replies and their failures: what a process can rely on when it talks to another.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/runtime/process.hpp"
#include "tests/runtime/executor_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::Name;
using runtime::Process;
using runtime::ProcessExit;
using runtime::Ref;
using runtime::Reply;

using Log = std::vector<std::string>;

class Counter : public Process {
 public:
  int add(int amount) { return total_ += amount; }
  std::unique_ptr<int> take(std::unique_ptr<int> value) { return value; }
  void fail(const std::string& what) { throw std::runtime_error(what); }
  void leave(ExitReason reason) { exit(std::move(reason)); }
  int slow(Duration duration) {
    sleep(duration);
    return ++total_;
  }
  void later(Reply<std::string> reply) { kept_ = std::move(reply); }
  void answer_kept(const std::string& text) {
    kept_->send(text);
    kept_.reset();
  }
  void drop(Reply<int>) {}

 private:
  int total_ = 0;
  std::optional<Reply<std::string>> kept_;
};

/// Runs one function as a process: the caller's side of a test.
class Caller : public Process {
 public:
  explicit Caller(std::function<void(Caller&)> run) : run_(std::move(run)) {}
  void init() override { cast<&Caller::begin>(Ref<Caller>{self()}); }
  void begin() { run_(*this); }

  using Process::call;
  using Process::call_within;
  using Process::cast;
  using Process::exit;
  using Process::now;
  using Process::send_exit;
  using Process::sleep;
  using Process::spawn;
  using Process::yield_point;

  template <class F>
  std::string exit_of(F&& attempt) {
    try {
      attempt();
      return "returned";
    } catch (const ProcessExit& exit) {
      return exit.reason.to_string();
    }
  }

 private:
  std::function<void(Caller&)> run_;
};

class Calls : public ::testing::Test {
 protected:
  void run(std::function<void(Caller&)> steps) {
    fixture.runtime().spawn_root<Caller>({.role = "caller"}, std::move(steps));
    fixture.settle();
  }
  Ref<Counter> counter(std::string name = "") {
    return fixture.runtime().spawn_root<Counter>(
        {.role = "counter", .registered_name = std::move(name)});
  }
  SimulatedFixture fixture;
};

TEST_F(Calls, a_call_returns_what_the_handler_returned) {
  const Ref<Counter> target = counter();
  int result = 0;
  run([&](Caller& me) {
    me.call<&Counter::add>(target, 2);
    result = me.call<&Counter::add>(target, 3);
  });
  EXPECT_EQ(result, 5);
}

TEST_F(Calls, arguments_and_replies_may_be_movable_only) {
  const Ref<Counter> target = counter();
  int result = 0;
  run([&](Caller& me) {
    result = *me.call<&Counter::take>(target, std::make_unique<int>(7));
  });
  EXPECT_EQ(result, 7);
}

TEST_F(Calls, a_name_is_looked_up_at_each_use) {
  Log log;
  const Ref<Counter> first = counter("counter");
  run([&](Caller& me) {
    me.call<&Counter::add>(Name<Counter>("counter"), 5);
    me.send_exit(first.id, ExitReason::shutdown());
    me.sleep(1ms);
    log.push_back(me.exit_of([&] { me.call<&Counter::add>(Name<Counter>("counter"), 1); }));
  });
  counter("counter");
  run([&](Caller& me) {
    log.push_back(std::to_string(me.call<&Counter::add>(Name<Counter>("counter"), 1)));
  });
  EXPECT_EQ(log, (Log{"noproc", "1"}));
}

TEST_F(Calls, a_call_exits_with_the_reason_of_a_callee_that_ends_before_it_replied) {
  Log log;
  run([&](Caller& me) {
    const auto attempt = [&](auto&& call) {
      const Ref<Counter> target = me.spawn<Counter>({.role = "counter"});
      log.push_back(me.exit_of([&] { call(target); }));
      log.push_back(me.exit_of([&] { me.call<&Counter::add>(target, 1); }));
    };
    attempt([&](Ref<Counter> target) { me.call<&Counter::fail>(target, "disk on fire"); });
    attempt([&](Ref<Counter> target) {
      me.call<&Counter::leave>(target, ExitReason::shutdown(runtime::ShutdownCause::removed));
    });
    attempt([&](Ref<Counter> target) { me.call<&Counter::leave>(target, ExitReason::normal()); });
  });
  EXPECT_EQ(log, (Log{"crash(disk on fire)", "noproc", "shutdown(removed)", "noproc", "normal",
                      "noproc"}));
}

TEST_F(Calls, a_kill_in_mid_call_reaches_the_caller_as_killed) {
  Log log;
  const Ref<Counter> target = counter();
  fixture.runtime().spawn_root<Caller>({.role = "caller"}, [&](Caller& me) {
    log.push_back(me.exit_of([&] { me.call<&Counter::slow>(target, 10s); }));
  });
  fixture.pass(1s);
  fixture.runtime().kill(target.id);
  fixture.settle();
  EXPECT_EQ(log, (Log{"killed"}));
}

TEST_F(Calls, messages_that_were_still_queued_fail_with_the_callee) {
  Log log;
  const Ref<Counter> target = counter();
  for (int i = 0; i < 3; ++i)
    fixture.runtime().spawn_root<Caller>({.role = "caller"}, [&](Caller& me) {
      log.push_back(me.exit_of([&] { me.call<&Counter::slow>(target, 10s); }));
    });
  fixture.pass(1s);
  fixture.runtime().kill(target.id);
  fixture.settle();
  EXPECT_EQ(log, (Log{"killed", "killed", "killed"}));
}

TEST_F(Calls, a_call_that_times_out_drops_the_late_reply) {
  Log log;
  const Ref<Counter> target = counter();
  run([&](Caller& me) {
    log.push_back(me.exit_of([&] { me.call_within<&Counter::slow>(1s, target, 3s); }));
    // The late answer (1) arrives during this call and must not be taken for its answer (2).
    log.push_back(std::to_string(me.call<&Counter::slow>(target, 5s)));
  });
  EXPECT_EQ(log, (Log{"timeout", "2"}));
}

TEST_F(Calls, a_process_exit_that_escapes_is_a_crash_of_the_caller) {
  std::string reason;
  const auto caller = fixture.runtime().spawn_root<Caller>({.role = "caller"}, [](Caller& me) {
    me.call<&Counter::add>(Name<Counter>("nobody"), 1);
  });
  fixture.runtime().monitor_outside(caller.id, [&](const ExitReason& r) { reason = r.to_string(); });
  fixture.settle();
  EXPECT_EQ(reason, "crash(callee exited: noproc)");
}

TEST_F(Calls, a_deferred_reply_is_sent_by_a_later_handler) {
  Log log;
  const Ref<Counter> target = counter();
  fixture.runtime().spawn_root<Caller>({.role = "asks"}, [&](Caller& me) {
    log.push_back(me.call<&Counter::later>(target));
  });
  fixture.pass(1s);
  EXPECT_TRUE(log.empty());
  fixture.runtime().cast_from_outside<&Counter::answer_kept>(target, "now");
  fixture.settle();
  EXPECT_EQ(log, (Log{"now"}));
}

TEST_F(Calls, a_dropped_reply_is_answered_as_a_crash_and_the_callee_lives) {
  Log log;
  const Ref<Counter> target = counter();
  run([&](Caller& me) {
    log.push_back(me.exit_of([&] { me.call<&Counter::drop>(target); }));
    log.push_back(std::to_string(me.call<&Counter::add>(target, 1)));
  });
  EXPECT_EQ(log, (Log{"crash(reply_dropped)", "1"}));
}

TEST_F(Calls, a_kept_reply_fails_with_the_reason_of_its_process) {
  Log log;
  const Ref<Counter> target = counter();
  fixture.runtime().spawn_root<Caller>({.role = "asks"}, [&](Caller& me) {
    log.push_back(me.exit_of([&] { me.call<&Counter::later>(target); }));
  });
  fixture.pass(1s);
  fixture.runtime().send_exit(target.id, ExitReason::shutdown());
  fixture.settle();
  EXPECT_EQ(log, (Log{"shutdown"}));
}

TEST_F(Calls, a_cast_to_a_missing_process_does_nothing) {
  bool reached = false;
  const Ref<Counter> target = counter();
  fixture.settle();
  fixture.runtime().kill(target.id);
  run([&](Caller& me) {
    me.cast<&Counter::add>(target, 1);
    me.cast<&Counter::add>(Name<Counter>("nobody"), 1);
    reached = true;
  });
  EXPECT_TRUE(reached);
}

TEST_F(Calls, the_label_of_a_message_is_class_and_handler) {
  EXPECT_EQ(runtime::k_label_of<&Counter::add>.text, "Counter::add");
  EXPECT_EQ(runtime::k_label_of<&Counter::later>.text, "Counter::later");
}

template <class T>
class Generic : public Process {
 public:
  void handle(T) {}
};

TEST_F(Calls, the_label_of_a_template_has_no_template_arguments) {
  EXPECT_EQ((runtime::k_label_of<&Generic<std::vector<std::string>>::handle>.text),
            "Generic::handle");
}

}  // namespace
}  // namespace holdfast::test
