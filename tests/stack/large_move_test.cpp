// Rows that a query brings in are held up to a bound; the rest waits in the store. What clients
// read is what they would read if all had been held.
#include "core/base/mark_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TypeId;

class LargeMove : public ::testing::Test, public test::WholeEngine {
 protected:
  static constexpr unsigned k_rows = 2'000;
  static constexpr const char* k_shape =
      "/v1/shape?table=tasks&where=project+IN+(SELECT+id+FROM+projects)";

  /// All tasks are of a project that is still to come, but for the first.
  void fill(const char* project) {
    create_table("projects", {{"id", TypeId::int8, true, 1}});
    create_table("tasks", {{"id", TypeId::int8, true, 1}, {"project", TypeId::int8}});
    std::vector<Statement> rows = {insert("projects", {{"id", "1"}}),
                                   insert("tasks", {{"id", "0"}, {"project", "1"}})};
    for (unsigned id = 1; id <= k_rows; ++id)
      rows.push_back(insert("tasks", {{"id", std::to_string(id)}, {"project", project}}));
    write(rows);
  }
  /// From the beginning, or from where it ended, to the end; bodies one after the other.
  std::string read() {
    std::string bodies;
    for (;;) {
      const protocol::Response answer = ask(std::string(k_shape) + "&offset=" + offset_ +
                                            (handle_.empty() ? "" : "&handle=" + handle_));
      EXPECT_EQ(answer.status, 200) << answer.body;
      if (answer.status != 200) return bodies;
      bodies += answer.body;
      handle_ = *answer.header("electric-handle");
      offset_ = *answer.header("electric-offset");
      if (answer.header("electric-up-to-date") != nullptr) return bodies;
    }
  }
  static std::size_t count(const std::string& text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      found++;
    return found;
  }
  /// The whole log after a move of all rows, with the transactions before and after it.
  std::string log_of_a_large_move(std::uint64_t inline_bytes, bool restarts = false) {
    engine_.stack.store.inline_snapshot_bytes = inline_bytes;
    engine_.stack.store.chunk_bytes = 20'000;
    fill("2");
    start();
    std::string log = read();
    write({insert("projects", {{"id", "2"}})});
    // The splice waits for what came while the query ran.
    until([&] { return process("mover").has_value(); });
    write({insert("tasks", {{"id", "5000"}, {"project", "1"}})});
    pass(std::chrono::seconds(5));
    write({insert("tasks", {{"id", "5001"}, {"project", "2"}})});
    pass(std::chrono::seconds(5));
    if (restarts) {
      instance_->kill();
      start();
    }
    return log + read();
  }

  /// The whole log after a move whose query takes long, with what was written meanwhile: many
  /// small transactions, and one that is more than one piece.
  std::string log_of_a_long_move(std::uint64_t inline_bytes, bool restarts = false) {
    engine_.stack.store.inline_snapshot_bytes = inline_bytes;
    engine_.stack.store.chunk_bytes = 20'000;
    fill("2");
    start();
    std::string log = read();
    postgres_.slow_queries(executor_.now() + std::chrono::seconds(30));
    write({insert("projects", {{"id", "2"}})});
    until([&] { return process("mover").has_value(); });
    unsigned id = 10'000;
    const auto row = [&] {
      const unsigned made = id++;
      return insert("tasks",
                    {{"id", std::to_string(made)}, {"project", made % 3 == 0 ? "1" : "2"}});
    };
    for (unsigned i = 0; i < 60; ++i) {
      write({row(), row(), row()});
      pass(std::chrono::milliseconds(100));
    }
    std::vector<Statement> many;
    for (unsigned i = 0; i < 500; ++i) many.push_back(row());
    write(many);
    EXPECT_TRUE(process("mover").has_value()) << "the query is still under way";
    pass(std::chrono::seconds(1));
    if (restarts) {
      instance_->kill();
      start();
    }
    pass(std::chrono::seconds(90));
    write({row()});
    pass(std::chrono::seconds(5));
    return log + read();
  }

  /// The connections break once something was spilled.
  void fail_after_the_first_piece() {
    executor_.on_step([this](const sim::StepInfo& step) {
      const bool spilled = step.label.text == "StoreProcess::spill";
      if (!failed_ && std::exchange(spilling_, spilling_ || spilled)) {
        failed_ = true;
        postgres_.disconnect_all();
      }
    });
  }

  std::string handle_;
  std::string offset_ = "-1";
  bool spilling_ = false;
  bool failed_ = false;
};

TEST_F(LargeMove, IsReadAsIfItsRowsHadBeenHeld) {
  const std::string spilled = log_of_a_large_move(1'000);
  EXPECT_TRUE(reached(Mark::move_spilled_to_segment));
  EXPECT_EQ(count(spilled, "\"operation\":\"insert\""), k_rows + 3);
  struct Held : LargeMove {
    void TestBody() override {}
    using LargeMove::log_of_a_large_move;
    using LargeMove::reached;
  } held;
  EXPECT_EQ(held.log_of_a_large_move(256U << 10), spilled);
  EXPECT_FALSE(held.reached(Mark::move_spilled_to_segment)) << "otherwise nothing was compared";
}

TEST_F(LargeMove, WhatWaitedForItIsReadAsIfItHadBeenHeld) {
  const std::string spilled = log_of_a_long_move(1'000);
  EXPECT_TRUE(reached(Mark::waiting_input_read_back));
  EXPECT_TRUE(reached(Mark::splice_spilled_to_segment));
  EXPECT_EQ(count(spilled, "\"operation\":\"insert\""), k_rows + 1 + 181 + 500);
  struct Held : LargeMove {
    void TestBody() override {}
    using LargeMove::log_of_a_long_move;
    using LargeMove::reached;
  } held;
  EXPECT_EQ(held.log_of_a_long_move(256U << 10), spilled);
  EXPECT_FALSE(held.reached(Mark::waiting_input_read_back)) << "otherwise nothing was compared";
}

TEST_F(LargeMove, WhatWaitedForItIsThereAfterAKill) {
  const std::string log = log_of_a_long_move(1'000, true);
  EXPECT_TRUE(reached(Mark::restored_while_moving));
  EXPECT_EQ(count(log, "\"operation\":\"insert\""), k_rows + 1 + 181 + 500);
}

TEST_F(LargeMove, IsThereAfterAKill) {
  const std::string log = log_of_a_large_move(1'000, true);
  EXPECT_EQ(count(log, "\"operation\":\"insert\""), k_rows + 3);
}

TEST_F(LargeMove, WhoseQueryFailsInTheMiddleHasNoRowTwice) {
  engine_.stack.store.inline_snapshot_bytes = 1'000;
  fill("2");
  start();
  std::string log = read();
  fail_after_the_first_piece();
  write({insert("projects", {{"id", "2"}})});
  pass(std::chrono::seconds(60));
  EXPECT_TRUE(failed_);
  log += read();
  EXPECT_EQ(count(log, "\"operation\":\"insert\""), k_rows + 1);
}

TEST_F(LargeMove, AFirstSnapshotWhoseQueryFailsInTheMiddleHasNoRowTwice) {
  engine_.stack.store.inline_snapshot_bytes = 1'000;
  fill("1");
  start();
  fail_after_the_first_piece();
  const std::string log = read();
  EXPECT_TRUE(failed_);
  EXPECT_EQ(count(log, "\"operation\":\"insert\""), k_rows + 1);
  for (unsigned id = 0; id <= k_rows; ++id)
    EXPECT_EQ(count(log, "\"id\":\"" + std::to_string(id) + "\""), 1U) << id;
}

}  // namespace
}  // namespace holdfast::stack
