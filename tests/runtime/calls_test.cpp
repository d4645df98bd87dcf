// Calls, casts, replies and their failures: what a process can rely on when it talks to another.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/runtime/executor_fixture.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::Name;
using runtime::Process;
using runtime::Ref;
using runtime::Reply;

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
  void done_later(Reply<void> reply) { reply.send(); }

 private:
  int total_ = 0;
  std::optional<Reply<std::string>> kept_;
};

class Calls : public RuntimeTest {
 protected:
  void run(std::function<void(Scripted&)> steps) {
    start(runtime(), "caller", std::move(steps));
    settle();
  }
  Ref<Counter> counter(std::string name = "") {
    return runtime().spawn_root<Counter>({.role = "counter", .registered_name = std::move(name)});
  }
  Log log;
};

TEST_P(Calls, a_call_returns_what_the_handler_returned) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) {
    me.call<&Counter::add>(target, 2);
    log.add(std::to_string(me.call<&Counter::add>(target, 3)));
  });
  EXPECT_EQ(log.lines(), (Lines{"5"}));
}

TEST_P(Calls, arguments_and_replies_may_be_movable_only) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) {
    log.add(std::to_string(*me.call<&Counter::take>(target, std::make_unique<int>(7))));
  });
  EXPECT_EQ(log.lines(), (Lines{"7"}));
}

TEST_P(Calls, a_name_is_looked_up_at_each_use) {
  const Ref<Counter> first = counter("counter");
  run([&](Scripted& me) {
    me.call<&Counter::add>(Name<Counter>("counter"), 5);
    me.send_exit(first.id, ExitReason::shutdown());
    me.sleep(1ms);
    log.add(me.exit_of([&] { me.call<&Counter::add>(Name<Counter>("counter"), 1); }));
  });
  counter("counter");
  run([&](Scripted& me) {
    log.add(std::to_string(me.call<&Counter::add>(Name<Counter>("counter"), 1)));
  });
  EXPECT_EQ(log.lines(), (Lines{"noproc", "1"}));
}

TEST_P(Calls, a_call_exits_with_the_reason_of_a_callee_that_ends_before_it_replied) {
  run([&](Scripted& me) {
    const auto attempt = [&](auto&& call) {
      const Ref<Counter> target = me.spawn<Counter>({.role = "counter"});
      log.add(me.exit_of([&] { call(target); }));
      log.add(me.exit_of([&] { me.call<&Counter::add>(target, 1); }));
    };
    attempt([&](Ref<Counter> target) { me.call<&Counter::fail>(target, "disk on fire"); });
    attempt([&](Ref<Counter> target) {
      me.call<&Counter::leave>(target, ExitReason::shutdown(runtime::ShutdownCause::removed));
    });
    attempt([&](Ref<Counter> target) { me.call<&Counter::leave>(target, ExitReason::normal()); });
  });
  EXPECT_EQ(log.lines(), (Lines{"crash(disk on fire)", "noproc", "shutdown(removed)", "noproc",
                                "normal", "noproc"}));
}

TEST_P(Calls, a_kill_in_mid_call_reaches_every_caller_as_killed) {
  const Ref<Counter> target = counter();
  for (int i = 0; i < 3; ++i)  // one is being handled, two are still queued
    start(runtime(), "caller", [&](Scripted& me) {
      log.add(me.exit_of([&] { me.call<&Counter::slow>(target, 100ms); }));
    });
  pass(20ms);
  runtime().kill(target.id);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"killed", "killed", "killed"}));
}

TEST_P(Calls, a_call_that_times_out_drops_the_late_reply) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) {
    log.add(me.exit_of([&] { me.call_within<&Counter::slow>(10ms, target, 30ms); }));
    // The late answer (1) arrives during this call and must not be taken for its answer (2).
    log.add(std::to_string(me.call<&Counter::slow>(target, 50ms)));
  });
  EXPECT_EQ(log.lines(), (Lines{"timeout", "2"}));
}

TEST_P(Calls, a_process_exit_that_escapes_is_a_crash_of_the_caller) {
  const auto caller = start(runtime(), "caller", [](Scripted& me) {
    me.call<&Counter::add>(Name<Counter>("nobody"), 1);
  });
  log_end(runtime(), caller.id, log);
  settle();
  EXPECT_EQ(log.lines(), (Lines{"crash(callee exited: noproc)"}));
}

