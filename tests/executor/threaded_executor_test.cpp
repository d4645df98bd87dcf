// What only the threaded executor can get wrong: several shards, real threads, workers, stopping in
// the middle of things. What every executor must do is the suite of tests/runtime.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "core/production/system_clock.hpp"
#include "core/runtime/owned_table.hpp"
#include "core/runtime/supervisor.hpp"
#include "tests/executor/threaded_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using runtime::ExitReason;
using runtime::Process;
using runtime::ProcessExit;
using runtime::Ref;

/// Remembers on which thread each of its messages was handled and in which order they came.
class Receiver : public Process {
 public:
  void take(int sender, int number) {
    threads_.insert(std::this_thread::get_id());
    if (last_[sender] >= number) ordered_ = false;
    last_[sender] = number;
    ++taken_;
  }
  int taken() { return taken_; }
  bool ordered() { return ordered_; }
  std::size_t threads() { return threads_.size(); }

 private:
  std::set<std::thread::id> threads_;
  std::map<int, int> last_;
  bool ordered_ = true;
  int taken_ = 0;
};

class Sender : public Process {
 public:
  Sender(Ref<Receiver> to, int number, int messages)
      : to_(to), number_(number), messages_(messages) {}
  void init() override { cast<&Sender::go>(Ref<Sender>{self()}); }
  void go() {
    for (int i = 1; i <= messages_; ++i) {
      cast<&Receiver::take>(to_, number_, i);
      if (i % 100 == 0) yield_point("sender");
    }
  }

 private:
  Ref<Receiver> to_;
  int number_;
  int messages_;
};

/// Asks a question from outside and gives the answer to the test.
template <auto Method, class P>
class Question : public Process {
 public:
  using Answer = std::invoke_result_t<decltype(Method), P&>;
  Question(Ref<P> of, std::shared_ptr<std::optional<Answer>> answer) : of_(of), answer_(answer) {}
  void init() override { *answer_ = call<Method>(of_); }

 private:
  Ref<P> of_;
  std::shared_ptr<std::optional<Answer>> answer_;
};

template <auto Method, class P>
auto ask(ThreadedFixture& fixture, Ref<P> of) {
  auto answer = std::make_shared<std::optional<std::invoke_result_t<decltype(Method), P&>>>();
  fixture.runtime().spawn_root<Question<Method, P>>({.role = "question"}, of, answer);
  fixture.settle();
  return answer->value();
}

