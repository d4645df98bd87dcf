// A transaction in fragments goes on to a shape with subqueries as it comes. Whoever dies in the
// middle of it, each row is in the shape's log once afterwards, and none is missing.
#include <algorithm>

#include "core/base/mark_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::Statement;
using sim::postgres::TypeId;

class LargeTransaction : public ::testing::Test, public test::WholeEngine {
 protected:
  static constexpr int k_tasks = 300;      ///< of the transaction
  static constexpr unsigned k_before = 6;  ///< fragments that the shape was given by then

  LargeTransaction() {
    engine_.stack.fragment_bytes = 500;
    engine_.stack.quarantine_retry = std::chrono::seconds(20);
    create_table("projects", {{"id", TypeId::int8, true, 1}});
    create_table("tasks", {{"id", TypeId::int8, true, 1}, {"project", TypeId::int8}});
    write({project(1), task(1, 1), task(2, 2), task(3, 3)});
    start();
    read();
    pass(std::chrono::seconds(1));
    executor_.on_step([this](const sim::StepInfo& step) {
      if (step.label.text != "Consumer::deliver" || step.path.find(consumer()) == std::string::npos)
        return;
      ++given_;
      if (poisoned_) step.instance->kill(step.process);
    });
  }

  std::string consumer() const { return "/consumer[" + handle_ + "]"; }
  /// Another project comes in the middle of many tasks; then it is under way.
  void begin() {
    std::vector<Statement> statements;
    for (int i = 0; i < k_tasks; ++i) {
      if (i == k_tasks / 2) statements.push_back(project(2));
      statements.push_back(task(100 + i, 1 + i % 3));
    }
    given_ = 0;
    write(statements);
    until([&] { return given_ >= k_before; });
    EXPECT_TRUE(reached(Mark::fragment_given_to_subquery_shape));
  }
  void expect_each_row_once() {
    pass(std::chrono::seconds(60));
    write({task(1'000, 2)});
    pass(std::chrono::seconds(5));
    read();
    std::vector<int> expected = {1, 2, 1'000};
    for (int i = 0; i < k_tasks; ++i)
      if (i % 3 != 2) expected.push_back(100 + i);
    std::vector<int> found = inserted();
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
  }

  void read() {
    for (;;) {
      const std::string known = handle_.empty() ? "" : "&handle=" + handle_;
      const auto answer =
          ask("/v1/shape?table=tasks&where=project+IN+(SELECT+id+FROM+projects)&offset=" + offset_ +
              known);
      ASSERT_EQ(answer.status, 200) << answer.body;
      log_ += answer.body;
      handle_ = *answer.header("electric-handle");
      offset_ = *answer.header("electric-offset");
      if (answer.header("electric-up-to-date") != nullptr) return;
    }
  }
  /// Keys that the log inserts.
  std::vector<int> inserted() const {
    std::vector<int> ids;
    constexpr std::string_view k_key = R"(\"tasks\"/\")";
    for (std::size_t at = 0; (at = log_.find(k_key, at)) != std::string::npos; ++at)
      ids.push_back(std::stoi(log_.substr(at + k_key.size())));
    return ids;
  }
  static Statement task(int id, int of) {
    return insert("tasks", {{"id", std::to_string(id)}, {"project", std::to_string(of)}});
  }
  static Statement project(int id) { return insert("projects", {{"id", std::to_string(id)}}); }

  std::string handle_;
  std::string offset_ = "-1";
  std::string log_;
  unsigned given_ = 0;
  bool poisoned_ = false;
};

TEST_F(LargeTransaction, IsTakenInParts) {
  begin();
  expect_each_row_once();
  EXPECT_GT(given_, 2 * k_before);
}

TEST_F(LargeTransaction, GoesOnWithAnotherConsumer) {
  begin();
  bool killed = false;
  for (const runtime::ProcessInfo& info : runtime().processes())
    if (info.path.find(consumer()) != std::string::npos) {
      runtime().send_exit(info.id, runtime::ExitReason::killed());
      killed = true;
    }
  EXPECT_TRUE(killed);
  expect_each_row_once();
}

TEST_F(LargeTransaction, ComesAgainToAnotherCollector) {
  begin();
  runtime().send_exit(runtime().whereis(names::shape_log_collector.text),
                      runtime::ExitReason::killed());
  expect_each_row_once();
  EXPECT_TRUE(reached(Mark::unfinished_transaction_cut)) << "otherwise nothing was to be cut";
}

TEST_F(LargeTransaction, ComesAgainToTheNextInstance) {
  begin();
  instance_->kill();
  start();
  expect_each_row_once();
}

TEST_F(LargeTransaction, IsSetAsideWholeWhereItsConsumerDiesOfAPart) {
  begin();
  poisoned_ = true;
  until([&] { return reached(Mark::shape_quarantined); });
  pass(std::chrono::seconds(10));
  EXPECT_TRUE(reached(Mark::shape_quarantined_in_transaction));
  poisoned_ = false;
  expect_each_row_once();
  EXPECT_TRUE(reached(Mark::quarantine_ended));
}

// What waits for a splice is parts of it.
TEST_F(LargeTransaction, WaitsInPartsWhileAQueryIsUnderWay) {
  engine_.stack.store.inline_snapshot_bytes = 1'000;
  instance_->kill();
  start();
  postgres_.slow_queries(executor_.now() + std::chrono::seconds(20));
  write({project(3)});
  until([&] { return process("mover").has_value(); });
  begin();
  instance_->kill();
  start();
  pass(std::chrono::seconds(60));
  read();
  std::vector<int> found = inserted();
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found.size(), 3U + k_tasks);
  EXPECT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
  EXPECT_TRUE(reached(Mark::restored_while_moving));
}

}  // namespace
}  // namespace holdfast::stack
