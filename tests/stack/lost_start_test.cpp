// Three ways in which the start of a process or of a stream was once misunderstood, each at its own
// level: random histories found them, and their corpus files need a whole history each.
#include "core/base/mark_list.hpp"
#include "core/runtime/process_record.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::TypeId;

/// Sees a supervisor take a call, whose answer then comes too late: the caller is told of a
/// timeout, and the child runs.
class LostAnswer final : public runtime::RuntimeObserver {
 public:
  /// Of the next call to the process of this name.
  void arm(std::string callee) { callee_ = std::move(callee); }
  bool lost() const { return lost_; }

  void taken(const runtime::ProcessRecord& receiver, const runtime::Envelope& message) override {
    if (callee_.empty() || receiver.options.registered_name != callee_ || !message.call) return;
    callee_.clear();
    runtime_ = &receiver.home;
    caller_ = message.call.caller();
    call_ = message.call.call_id();
  }
  void started(const runtime::ProcessRecord&) override {}
  void ended(const runtime::ProcessRecord&, const runtime::ExitReason&) override {}
  void queued(const runtime::ProcessRecord&, const runtime::Envelope&) override {}
  void answered(const runtime::ProcessRecord&, const runtime::ExitReason*) override {}
  void interrupted(const runtime::ProcessRecord&, const runtime::ExitReason&) override {}
  void table_used(const std::string&, runtime::TableUse) override {}

  /// Between two steps.
  void act() {
    if (runtime_ == nullptr) return;
    runtime::Signal signal;
    signal.kind = runtime::SignalKind::reply;
    signal.to = caller_;
    signal.reference = call_;
    signal.reason = runtime::ExitReason::timeout();
    std::exchange(runtime_, nullptr)->apply(std::move(signal));
    lost_ = true;
  }

 private:
  std::string callee_;
  runtime::Runtime* runtime_ = nullptr;
  runtime::ProcessId caller_;
  std::uint64_t call_ = 0;
  bool lost_ = false;
};

/// Outlives the engine, which it observes to its end.
struct Observed {
  LostAnswer answer_;
};

class LostStart : public ::testing::Test, public Observed, public test::WholeEngine {
 protected:
  LostStart() {
    create_table("items", {{"id", TypeId::int8, true, 1}});
    write({insert("items", {{"id", "1"}})});
    observer_ = &answer_;
    executor_.on_step([this](const sim::StepInfo&) { answer_.act(); });
  }
  /// The log from the beginning has each of the rows once.
  void expect_rows(const std::vector<std::string>& ids) {
    std::string log;
    std::string rest = "&offset=-1";
    for (;;) {
      const protocol::Response answer = ask("/v1/shape?table=items" + rest);
      ASSERT_EQ(answer.status, 200) << answer.body;
      log += answer.body;
      if (answer.header("electric-up-to-date") != nullptr) break;
      rest = "&offset=" + *answer.header("electric-offset") +
             "&handle=" + *answer.header("electric-handle");
    }
    std::size_t inserts = 0;
    for (std::size_t at = 0; (at = log.find(R"("operation":"insert")", at)) != std::string::npos;
         ++at)
      ++inserts;
    EXPECT_EQ(inserts, ids.size()) << log;
    for (const std::string& id : ids)
      EXPECT_NE(log.find("\\\"items\\\"/\\\"" + id + "\\\""), std::string::npos) << log;
  }
  /// A shape whose maker was not told that this supervisor's child runs, and what comes after.
  void expect_a_whole_shape_without_the_answer_of(const std::string& supervisor) {
    start();
    answer_.arm(supervisor);
    expect_rows({"1"});
    EXPECT_TRUE(answer_.lost());
    pass(std::chrono::seconds(60));
    write({insert("items", {{"id", "2"}})});
    pass(std::chrono::seconds(5));
    expect_rows({"1", "2"});
  }
};

// 23e758e: the collector adopted it later, having taken its messages for a stranger's.
TEST_F(LostStart, AConsumerThatRunsUnheardIsNotAdopted) {
  expect_a_whole_shape_without_the_answer_of(names::consumers.text);
}

// 446fc6d: the consumer began a second snapshot, and both were completed.
TEST_F(LostStart, ASnapshotThatRunsUnheardIsNotBegunTwice) {
  expect_a_whole_shape_without_the_answer_of(names::snapshotters.text);
}

// 80e77f2: a snapshot that was taken too early kept its session until the stream was further, and
// the stream comes up with a session.
TEST_F(LostStart, WhoWaitsForTheStreamHoldsNoSession) {
  engine_.stack.connection_pool_size = 1;
  create_table("others", {{"id", TypeId::int8, true, 1}});
  start();
  ASSERT_EQ(ask("/v1/shape?table=others&offset=-1").status, 200);
  write({insert("others", {{"id", "1"}})});
  pass(std::chrono::seconds(5));
  // What the next collector has to see again first: until then each snapshot is too early.
  instance_->handle(test::request("/v1/shape?table=items&offset=-1"),
                    [](const protocol::Response&) {});
  until([&] { return process("snapshotter").has_value(); });
  runtime().send_exit(runtime().whereis(names::shape_log_collector.text),
                      runtime::ExitReason::killed());
  postgres_.disconnect_all();
  expect_rows({"1"});
  EXPECT_TRUE(reached(Mark::snapshot_retaken)) << "otherwise nobody waited";
}

}  // namespace
}  // namespace holdfast::stack
