// A model with a table, a publication and a streaming session, without a runtime: waits run steps
// that the test queued, or move the model's own clock to the deadline.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "sim/postgres/model.hpp"
#include "tests/postgres_model/stream_text.hpp"

namespace holdfast::test {

using namespace holdfast::sim::postgres;  // NOLINT: the tests are about nothing else

inline const RelationName k_items{"public", "items"};

class ModelTest : public ::testing::Test {
 protected:
  void make_model(ModelOptions options = {}) {
    ModelHooks hooks;
    hooks.pause = [this](const char* label, std::uint64_t, std::uint64_t) {
      if (on_pause) on_pause(label);
    };
    hooks.wait = [this](const char*, Instant deadline,
                        const std::function<void(runtime::Wakeup)>& start) {
      start(runtime::Wakeup{});
      if (!while_waiting.empty()) {
        auto step = std::move(while_waiting.front());
        while_waiting.pop_front();
        step();
        return runtime::Woken::fired;
      }
      if (deadline == Instant::never()) throw WaitsForEver{};
      model->move_time(deadline - now);
      now = deadline;
      return runtime::Woken::deadline;
    };
    model = std::make_unique<PostgresModel>(options, hooks);
  }

  void SetUp() override { make_model(); }

  static TableDefinition items() {
    TableDefinition table;
    table.name = k_items;
    table.columns = {{"id", TypeId::int4, true, 1, 0}, {"name", TypeId::text, false, 0, 0}};
    return table;
  }

  /// The table, in publication "pub" with REPLICA IDENTITY FULL.
  void publish_items() {
    model->create_table(items());
    auto session = connect();
    auto lock = connect_replication();
    ASSERT_TRUE(lock->ensure_publication("pub").ok());
    ASSERT_TRUE(lock->ensure_slot("first").ok());  // which commits the publication
    ASSERT_TRUE(model->drop_slot("first"));
    ASSERT_TRUE(session->publish("pub", k_items).ok());
  }

  std::unique_ptr<env::QuerySession> connect() { return model->database(0).connect().value(); }
  std::unique_ptr<env::ReplicationSession> connect_replication() {
    return model->database(0).connect_replication().value();
  }
  std::unique_ptr<env::ReplicationSession> stream() {
    auto session = connect_replication();
    EXPECT_TRUE(session->ensure_slot("slot").ok());
    const auto started = session->start_streaming("slot", "pub");
    EXPECT_TRUE(started.ok());
    return session;
  }

  /// Everything that is there now.
  StreamTeller& receive(env::ReplicationSession& session) {
    while (true) {
      const auto messages = session.receive(now);
      EXPECT_TRUE(messages.ok());
      if (!messages.ok() || messages->empty()) return teller;
      for (const std::string& message : *messages) teller.tell(message);
    }
  }

  static Statement insert(int id, std::optional<std::string> name) {
    return {StatementKind::insert, k_items, {{"id", std::to_string(id)}, {"name", name}}, {}, {}};
  }
  static Statement update(int id, std::optional<std::string> name) {
    return {StatementKind::update, k_items, {{"name", name}}, {{"id", std::to_string(id)}}, {}};
  }
  static Statement erase(int id) {
    return {StatementKind::erase, k_items, {}, {{"id", std::to_string(id)}}, {}};
  }
  static Statement truncate() { return {StatementKind::truncate, k_items, {}, {}, {}}; }

  void must(Session session, const Statement& statement) {
    const ExecuteResult result = model->execute(session, statement);
    ASSERT_EQ(result.outcome, ExecuteOutcome::ok) << result.error.message;
  }
  CommitResult run(const std::vector<Statement>& statements,
                   Synchronous synchronous = Synchronous::on) {
    const Session session = model->begin();
    for (const Statement& statement : statements) must(session, statement);
    return model->commit(session, synchronous);
  }

  /// Ids of the rows of `items` in a query under a fresh snapshot.
  std::string names(const std::string& condition = "") {
    auto session = connect();
    auto read = session->begin_snapshot(k_items).value();
    return names(*read, condition);
  }
  static std::string names(env::SnapshotRead& read, const std::string& condition = "") {
    const auto started = read.start({k_items, {"name"}, condition});
    if (!started.ok()) return started.error().sqlstate;
    std::string all;
    while (true) {
      const auto batch = read.next();
      if (!batch.ok() || batch->rows() == 0) return all;
      for (std::size_t i = 0; i < batch->rows(); ++i)
        all +=
            std::string(all.empty() ? "" : ",") + std::string(batch->cell(i, 0).value_or("NULL"));
    }
  }

  /// A snapshot whose transaction does not hold `items`, so that it can be truncated under it.
  std::unique_ptr<env::SnapshotRead> begin_beside_items(env::QuerySession& session_of) {
    const RelationName bystander{"public", "bystander"};
    if (!model->describe(bystander)) model->create_table({bystander, items().columns});
    return session_of.begin_snapshot(bystander).value();
  }

  /// Names by id as the oracle would ask for them.
  RowMap truth(const VisibleSet& visible, const std::string& condition = "") {
    const auto rows = model->rows(k_items, {"name"}, condition, visible);
    EXPECT_TRUE(rows.ok());
    return rows.ok() ? *rows : RowMap{};
  }

  struct WaitsForEver {};
  Instant now{};
  std::function<void(const char*)> on_pause;
  std::deque<std::function<void()>> while_waiting;
  std::unique_ptr<PostgresModel> model;
  StreamTeller teller;
};

}  // namespace holdfast::test
