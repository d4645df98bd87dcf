// A TRUNCATE that a shape finds in its buffer, when its snapshot is complete, ends it, whatever
// comes behind. It gets there where a snapshot has given up its table and its rows are not stored
// yet: asynchronous commits were to be flushed, and the store takes its time.
#include "core/base/mark_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TypeId;

class BufferedTruncate : public ::testing::Test, public test::WholeEngine {
 protected:
  void SetUp() override {
    engine_.stack.store.inline_snapshot_bytes = 1;  // so the rows go to a file
    create_table("items", {{"id", TypeId::int8, true, 1}});
    write({insert("items", {{"id", "1"}})});
    start();
    executor_.on_step([this](const sim::StepInfo& step) {
      published_ = published_ || step.label.text == "snapshot.published";
      if (step.label.text != "StoreProcess::finish_spill" || std::exchange(stored_, true)) return;
      executor_.stall(*step.instance, runtime().whereis(names::store.text),
                      std::chrono::seconds(5));
    });
  }
  /// One commit that is visible and not flushed: the snapshot flushes it, and gives up its table.
  void write_asynchronously(const Statement& statement) {
    const sim::postgres::Session session = postgres_.begin();
    ASSERT_EQ(postgres_.execute(session, statement).outcome, sim::postgres::ExecuteOutcome::ok);
    postgres_.log_commit(session, sim::postgres::Synchronous::off);
    postgres_.show_commit(session);
  }

  bool published_ = false;
  bool stored_ = false;
};

TEST_F(BufferedTruncate, EndsTheShapeThoughAnotherTransactionFollows) {
  std::optional<protocol::Response> answer;
  instance_->handle(test::request("/v1/shape?table=items&offset=-1"),
                    [&](protocol::Response made) { answer = std::move(made); });
  until([&] { return published_; });
  write_asynchronously(insert("items", {{"id", "2"}}));
  until([&] { return stored_; });
  write({Statement{StatementKind::truncate, {"public", "items"}, {}, {}, {}}});
  write({insert("items", {{"id", "3"}})});
  until([&] { return answer.has_value(); });
  EXPECT_TRUE(reached(Mark::shape_removed_by_truncate));
  EXPECT_EQ(answer->body.find(R"("id":"1")"), std::string::npos) << answer->body;
  EXPECT_NE(answer->body.find(R"("id":"3")"), std::string::npos) << answer->body;
}

}  // namespace
}  // namespace holdfast::stack