TEST_P(Calls, a_deferred_reply_is_sent_by_a_later_handler) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) { log.add(me.call<&Counter::later>(target)); });
  EXPECT_EQ(log.lines(), Lines{});
  runtime().cast_from_outside<&Counter::answer_kept>(target, "now");
  settle();
  EXPECT_EQ(log.lines(), (Lines{"now"}));
}

TEST_P(Calls, a_deferred_reply_may_be_empty) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) {
    me.call<&Counter::done_later>(target);
    log.add("done");
  });
  EXPECT_EQ(log.lines(), (Lines{"done"}));
}

TEST_P(Calls, a_dropped_reply_is_answered_as_a_crash_and_the_callee_lives) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) {
    log.add(me.exit_of([&] { me.call<&Counter::drop>(target); }));
    log.add(std::to_string(me.call<&Counter::add>(target, 1)));
  });
  EXPECT_EQ(log.lines(), (Lines{"crash(reply_dropped)", "1"}));
}

TEST_P(Calls, a_kept_reply_fails_with_the_reason_of_its_process) {
  const Ref<Counter> target = counter();
  run([&](Scripted& me) { log.add(me.exit_of([&] { me.call<&Counter::later>(target); })); });
  runtime().send_exit(target.id, ExitReason::shutdown());
  settle();
  EXPECT_EQ(log.lines(), (Lines{"shutdown"}));
}

TEST_P(Calls, a_reply_of_a_killed_caller_is_dropped_without_harm) {
  const Ref<Counter> target = counter();
  const auto caller =
      start(runtime(), "caller", [&](Scripted& me) { me.call<&Counter::later>(target); });
  pass(10ms);
  runtime().kill(caller.id);
  settle();
  runtime().cast_from_outside<&Counter::answer_kept>(target, "too late");
  run([&](Scripted& me) { log.add(std::to_string(me.call<&Counter::add>(target, 4))); });
  EXPECT_EQ(log.lines(), (Lines{"4"}));
}

TEST_P(Calls, a_cast_to_a_missing_process_does_nothing) {
  const Ref<Counter> target = counter();
  settle();
  runtime().kill(target.id);
  settle();
  run([&](Scripted& me) {
    me.cast<&Counter::add>(target, 1);
    me.cast<&Counter::add>(Name<Counter>("nobody"), 1);
    log.add("went on");
  });
  EXPECT_EQ(log.lines(), (Lines{"went on"}));
}

class Receiver : public Process {
 public:
  explicit Receiver(Log* log) : log_(log) {}
  void note(const std::string& who, int number) {
    if (number % 3 == 0) yield_point("receiver.pause");
    log_->add(who + std::to_string(number));
  }

 private:
  Log* log_;
};

TEST_P(Calls, messages_of_one_pair_keep_their_order_whatever_others_do) {
  const auto receiver = runtime().spawn_root<Receiver>({.role = "receiver"}, &log);
  for (const char* who : {"a", "b", "c"})
    start(runtime(), who, [receiver, who](Scripted& me) {
      for (int i = 10; i < 60; ++i) {
        if (i % 2 == 0) {
          me.cast<&Receiver::note>(receiver, std::string(who), i);
        } else {
          me.call<&Receiver::note>(receiver, std::string(who), i);
        }
        if (i % 7 == 0) me.yield_point("sender.pause");
      }
    });
  settle();
  const Lines lines = log.lines();
  ASSERT_EQ(lines.size(), 150u);
  for (const char who : {'a', 'b', 'c'}) {
    Lines of_one;
    for (const std::string& line : lines)
      if (line[0] == who) of_one.push_back(line);
    EXPECT_EQ(of_one.size(), 50u);
    EXPECT_TRUE(std::is_sorted(of_one.begin(), of_one.end())) << who;
  }
}

HOLDFAST_UNDER_EVERY_EXECUTOR(Calls);

template <class T>
class Generic : public Process {
 public:
  void handle(T) {}
};

TEST(Labels, the_label_of_a_message_is_class_and_handler) {
  EXPECT_EQ(runtime::k_label_of<&Counter::add>.text, "Counter::add");
  EXPECT_EQ(runtime::k_label_of<&Counter::later>.text, "Counter::later");
}

TEST(Labels, the_label_of_a_template_has_no_template_arguments) {
  EXPECT_EQ((runtime::k_label_of<&Generic<std::vector<std::string>>::handle>.text),
            "Generic::handle");
}

}  // namespace
}  // namespace holdfast::test
