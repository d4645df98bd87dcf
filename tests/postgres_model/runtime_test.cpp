// The model on the real runtime: calls suspend, kills unwind out of every one of them and leave no
// session behind, and the same seed gives the same run.
#include <gtest/gtest.h>

#include "core/base/hash.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "tests/postgres_model/stream_text.hpp"
#include "tests/runtime/test_processes.hpp"

namespace holdfast::test {
namespace {

using namespace sim::postgres;  // NOLINT: the tests are about nothing else

const RelationName k_table{"public", "items"};

/// One engine instance with a streaming and a querying process, and a workload of four writers.
class World {
 public:
  explicit World(std::uint64_t seed)
      : executor({.seed = seed, .strategy = std::make_unique<sim::UniformRandomStrategy>(seed)}),
        model(options(),
              runtime_hooks(executor.clock(), executor.random(),
                            {std::chrono::microseconds(10), std::chrono::milliseconds(1)})),
        engine({.root = "engine"}, executor, std::make_shared<runtime::Directory>()),
        workload({.root = "workload"}, executor, std::make_shared<runtime::Directory>()) {
    TableDefinition table;
    table.name = k_table;
    table.columns = {{"id", TypeId::int4, true, 1, 0}, {"name", TypeId::text, false, 0, 0}};
    model.create_table(std::move(table));
  }

  static ModelOptions options() {
    ModelOptions options;
    options.ragged_receive_percent = 50;
    options.mid_transaction_keepalive_percent = 50;
    return options;
  }

  void start_engine() {
    streamer = start(engine, "streamer", [this](Scripted& me) { stream(me); }).id;
    reader = start(engine, "reader", [this](Scripted& me) { read(me); }).id;
  }

  void start_writers() {
    for (int writer = 0; writer < 4; ++writer)
      start(workload, "writer" + std::to_string(writer),
            [this, writer](Scripted& me) { write(me, writer); });
  }

  void stream(Scripted& me) {
    auto session = model.database(0).connect_replication();
    if (!session.ok()) return;
    env::ReplicationSession& stream = **session;
    if (!stream.identify_system().ok() || !stream.settings().ok()) return;
    if (!stream.acquire_lock("slot").ok() || !stream.ensure_publication("pub").ok()) return;
    if (!stream.ensure_slot("slot").ok() || !stream.start_streaming("slot", "pub").ok()) return;
    while (true) {
      const auto messages = stream.receive(me.now() + std::chrono::seconds(1));
      if (!messages.ok()) return;
      for (const std::string& message : *messages) {
        teller.tell(message);
        received.add(message);
      }
      const Lsn end{teller.end_lsns.empty() ? 0 : teller.end_lsns.back()};
      if (!stream.send_status(end, end).ok()) return;
    }
  }

  void read(Scripted&) {
    while (true) {
      auto session = model.database(0).connect();
      if (!session.ok()) return;
      (void)(*session)->publish("pub", k_table);
      auto read = (*session)->begin_snapshot(k_table);
      if (!read.ok()) return;
      if (!(*read)->start({k_table, {"id", "name"}, "id < 100 AND name LIKE 'w%'"}).ok()) return;
      while (true) {
        const auto batch = (*read)->next();
        if (!batch.ok()) return;
        if (batch->rows() == 0) break;
        rows_read += batch->rows();
      }
    }
  }

  void write(Scripted& me, int writer) {
    for (int i = 0; i < 20; ++i) {
      const Session session = model.begin();
      const Statement insert{StatementKind::insert,
                             k_table,
                             {{"id", std::to_string(writer * 100 + i)}, {"name", "w"}},
                             {},
                             {}};
      while (model.execute(session, insert).outcome == ExecuteOutcome::blocked)
        me.sleep(std::chrono::milliseconds(1));
      me.sleep(std::chrono::milliseconds(1));
      committed += model.commit(session, i % 2 == 0 ? Synchronous::on : Synchronous::off).committed;
    }
  }

  sim::SimulatedExecutor executor;
  PostgresModel model;
  runtime::Runtime engine;
  runtime::Runtime workload;
  runtime::ProcessId streamer;
  runtime::ProcessId reader;
  StreamTeller teller;
  RollingHash received;
  std::size_t rows_read = 0;
  unsigned committed = 0;
};

TEST(ModelOnRuntime, EveryCommitAfterPublishingIsStreamedOnce) {
  World world(1);
  world.start_engine();
  world.executor.run_for(std::chrono::milliseconds(500));
  world.start_writers();
  world.executor.run_for(std::chrono::seconds(5));
  EXPECT_EQ(world.committed, 80U);
  EXPECT_EQ(world.teller.final_lsns.size(), 80U);
  EXPECT_TRUE(std::is_sorted(world.teller.final_lsns.begin(), world.teller.final_lsns.end()));
  EXPECT_GT(world.rows_read, 0U);
  EXPECT_EQ(world.model.slot("slot")->confirmed_flush.value, world.teller.end_lsns.back());
  world.model.disconnect_all();
  world.executor.run_for(std::chrono::seconds(1));
}

TEST(ModelOnRuntime, TheSameSeedGivesTheSameBytes) {
  const auto run = [](std::uint64_t seed) {
    World world(seed);
    world.start_engine();
    world.start_writers();
    world.executor.run_for(std::chrono::milliseconds(400));
    world.model.disconnect_all();
    world.executor.run_for(std::chrono::milliseconds(50));
    return world.received.value();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(ModelOnRuntime, AKillAtAnyMomentLeavesNoSessionBehind) {
  for (int moment = 0; moment < 60; ++moment) {
    World world(3);
    world.start_engine();
    world.start_writers();
    world.executor.run_for(std::chrono::microseconds(137 * moment));
    world.engine.kill(world.streamer);
    world.engine.kill(world.reader);
    world.executor.run_for(std::chrono::milliseconds(5));
    EXPECT_EQ(world.model.connected_backends(), 0U) << "killed after moment " << moment;
    EXPECT_FALSE(world.model.lock_holder("slot").has_value());
    world.executor.run_for(std::chrono::seconds(5));
    EXPECT_EQ(world.committed, 80U) << "writers are not held up by locks of the dead";
  }
}

}  // namespace
}  // namespace holdfast::test