TEST(ThreadedExecutor, messages_of_one_sender_arrive_in_order_whatever_the_shards) {
  ThreadedFixture fixture(4, round_robin());
  const auto receiver = fixture.runtime().spawn_root<Receiver>({.role = "receiver"});
  for (int i = 0; i < 8; ++i)
    fixture.runtime().spawn_root<Sender>({.role = "sender"}, receiver, i, 2'000);
  fixture.settle();
  EXPECT_EQ((ask<&Receiver::taken>(fixture, receiver)), 16'000);
  EXPECT_TRUE((ask<&Receiver::ordered>(fixture, receiver)));
  EXPECT_EQ((ask<&Receiver::threads>(fixture, receiver)), 1u) << "a process stays on its shard";
}

TEST(ThreadedExecutor, casts_from_other_threads_arrive_in_the_order_of_each_thread) {
  ThreadedFixture fixture(3, round_robin());
  const auto receiver = fixture.runtime().spawn_root<Receiver>({.role = "receiver"});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int i = 1; i <= 1'000; ++i)
        fixture.runtime().cast_from_outside<&Receiver::take>(receiver, t, i);
    });
  for (std::thread& thread : threads) thread.join();
  fixture.settle();
  EXPECT_EQ((ask<&Receiver::taken>(fixture, receiver)), 3'000);
  EXPECT_TRUE((ask<&Receiver::ordered>(fixture, receiver)));
}

/// Runs jobs that take real time and adds up what they return.
class Jobs : public Process {
 public:
  Jobs(runtime::Worker* worker, std::atomic<int>* finished)
      : worker_(worker), finished_(finished) {}
  void go(int jobs) {
    for (int i = 0; i < jobs; ++i)
      sum_ += runtime::run_job(*worker_, "test.job", [i, finished = finished_] {
        finished->fetch_add(1);
        return i;
      });
    worker_->drain();
  }
  int sum() { return sum_; }

 private:
  runtime::Worker* worker_;
  std::atomic<int>* finished_;
  int sum_ = 0;
};

TEST(ThreadedExecutor, a_job_runs_on_the_workers_thread_and_its_result_comes_back) {
  ThreadedFixture fixture(2, round_robin());
  const auto worker = fixture.make_worker();
  std::atomic<int> finished = 0;
  const auto jobs = fixture.runtime().spawn_root<Jobs>({.role = "jobs"}, worker.get(), &finished);
  fixture.runtime().cast_from_outside<&Jobs::go>(jobs, 1'000);
  fixture.settle();
  EXPECT_EQ((ask<&Jobs::sum>(fixture, jobs)), 499'500);
  EXPECT_EQ(finished, 1'000);
  fixture.executor.stop();
}

TEST(ThreadedExecutor, killing_the_process_that_waits_for_a_job_abandons_the_wait_not_the_job) {
  ThreadedFixture fixture(2, round_robin());
  const auto worker = fixture.make_worker();
  std::atomic<bool> go = false;
  std::atomic<int> finished = 0;
  worker->submit("block",
                 [&] {
                   while (!go) std::this_thread::yield();
                 },
                 {});
  const auto jobs = fixture.runtime().spawn_root<Jobs>({.role = "jobs"}, worker.get(), &finished);
  fixture.runtime().cast_from_outside<&Jobs::go>(jobs, 5);
  std::atomic<int> ended = 0;
  fixture.runtime().monitor_outside(jobs.id, [&](const ExitReason& reason) {
    EXPECT_EQ(reason, ExitReason::killed());
    ++ended;
  });
  fixture.executor.release();
  // The wait is known to have begun when a later question to its shard has been answered.
  for (unsigned shard = 0; shard < 2; ++shard) fixture.executor.run_on(shard, [](auto&) {});
  fixture.runtime().kill(jobs.id);
  for (unsigned shard = 0; shard < 2; ++shard) fixture.executor.run_on(shard, [](auto&) {});
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(finished, 0);
  go = true;
  fixture.settle();
  EXPECT_LE(finished, 1) << "only the job that was submitted runs";
  fixture.executor.stop();
}

/// Calls its neighbour, which calls its own, until the hops are used up.
class Ring : public Process {
 public:
  void join(Ref<Ring> next) { next_ = next; }
  int pass(int hops) { return hops == 0 ? 0 : 1 + call<&Ring::pass>(*next_, hops - 1); }
  int whole_ring() { return pass(50); }

 private:
  std::optional<Ref<Ring>> next_;
};

TEST(ThreadedExecutor, nested_calls_cross_shards_there_and_back) {
  ThreadedFixture fixture(4, round_robin());
  std::vector<Ref<Ring>> ring;
  for (int i = 0; i < 51; ++i) ring.push_back(fixture.runtime().spawn_root<Ring>({.role = "ring"}));
  for (std::size_t i = 0; i < ring.size(); ++i)
    fixture.runtime().cast_from_outside<&Ring::join>(ring[i], ring[(i + 1) % ring.size()]);
  EXPECT_EQ((ask<&Ring::whole_ring>(fixture, ring[0])), 50);
}

TEST(ThreadedExecutor, stopping_in_the_middle_of_calls_casts_and_sleeps_ends_everything) {
  for (int round = 0; round < 20; ++round) {
    ThreadedFixture fixture(4, round_robin());
    const auto receiver = fixture.runtime().spawn_root<Receiver>({.role = "receiver"});
    std::vector<Ref<Ring>> ring;
    for (int i = 0; i < 10; ++i) {
      ring.push_back(fixture.runtime().spawn_root<Ring>({.role = "ring"}));
      fixture.runtime().spawn_root<Sender>({.role = "sender"}, receiver, i, 5'000);
    }
    for (std::size_t i = 0; i < ring.size(); ++i)
      fixture.runtime().cast_from_outside<&Ring::join>(ring[i], ring[(i + 1) % ring.size()]);
    fixture.runtime().cast_from_outside<&Ring::whole_ring>(ring[0]);
    fixture.executor.release();
    for (unsigned shard = 0; shard < 4; ++shard) fixture.executor.run_on(shard, [](auto&) {});
    fixture.executor.stop();  // must neither hang nor touch what is gone
  }
}

class Beat : public Process {
 public:
  explicit Beat(std::atomic<int>* beats) : beats_(beats) {}
  void init() override { send_after<&Beat::beat>(1ms); }
  void beat() {
    if (beats_->fetch_add(1) < 20) send_after<&Beat::beat>(1ms);
  }

 private:
  std::atomic<int>* beats_;
};

TEST(ThreadedExecutor, timers_fire_by_the_machines_clock) {
  production::SystemClock clock;
  production::SystemRandom random;
  production::ThreadedExecutor executor({.shards = 2}, clock, random);
  std::atomic<int> beats = 0;
  const Instant start = clock.now();
  executor.runtime().spawn_root<Beat>({.role = "beat"}, &beats);
  for (int i = 0; i < 10'000 && beats < 21; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(beats, 21);
  EXPECT_GE(clock.now() - start, 21ms);
  executor.stop();
}

/// Owns a table that others read while it changes and while it dies.
class Owner : public Process {
 public:
  void init() override { table_.emplace(*this, runtime::TableName<int, int>("numbers")); }
  void fill(int rows) {
    for (int i = 0; i < rows; ++i) {
      table_->put(i, i * i);
      if (i % 10 == 0) yield_point("fill");
    }
  }

 private:
  std::optional<runtime::OwnedTable<int, int>> table_;
};

class Reader : public Process {
 public:
  explicit Reader(std::atomic<int>* wrong) : wrong_(wrong) {}
  void init() override { cast<&Reader::go>(Ref<Reader>{self()}); }
  void go() {
    const runtime::TableName<int, int> name("numbers");
    const runtime::TableRef<int, int> table(runtime(), name);
    bool seen_gone_after_row = false, seen_row = false;
    for (int i = 0; i < 2'000; ++i) {
      const auto row = table.find(i % 500);
      if (row.found() && row.value() != (i % 500) * (i % 500)) ++*wrong_;
      if (row.found() && seen_gone_after_row) ++*wrong_;
      if (row.found()) seen_row = true;
      if (row.gone() && seen_row) seen_gone_after_row = true;
      if (i % 50 == 0) yield_point("read");
    }
  }

 private:
  std::atomic<int>* wrong_;
};

TEST(ThreadedExecutor, a_table_is_read_on_other_shards_and_ends_with_its_owner) {
  ThreadedFixture fixture(4, round_robin());
  std::atomic<int> wrong = 0;
  const auto owner = fixture.runtime().spawn_root<Owner>({.role = "owner"});
  fixture.runtime().cast_from_outside<&Owner::fill>(owner, 500);
  for (int i = 0; i < 6; ++i) fixture.runtime().spawn_root<Reader>({.role = "reader"}, &wrong);
  fixture.executor.release();
  fixture.executor.run_on(1, [](auto&) {});
  fixture.runtime().kill(owner.id);
  fixture.settle();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace holdfast::test
