// Live mode passes where the engine is right, and objects where something between Postgres and a
// client is broken: each way of breaking it here stands for an engine that does so.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "tools/postgres/throwaway_postgres.hpp"
#include "tools/sim/live/live_command.hpp"
#include "tools/sim/live/live_run.hpp"

namespace holdfast::tools {
namespace {

namespace fs = std::filesystem;
using live::LiveReport;
using live::LiveSetting;
using scenarios::RestartKind;

class LiveMode : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (ThrowawayPostgres::installed()) postgres_ = std::make_unique<ThrowawayPostgres>();
  }
  static void TearDownTestSuite() { postgres_.reset(); }

  void SetUp() override {
    const char* const ci = std::getenv("CI");
    if (!postgres_ && ci != nullptr && std::string(ci) == "true") FAIL() << "no Postgres in CI";
    if (!postgres_) GTEST_SKIP() << "no Postgres is installed";
    std::string pattern = (fs::temp_directory_path() / "holdfast-live-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    setting_.size.shapes = 6;
    setting_.size.batches = 2;
    setting_.server_program = fs::read_symlink("/proc/self/exe").parent_path() / "holdfast";
    setting_.postgres_url = postgres_->url();
    setting_.folder = folder_;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  static bool has(const LiveReport& report, const std::string& property) {
    return std::any_of(report.judgement.violations.begin(), report.judgement.violations.end(),
                       [&](const auto& violation) { return violation.property == property; });
  }
  static std::string words(const LiveReport& report) {
    std::string text;
    for (const auto& violation : report.judgement.violations)
      text += violation.property + ": " + violation.what + "\n";
    return text;
  }
  /// The exit code; what it said to people is in said_.
  int command(const LiveOptions& options) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = live_mode(options);
    said_ = ::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr();
    return code;
  }

  static std::unique_ptr<ThrowawayPostgres> postgres_;
  fs::path folder_;
  LiveSetting setting_;
  std::string said_;
};

std::unique_ptr<ThrowawayPostgres> LiveMode::postgres_;

/// The first seed whose plan has a restart of every kind.
std::uint64_t seed_with_every_kind(const scenarios::LiveSize& size) {
  for (std::uint64_t seed = 1;; ++seed) {
    std::set<RestartKind> kinds;
    for (const auto& restart : scenarios::make_live_plan(seed, size).restarts)
      kinds.insert(restart.kind);
    if (kinds.size() == size.kinds.size()) return seed;
  }
}

TEST_F(LiveMode, FindsNothingInACorrectEngineThroughEveryKindOfRestart) {
  setting_.size.batches = 4;
  setting_.size.restart_every = 1;
  const LiveReport report = live::run_live(seed_with_every_kind(setting_.size), setting_);
  EXPECT_TRUE(report.judgement.violations.empty()) << words(report);
  EXPECT_EQ(report.judgement.spurious_conflicts, 0U);
  EXPECT_TRUE(report.recording.converged);
  EXPECT_TRUE(report.judgement.continuing_client_crossed);
  EXPECT_GT(report.judgement.counters.compared_markers, 50U);
  for (const RestartKind kind : setting_.size.kinds)
    EXPECT_EQ(report.recording.restarts[static_cast<std::size_t>(kind)], 1U)
        << scenarios::name_of(kind);
  EXPECT_EQ(postgres_->execute("SELECT count(*) FROM pg_database WHERE datname ~ 'holdfast_live'"),
            "0")
      << "a run leaves no database behind";
  EXPECT_EQ(postgres_->execute("SELECT count(*) FROM pg_replication_slots"), "0")
      << "a run leaves no slot behind";
}

TEST_F(LiveMode, ObjectsToOneValueThatIsWrongInOneAnswer) {
  setting_.size.restart_every = 0;
  bool corrupted = false;
  setting_.sabotage.answer = [&](const oracle::ShapeSpec&, protocol::Response& response) {
    // An insert, so that nothing but the comparison with the database can tell.
    const std::size_t value = response.body.find(R"("v":"1")");
    if (corrupted || response.status != 200 || value == std::string::npos ||
        response.header("electric-up-to-date") == nullptr ||
        response.body.find(R"("operation":"update")") != std::string::npos ||
        response.body.find(R"("operation":"delete")") != std::string::npos)
      return;
    response.body[value + 5] = '7';
    corrupted = true;
  };
  const LiveReport report = live::run_live(1, setting_);
  ASSERT_TRUE(corrupted);
  EXPECT_TRUE(has(report, oracle::property::view_equals_query)) << words(report);
}

TEST_F(LiveMode, ObjectsToATransactionThatOneClientIsNotTold) {
  setting_.size.restart_every = 0;
  bool hidden = false;
  setting_.sabotage.answer = [&](const oracle::ShapeSpec&, protocol::Response& response) {
    const std::size_t marker = response.body.rfind(R"({"headers":{"control":"up-to-date")");
    if (hidden || response.status != 200 || marker == std::string::npos ||
        response.body.find(R"("lsn":)") == std::string::npos ||
        response.body.find("snapshot-end") != std::string::npos ||
        response.body.find(R"("operation":"insert")") == std::string::npos ||
        response.body.find(R"("operation":"delete")") != std::string::npos)
      return;
    response.body = "[" + response.body.substr(marker);
    hidden = true;
  };
  const LiveReport report = live::run_live(1, setting_);
  ASSERT_TRUE(hidden);
  EXPECT_TRUE(has(report, oracle::property::view_equals_query)) << words(report);
}

TEST_F(LiveMode, ObjectsToAStorageDirectoryThatARestartLosesAndKeepsTheEvidence) {
  setting_.size.kinds = {RestartKind::brutal};
  setting_.sabotage.before_restart = [](const std::string& storage) {
    for (const auto& entry : fs::directory_iterator(storage)) fs::remove_all(entry.path());
  };
  const LiveReport report = live::run_live(1, setting_);
  EXPECT_GT(report.judgement.spurious_conflicts, 0U);
  EXPECT_TRUE(has(report, oracle::property::spurious_conflict)) << words(report);
  for (const char* name : {"README.txt", "plan.json", "server-1.log", "server-2.log", "storage"})
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
}

TEST_F(LiveMode, ObjectsToAServerThatEndsByItself) {
  setting_.server_program = "/bin/false";
  const LiveReport report = live::run_live(1, setting_);
  EXPECT_TRUE(report.failed());
  EXPECT_NE(words(report).find("server 1 ended by itself"), std::string::npos) << words(report);
}

TEST_F(LiveMode, EndsInOrderWhenItIsInterruptedAndLeavesNothingInPostgres) {
  // What a signal is to it: its descriptor can be read.
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  setting_.signals = ends[0];
  EXPECT_THROW(live::run_live(1, setting_), live::Interrupted);
  EXPECT_EQ(postgres_->execute("SELECT count(*) FROM pg_database WHERE datname ~ 'holdfast_live'"),
            "0");
  EXPECT_EQ(postgres_->execute("SELECT count(*) FROM pg_replication_slots"), "0");
  for (const int end : ends) ::close(end);
}

TEST_F(LiveMode, NamesTheNextStepWhenNothingCanBeRun) {
  LiveOptions options;
  options.database_url = "postgresql://nobody@127.0.0.1:1/nothing";
  options.server = setting_.server_program;
  EXPECT_EQ(command(options), 2);
  EXPECT_NE(said_.find("cannot be reached"), std::string::npos) << said_;
  EXPECT_NE(said_.find("psql"), std::string::npos) << said_;

  const ThrowawayPostgres replica({"wal_level = replica"});
  options.database_url = replica.url();
  EXPECT_EQ(command(options), 2);
  EXPECT_NE(said_.find("ALTER SYSTEM SET wal_level"), std::string::npos) << said_;

  options.database_url = postgres_->url();
  options.server = folder_ / "absent";
  EXPECT_EQ(command(options), 2);
  EXPECT_NE(said_.find("ninja -C build/release holdfast"), std::string::npos) << said_;

  options.server = setting_.server_program;
  options.restarts = {"power_loss"};
  EXPECT_EQ(command(options), 2);
  EXPECT_NE(said_.find("graceful, brutal, rolling, frozen"), std::string::npos) << said_;
}

}  // namespace
}  // namespace holdfast::tools
