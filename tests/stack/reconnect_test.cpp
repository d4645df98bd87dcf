// How long the engine waits before it connects again: attempts at a stream that is refused back
// off, whatever went well before it, and a session that has streamed for a while ends that.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/api/engine.hpp"
#include "sim/disk/mount.hpp"
#include "sim/disk/sim_disk.hpp"
#include "sim/postgres/model.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "sim/scheduler/simulated_worker.hpp"

namespace holdfast::stack {
namespace {

using env::DatabaseError;
using env::DatabaseFailure;
using env::DatabaseResult;

struct Refusals {
  std::optional<DatabaseError> stream;  ///< what START_REPLICATION is answered
  std::vector<Instant> attempts;        ///< to connect
};

class Session final : public env::ReplicationSession {
 public:
  Session(std::unique_ptr<ReplicationSession> session, const Refusals& refusals)
      : session_(std::move(session)), refusals_(refusals) {}
  DatabaseResult<env::SystemIdentity> identify_system() override {
    return session_->identify_system();
  }
  DatabaseResult<env::ServerSettings> settings() override { return session_->settings(); }
  DatabaseResult<void> acquire_lock(const std::string& name) override {
    return session_->acquire_lock(name);
  }
  DatabaseResult<bool> ensure_publication(const std::string& publication) override {
    return session_->ensure_publication(publication);
  }
  DatabaseResult<void> drop_slot(const std::string& slot) override {
    return session_->drop_slot(slot);
  }
  DatabaseResult<env::SlotState> ensure_slot(const std::string& slot) override {
    return session_->ensure_slot(slot);
  }
  DatabaseResult<void> start_streaming(const std::string& slot,
                                       const std::string& publication) override {
    if (refusals_.stream) return Failure{*refusals_.stream};
    return session_->start_streaming(slot, publication);
  }
  DatabaseResult<std::vector<std::string>> receive(Instant deadline) override {
    return session_->receive(deadline);
  }
  DatabaseResult<void> send_status(postgres::Lsn received, postgres::Lsn flushed) override {
    return session_->send_status(received, flushed);
  }

 private:
  std::unique_ptr<ReplicationSession> session_;
  const Refusals& refusals_;
};

class Refusing final : public env::Database {
 public:
  Refusing(env::Database& database, Refusals& refusals)
      : database_(database), refusals_(refusals) {}
  DatabaseResult<std::unique_ptr<env::ReplicationSession>> connect_replication() override {
    refusals_.attempts.push_back(runtime::current_time());
    auto session = database_.connect_replication();
    if (!session.ok()) return session;
    return std::unique_ptr<env::ReplicationSession>(
        std::make_unique<Session>(std::move(*session), refusals_));
  }
  DatabaseResult<std::unique_ptr<env::QuerySession>> connect() override {
    return database_.connect();
  }

 private:
  env::Database& database_;
  Refusals& refusals_;
};

class Silent final : public observe::EventSink {
  void emit(const observe::Event&) override {}
};

class Reconnecting : public ::testing::Test {
 protected:
  Reconnecting() {
    StackEnvironment environment;
    environment.disk = mount_.get();
    environment.database = &database_;
    environment.write_worker = &writer_;
    environment.read_workers = {&reader_};
    environment.events = &events_;
    environment.marks = &marks_;
    api::EngineOptions options;
    options.stack.store.directory = "/data";
    options.stack.store.owner = options.stack.slot;
    options.api.authentication = api::Authentication::insecure;
    engine_ = std::make_unique<api::Engine>(runtime_, environment, options);
    engine_->start();
  }
  ~Reconnecting() override {
    mount_->kill();
    runtime_.destroy_all();
    engine_->abandon();
    executor_.drain_workers();
  }
  void pass(Duration time) {
    executor_.run_until([] { return false; }, {.until = executor_.now() + time});
  }
  std::size_t attempts_within(Duration time) {
    const std::size_t before = refusals_.attempts.size();
    pass(time);
    return refusals_.attempts.size() - before;
  }

  sim::SimulatedExecutor executor_;
  sim::SimDisk disk_{{.random = executor_.random(), .path = hash64("/disk")}};
  std::unique_ptr<sim::Mount> mount_ = disk_.mount(1);
  sim::postgres::PostgresModel postgres_{
      {}, sim::postgres::runtime_hooks(executor_.clock(), executor_.random(), {})};
  Refusals refusals_;
  Refusing database_{postgres_.database(1), refusals_};
  sim::SimulatedWorker writer_{executor_, "/i1/writer"};
  sim::SimulatedWorker reader_{executor_, "/i1/reader"};
  Silent events_;
  Marks marks_;
  runtime::Runtime runtime_{{.root = "i1"}, executor_, std::make_shared<runtime::Directory>()};
  std::unique_ptr<api::Engine> engine_;
};

TEST_F(Reconnecting, BacksOffWhileTheStreamIsRefusedThoughAllBeforeItWorks) {
  refusals_.stream = DatabaseError{DatabaseFailure::slot_active, "55006", "slot is active"};
  const std::size_t attempts = attempts_within(std::chrono::seconds(60));
  EXPECT_GE(attempts, 5U);
  EXPECT_LE(attempts, 12U) << "0.5, 1, 2, 4, 8 s, then each 10 s";
}

TEST_F(Reconnecting, BeginsAnewOnceASessionHasStreamedForAWhile) {
  refusals_.stream = DatabaseError{DatabaseFailure::slot_active, "55006", "slot is active"};
  pass(std::chrono::seconds(30));
  refusals_.stream.reset();
  pass(std::chrono::seconds(20));
  const Instant lost = executor_.now();
  postgres_.disconnect_all();
  ASSERT_EQ(attempts_within(std::chrono::seconds(1)), 1U);
  EXPECT_LT(refusals_.attempts.back() - lost, std::chrono::milliseconds(600));
  postgres_.disconnect_all();
  EXPECT_EQ(attempts_within(std::chrono::milliseconds(900)), 0U) << "it was not settled yet";
}

TEST_F(Reconnecting, AsksSeldomWhereOnlyAPersonCanHelp) {
  refusals_.stream = DatabaseError{DatabaseFailure::privilege, "42501", "permission denied"};
  EXPECT_LE(attempts_within(std::chrono::seconds(35)), 4U) << "each 10 s from the first on";
}

}  // namespace
}  // namespace holdfast::stack
