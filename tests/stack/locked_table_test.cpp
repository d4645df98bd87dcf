// A snapshot that waits behind somebody's lock: who asked for it is told in time, in the words that
// clients know (http-api.md §23.3), the shape lives on, and the next request after the lock is
// served. Before, they waited for a minute, and were told something else.
#include "core/base/mark_list.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::StatementKind;
using sim::postgres::TypeId;

constexpr const char* k_table_lock =
    R"({"message":"Snapshot timed out while waiting for a table lock"})";
constexpr const char* k_too_slow =
    R"({"message":"Snapshot query took too long to return data (cancelled after 30000ms). Please )"
    R"(ensure snapshot queries are using an index to avoid taking up all database connections."})";

class LockedTable : public ::testing::Test, public test::WholeEngine {
 protected:
  struct Asked {
    Instant at;
    std::optional<protocol::Response> answer = {};
    Duration took = {};
  };

  LockedTable() {
    create_items();
    create_table("others", {{"id", TypeId::int8, true, 1}});
    start();
  }

  /// A transaction that has done this and is open.
  sim::postgres::Session open(const sim::postgres::Statement& statement) {
    const sim::postgres::Session session = postgres_.begin();
    EXPECT_EQ(postgres_.execute(session, statement).outcome, sim::postgres::ExecuteOutcome::ok);
    return session;
  }
  static sim::postgres::Statement truncate(const char* table) {
    sim::postgres::Statement statement;
    statement.kind = StatementKind::truncate;
    statement.table = {"public", table};
    return statement;
  }
  std::shared_ptr<Asked> send(const std::string& target) {
    auto asked = std::make_shared<Asked>(Asked{executor_.now()});
    instance_->handle(test::request(target), [this, asked](protocol::Response response) {
      asked->answer = std::move(response);
      asked->took = executor_.now() - asked->at;
    });
    return asked;
  }
  void expect_told(const Asked& asked, const char* body, Duration at_most) {
    until([&] { return asked.answer.has_value(); });
    EXPECT_EQ(asked.answer->status, 503);
    EXPECT_EQ(asked.answer->body, body);
    EXPECT_LE(asked.took, at_most);
    const auto header = [&](const char* name) {
      const std::string* value = asked.answer->header(name);
      return value == nullptr ? std::string("none") : *value;
    };
    EXPECT_EQ(header("retry-after"), "10");
    EXPECT_EQ(header("electric-internal-known-error"), "true");
    EXPECT_EQ(header("cache-control"), "no-store");
  }

  static constexpr Duration k_lock = std::chrono::seconds(5) + std::chrono::milliseconds(200);
  static constexpr Duration k_slow = std::chrono::seconds(30) + std::chrono::milliseconds(200);
};

TEST_F(LockedTable, WhoWaitsForItsPublicationIsToldAfterFiveSeconds) {
  const auto writer = open(insert("items", {{"id", "2"}}));
  expect_told(*send("/v1/shape?table=items&offset=-1"), k_table_lock, k_lock);
  EXPECT_TRUE(reached(Mark::snapshot_delay_told));
  postgres_.rollback(writer);
  const auto next = ask("/v1/shape?table=items&offset=-1");
  EXPECT_EQ(next.status, 200) << next.body;
}

// One statement after the other waits for the lock, each as long as it may.
TEST_F(LockedTable, ManyShapesOfItAreToldAtOnce) {
  const auto writer = open(insert("items", {{"id", "2"}}));
  std::vector<std::shared_ptr<Asked>> all;
  for (int id = 0; id < 5; ++id)
    all.push_back(send("/v1/shape?table=items&where=id%3E" + std::to_string(id) + "&offset=-1"));
  for (const auto& asked : all) expect_told(*asked, k_table_lock, k_lock);
  postgres_.rollback(writer);
}

TEST_F(LockedTable, SoIsWhoReadsItInASubquery) {
  const auto writer = open(insert("items", {{"id", "2"}}));
  expect_told(
      *send("/v1/shape?table=others&where=id%20IN%20(SELECT%20id%20FROM%20items)&offset=-1"),
      k_table_lock, k_lock);
  postgres_.rollback(writer);
}

TEST_F(LockedTable, WhatWasServedBeforeIsServed) {
  const auto first = ask("/v1/shape?table=items&offset=-1");
  ASSERT_EQ(first.status, 200);
  const auto locker = open(truncate("items"));
  const auto refused = send("/v1/shape?table=items&where=id%3E0&offset=-1");
  const auto held =
      send("/v1/shape?table=items&live=true&offset=0_0&handle=" + *first.header("electric-handle"));
  until([&] { return held->answer.has_value(); });
  EXPECT_EQ(held->answer->status, 200);
  EXPECT_EQ(ask("/v1/shape?table=items&offset=-1").status, 200);
  expect_told(*refused, k_too_slow, k_slow);
  postgres_.rollback(locker);
}

TEST_F(LockedTable, WhoWaitsForItsRowsIsToldAfterThirtySeconds) {
  ASSERT_EQ(ask("/v1/shape?table=items&offset=-1").status, 200);
  const auto locker = open(truncate("items"));
  const auto other = send("/v1/shape?table=others&offset=-1");
  expect_told(*send("/v1/shape?table=items&where=id%3E0&offset=-1"), k_too_slow, k_slow);
  EXPECT_EQ(other->answer.value_or(protocol::Response{}).status, 200);
  postgres_.rollback(locker);
  EXPECT_EQ(ask("/v1/shape?table=items&where=id%3E0&offset=-1").status, 200);
}

// 503 for a lock says nothing of a shape whose snapshot takes long for another reason.
TEST_F(LockedTable, AQueryThatIsTooSlowDelaysItsOwnShapeOnly) {
  ASSERT_EQ(ask("/v1/shape?table=items&offset=-1").status, 200);
  ASSERT_EQ(ask("/v1/shape?table=others&offset=-1").status, 200);
  const auto locker = open(truncate("items"));
  const auto refused =
      send("/v1/shape?table=others&where=id%20IN%20(SELECT%20id%20FROM%20items)&offset=-1");
  EXPECT_EQ(ask("/v1/shape?table=others&where=id%3E0&offset=-1").status, 200);
  expect_told(*refused, k_too_slow, k_slow);
  postgres_.rollback(locker);
}

}  // namespace
}  // namespace holdfast::stack
