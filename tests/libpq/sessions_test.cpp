// The suspending sessions on real threads: a process waits without holding its shard, and whatever
// becomes of it, nothing of its sessions stays behind.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "core/production/libpq/database.hpp"
#include "core/production/system_clock.hpp"
#include "core/production/system_random.hpp"
#include "core/production/threaded_executor.hpp"
#include "tests/libpq/fixture.hpp"

namespace holdfast::production {
namespace {

using env::DatabaseFailure;

/// Runs a function on its own fiber, then tells that it has ended. A kill tells it too.
class Script : public runtime::Process {
 public:
  using Body = std::function<void()>;
  Script(Body body, std::shared_ptr<std::promise<void>> ended)
      : body_(std::move(body)), ended_(std::move(ended)) {}
  ~Script() override { ended_->set_value(); }

 protected:
  void init() override {
    body_();
    exit(runtime::ExitReason::normal());
  }

 private:
  Body body_;
  std::shared_ptr<std::promise<void>> ended_;
};

class Sessions : public LibpqTest {
 protected:
  Sessions() : executor_({.root = "t", .shards = 1}, clock_, random_) {}
  ~Sessions() override { executor_.stop(); }

  struct Running {
    runtime::ProcessId process;
    std::future<void> ended;
  };
  Running start(Script::Body body) {
    const auto ended = std::make_shared<std::promise<void>>();
    auto future = ended->get_future();
    const auto process =
        executor_.runtime().spawn_root<Script>({.role = "script"}, std::move(body), ended);
    return {process.id, std::move(future)};
  }
  void run(Script::Body body) { expect_end(start(std::move(body))); }
  static void expect_end(Running running) {
    ASSERT_EQ(running.ended.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  }
  bool wait_for(const std::string& query, const std::string& result) const {
    for (int i = 0; i < 1000; ++i) {
      if (sql(query) == result) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::string other_sessions() const {
    return "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + database_ +
           "' AND pid <> pg_backend_pid()";
  }

  SystemClock clock_;
  SystemRandom random_{Hash128{1, 2}};
  ThreadedExecutor executor_;
  LibpqDatabase libpq_{settings(), settings()};
};

TEST_F(Sessions, publish_snapshot_and_stream_fit_together) {
  sql("CREATE TABLE items (id int); INSERT INTO items SELECT generate_series(1, 5000)");
  std::vector<std::string> streamed;
  std::size_t rows = 0;
  bool saw_insert = true;
  run([&] {
    auto replication = must(libpq_.connect_replication());
    EXPECT_FALSE(must(replication->identify_system()).system_identifier.empty());
    EXPECT_GE(must(replication->settings()).version_number, 140'000U);
    must(replication->acquire_lock(slot_));
    EXPECT_TRUE(must(replication->ensure_publication(publication_)));
    EXPECT_TRUE(must(replication->ensure_slot(slot_)).created);
    must(replication->start_streaming(slot_, publication_));

    auto session = must(libpq_.connect());
    EXPECT_EQ(must(session->inspect({"public", "items"}))->columns.size(), 1U);
    must(session->publish(publication_, {"public", "items"}));
    auto snapshot = must(session->begin_snapshot({"public", "items"}));
    must(snapshot->start({{"public", "items"}, {"id"}, ""}));
    sql("INSERT INTO items VALUES (5001)");
    for (;;) {
      const auto batch = must(snapshot->next());
      if (batch.rows() == 0) break;
      rows += batch.rows();
    }
    EXPECT_EQ(must(snapshot->next()).rows(), 0U);
    postgres::StreamDecoder decoder;
    while (streamed.empty()) {
      for (std::string& payload :
           must(replication->receive(runtime::current_time() + std::chrono::seconds(10)))) {
        auto event = decoder.feed(std::move(payload));
        ASSERT_TRUE(event.ok());
        if (!*event || !std::holds_alternative<postgres::Transaction>(**event)) continue;
        const auto& transaction = std::get<postgres::Transaction>(**event);
        if (transaction.changes.empty()) continue;
        streamed.push_back(to_text(transaction.changes[0]));
        saw_insert = snapshot->snapshot().sees(transaction.xid);
        must(replication->send_status(transaction.end_lsn, transaction.end_lsn));
      }
    }
    snapshot.reset();
    EXPECT_EQ(must(session->published(publication_)).size(), 1U) << "the session goes on";
    must(session->unpublish(publication_, must(session->published(publication_)).at(0), slot_));
    EXPECT_TRUE(must(session->published(publication_)).empty());
  });
  EXPECT_EQ(rows, 5000U);
  EXPECT_EQ(streamed, std::vector<std::string>{"insert public.items (5001)"});
  EXPECT_FALSE(saw_insert);
  EXPECT_TRUE(wait_for(other_sessions(), "0"));
}

TEST_F(Sessions, a_killed_process_leaves_the_lock_queue) {
  RawSession holder(server().url(database_));
  holder.run("SELECT pg_advisory_lock(hashtext('" + slot_ + "'))");
  Running waiting = start([&] {
    auto replication = must(libpq_.connect_replication());
    const auto locked = replication->acquire_lock(slot_);
    ADD_FAILURE() << "the lock was never free";
  });
  const std::string queue =
      "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
  EXPECT_TRUE(wait_for(queue, "1"));
  executor_.runtime().send_exit(waiting.process, runtime::ExitReason::killed());
  expect_end(std::move(waiting));
  EXPECT_TRUE(wait_for(queue, "0"));
  EXPECT_TRUE(wait_for(other_sessions(), "1")) << "only the holder is left";
}

TEST_F(Sessions, a_killed_process_stops_its_query) {
  sql("CREATE TABLE items AS SELECT generate_series(1, 10) AS id");
  Running waiting = start([&] {
    auto session = must(libpq_.connect());
    auto snapshot = must(session->begin_snapshot({"public", "items"}));
    must(snapshot->start({{"public", "items"}, {"id"}, "pg_sleep(600) IS NOT NULL"}));
    const auto batch = snapshot->next();
    ADD_FAILURE() << "no row was due";
  });
  EXPECT_TRUE(wait_for(other_sessions() + " AND wait_event = 'PgSleep'", "1"));
  executor_.runtime().send_exit(waiting.process, runtime::ExitReason::killed());
  expect_end(std::move(waiting));
  EXPECT_TRUE(wait_for(other_sessions(), "0"));
}

TEST_F(Sessions, a_read_that_is_dropped_in_the_middle_stops_its_query) {
  sql("CREATE TABLE items AS SELECT generate_series(1, 10) AS id");
  run([&] {
    auto session = must(libpq_.connect());
    auto snapshot = must(session->begin_snapshot({"public", "items"}));
    must(snapshot->start({{"public", "items"}, {"id"}, "pg_sleep(600) IS NOT NULL"}));
    snapshot.reset();
    const auto after = session->published(publication_);
    ASSERT_FALSE(after.ok()) << "the session ended with it";
    EXPECT_EQ(after.error().kind, DatabaseFailure::connection);
  });
  EXPECT_TRUE(wait_for(other_sessions(), "0"));
}

TEST_F(Sessions, a_wait_for_the_stream_ends_at_its_deadline) {
  run([&] {
    auto replication = must(libpq_.connect_replication());
    must(replication->settings());
    must(replication->ensure_publication(publication_));
    must(replication->ensure_slot(slot_));
    must(replication->start_streaming(slot_, publication_));
    const Instant before = runtime::current_time();
    while (!must(replication->receive(runtime::current_time() + std::chrono::milliseconds(50)))
                .empty()) {
    }
    EXPECT_GE(runtime::current_time() - before, std::chrono::milliseconds(50));
    const auto past = must(replication->receive(before));
    EXPECT_TRUE(past.empty());
  });
}

TEST_F(Sessions, every_session_fails_when_the_server_stops) {
  run([&] {
    auto replication = must(libpq_.connect_replication());
    must(replication->settings());
    must(replication->ensure_publication(publication_));
    must(replication->ensure_slot(slot_));
    must(replication->start_streaming(slot_, publication_));
    auto session = must(libpq_.connect());
    server().stop_immediate();
    env::DatabaseResult<std::vector<std::string>> got = std::vector<std::string>();
    while (got.ok()) got = replication->receive(runtime::current_time() + std::chrono::seconds(5));
    EXPECT_EQ(got.error().kind, DatabaseFailure::connection);
    const auto inspected = session->inspect({"public", "items"});
    ASSERT_FALSE(inspected.ok());
    EXPECT_EQ(inspected.error().kind, DatabaseFailure::connection);
    const auto again = libpq_.connect();
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind, DatabaseFailure::connection);
  });
  server().start();  // on the main thread: the server ends with the thread that started it
  run([&] { must(must(libpq_.connect())->published(publication_)); });
}

TEST_F(Sessions, snapshots_may_lead_elsewhere_than_administration) {
  sql("CREATE TABLE items AS SELECT 1 AS id; CREATE PUBLICATION pub");
  server().execute("DROP ROLE IF EXISTS reader");
  server().execute("CREATE ROLE reader LOGIN");
  LibpqDatabase both{settings(), settings("reader")};
  run([&] {
    auto session = must(both.connect());
    must(session->publish(publication_, {"public", "items"}));
    const auto refused = session->begin_snapshot({"public", "items"});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, DatabaseFailure::privilege);
  });
  sql("GRANT SELECT ON items TO reader");
  run([&] {
    auto session = must(both.connect());
    auto snapshot = must(session->begin_snapshot({"public", "items"}));
    must(snapshot->start({{"public", "items"}, {"id"}, ""}));
    EXPECT_EQ(must(snapshot->next()).rows(), 1U);
  });
  sql("DROP OWNED BY reader");
}

TEST_F(Sessions, the_lock_breaker_spares_its_own_process) {
  run([&] {
    auto session = must(libpq_.connect());
    EXPECT_EQ(must(session->break_lock(slot_)), 0U)
        << "nothing to do without a replication session";
    auto replication = must(libpq_.connect_replication());
    must(replication->settings());
    must(replication->acquire_lock(slot_));
    must(replication->ensure_publication(publication_));
    must(replication->ensure_slot(slot_));
    EXPECT_EQ(must(session->break_lock(slot_)), 0U);
    EXPECT_TRUE(must(replication->identify_system()).timeline > 0);
  });
}

TEST_F(Sessions, a_server_that_never_answers_is_given_up) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ConnectionSettings silent;
  silent.url = "postgresql://u@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/d";
  silent.connect_timeout = std::chrono::milliseconds(100);
  LibpqDatabase database{silent, silent};
  run([&] {
    const auto opened = database.connect();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind, DatabaseFailure::connection);
    EXPECT_TRUE(opened.error().message.starts_with(
        "connection timed out while trying to connect to 127.0.0.1:"));
  });
  ::close(listener);
}

}  // namespace
}  // namespace holdfast::production
