// The commands of holdfast-sim as whoever types them meets them: exit codes, what a check keeps and
// drops, arguments that are wrong.
#include "tools/sim/commands/commands.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tools/sim/arguments.hpp"
#include "tools/sim/commands/check_summary.hpp"
#include "tools/sim/failure_database.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/shell.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/workers/candidate_worker.hpp"
#include "tools/sim/workers/outcome_json.hpp"

namespace holdfast::tools {
namespace {

namespace fs = std::filesystem;
using scenarios::Extent;
using scenarios::Outcome;
using scenarios::Repro;

/// A guard that many histories miss.
constexpr const char* k_guard = "visible_only_after_commit";

class Commands : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-commands-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  /// The command's exit code; its words are in `out`.
  int said(const std::function<int()>& command) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = command();
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }
  int replayed(const std::string& what, const std::vector<std::string>& without = {}) {
    ReplayOptions options;
    options.seed_or_file = what;
    options.without = without;
    return said([&] { return replay(options); });
  }
  CheckOptions check_options(std::uint64_t seeds) {
    CheckOptions options;
    options.seeds = seeds;
    options.jobs = 1;
    options.without = {k_guard};
    options.failures = path("failures");
    options.json = true;
    return options;
  }
  nlohmann::json checked(const CheckOptions& options, int code) {
    EXPECT_EQ(said([&] { return check(options); }), code) << out << err;
    return nlohmann::json::parse(out);
  }
  /// The first seed that fails without the guard.
  std::uint64_t failing_seed() {
    CheckOptions options = check_options(60);
    options.shrink = false;
    options.failures.clear();
    const auto result = checked(options, k_exit_found);
    return result["failures"][0]["seed"];
  }
  /// A seed that passes without the guard, where a check that finds nothing is wanted.
  std::uint64_t passing_seed() {
    CheckOptions options = check_options(1);
    options.shrink = false;
    options.failures.clear();
    while (said([&] { return check(options); }) != k_exit_passed) ++options.start;
    return options.start;
  }
  CheckOptions quiet_options() {
    const std::uint64_t seed = passing_seed();
    CheckOptions options = check_options(1);
    options.start = seed;
    return options;
  }
  std::string shrunk_file() {
    ShrinkCommandOptions options;
    options.seed_or_file = std::to_string(failing_seed());
    options.without = {k_guard};
    options.output = path("small.json");
    EXPECT_EQ(said([&] { return shrink(options); }), k_exit_found) << err;
    return options.output;
  }
  void edit(const std::string& file, const std::string& from, const std::string& to) {
    std::ifstream in(file);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    std::ofstream(file) << text.replace(at, from.size(), to);
  }

  fs::path directory_;
  std::string out, err;
};

// -- replay, shrink -------------------------------------------------------------------------------

TEST_F(Commands, ReplaySaysWhetherAFileStillGivesWhatItSays) {
  const std::string file = shrunk_file();
  EXPECT_NE(out.find("Without the "), std::string::npos) << out;
  EXPECT_EQ(replayed(file), k_exit_found);
  EXPECT_NE(out.find("the same violation after the same steps"), std::string::npos) << out;

  const Repro repro = *read_repro(file);
  Repro passing = repro;
  passing.without.clear();
  ASSERT_TRUE(write_repro(passing, file).ok());
  EXPECT_EQ(replayed(file), k_exit_passed);
  EXPECT_NE(out.find("passes now"), std::string::npos) << out;

  Repro other = repro;
  other.verdict->property = "I-57 server_error";
  ASSERT_TRUE(write_repro(other, file).ok());
  EXPECT_EQ(replayed(file), k_exit_other_property);

  Repro diverging = repro;
  diverging.trace_hash = Hash128{1, 2};
  ASSERT_TRUE(write_repro(diverging, file).ok());
  EXPECT_EQ(replayed(file), k_exit_diverged);

  Repro expected_to_pass = repro;
  expected_to_pass.verdict.reset();
  ASSERT_TRUE(write_repro(expected_to_pass, file).ok());
  EXPECT_EQ(replayed(file), k_exit_found);
  EXPECT_NE(out.find("says that it passes"), std::string::npos) << out;
}

TEST_F(Commands, ReplayUnderStrictRefusesAnotherBuild) {
  const std::string file = shrunk_file();
  ReplayOptions options;
  options.seed_or_file = file;
  options.strict = true;
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_found);
  edit(file, "\"holdfast\": \"", "\"holdfast\": \"older ");
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_other_build);
}

TEST_F(Commands, ReplayRefusesWhatItCannotReadBeforeItRunsAnything) {
  const std::string file = shrunk_file();
  edit(file, "\"seed\": ", "\"seed\": -");
  EXPECT_EQ(replayed(file), k_exit_usage);
  EXPECT_TRUE(out.empty()) << out;
  EXPECT_NE(err.find(file + ":5: a whole number"), std::string::npos) << err;
  for (const std::string& wrong :
       {std::string("-5"), std::string("1.7"), std::string(""), std::string("18446744073709551616"),
        path("none.json"), directory_.string()})
    EXPECT_EQ(replayed(wrong), k_exit_usage) << wrong;
  EXPECT_EQ(replayed("7", {"no_such_guard"}), k_exit_usage);
}

TEST_F(Commands, ReplayRefusesAScenarioAndAClauseThatAreNone) {
  Repro repro = repro_of_seed("hierarchy", 1, {});
  repro.plan.specs.front().where = "id = 1 AND";
  ASSERT_TRUE(write_repro(repro, path("clause.json")).ok());
  EXPECT_EQ(replayed(path("clause.json")), k_exit_usage);
  EXPECT_TRUE(out.empty()) << out;
  EXPECT_NE(err.find("the clause of '" + repro.plan.specs.front().name + "': "), std::string::npos)
      << err;
  EXPECT_NE(err.find("clause.json:"), std::string::npos) << err;
  repro.plan = scenarios::make_plan("mixed", 1);
  repro.plan.scenario = "mixd";
  ASSERT_TRUE(write_repro(repro, path("scenario.json")).ok());
  EXPECT_EQ(replayed(path("scenario.json")), k_exit_usage);
  EXPECT_NE(err.find("scenario.json:3: no scenario is called 'mixd'"), std::string::npos) << err;
}

TEST_F(Commands, ReplayGroupsViolationsByTheirProperty) {
  std::vector<oracle::Violation> seen(1'000, {"I-5 b", "again", "c1", {}});
  seen.insert(seen.begin() + 1, {"I-1 a", "once", {}, {}});
  said([&] { return print_violations(seen), 0; });
  EXPECT_EQ(out,
            "violated at 0 ms by c1: I-5 b\n  again\nviolated at 0 ms by c1: I-5 b\n  again\n"
            "violated at 0 ms by c1: I-5 b\n  again\nviolated 1000 times in all: I-5 b\n"
            "violated at 0 ms by the engine: I-1 a\n  once\n");
}

TEST_F(Commands, DiffNamesTheFirstStepThatDiffers) {
  ReplayOptions options;
  options.diff = {"3", "3"};
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_passed);
  EXPECT_NE(out.find("the same "), std::string::npos);
  options.diff = {"3", "4"};
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_found);
  EXPECT_NE(out.find("the first difference is step "), std::string::npos) << out;
  options.diff = {std::to_string(failing_seed())};
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_usage) << "with itself, but no guard off";
  options.without = {k_guard};
  EXPECT_EQ(said([&] { return replay(options); }), k_exit_found);
  EXPECT_NE(out.find("A passes"), std::string::npos) << out;
  EXPECT_NE(out.find("B violates"), std::string::npos) << out;
}

TEST_F(Commands, ShrinkOfARunThatPassesHasNothingToDo) {
  ShrinkCommandOptions options;
  options.seed_or_file = "3";
  options.output = path("small.json");
  EXPECT_EQ(said([&] { return shrink(options); }), k_exit_passed);
  EXPECT_FALSE(fs::exists(options.output));
}

// -- check and its database -----------------------------------------------------------------------

TEST_F(Commands, CheckKeepsTheSmallestOfEachPropertyAndReplaysItFirst) {
  CheckOptions options = check_options(60);
  const auto first = checked(options, k_exit_found);
  ASSERT_FALSE(first["groups"].empty());
  EXPECT_TRUE(first["replayed"].empty());
  std::uint64_t failures = 0;
  for (const auto& group : first["groups"]) {
    failures += group["failures"].get<std::uint64_t>();
    const std::string file = group["file"];
    EXPECT_LT(fs::file_size(file), 10'000U);
    EXPECT_EQ(replayed(file), k_exit_found) << file;
    EXPECT_EQ(group["command"], "holdfast-sim replay " + quoted_for_shell(file));
  }
  EXPECT_EQ(failures, first["failures"].size());

  const auto second = checked(quiet_options(), k_exit_found);
  EXPECT_TRUE(second["failures"].empty());
  ASSERT_EQ(second["replayed"].size(), first["groups"].size());
  for (const auto& each : second["replayed"]) EXPECT_TRUE(each["fails"].get<bool>());
}

TEST_F(Commands, CheckDropsWhatPassesNow) {
  const CheckOptions options = quiet_options();
  Repro repro = repro_of_seed("mixed", options.start, {k_guard});
  repro.verdict = {"I-1 offsets_increase", "it was so once"};
  const std::string file = FailureDatabase(path("failures")).keep(repro);
  ASSERT_TRUE(fs::exists(file));
  const auto result = checked(options, k_exit_passed);
  ASSERT_EQ(result["replayed"].size(), 1U);
  EXPECT_FALSE(result["replayed"][0]["fails"].get<bool>());
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(Commands, CheckReplaysOnlyWhatWasFoundUnderTheSameGuards) {
  Repro repro = repro_of_seed("mixed", 1, {"gone_asks_the_store"});
  repro.verdict = {"I-1 offsets_increase", "it was so once"};
  const std::string file = FailureDatabase(path("failures")).keep(repro);
  EXPECT_TRUE(checked(quiet_options(), k_exit_passed)["replayed"].empty());
  EXPECT_TRUE(fs::exists(file));
}

TEST_F(Commands, TheDatabaseKeepsTheSmallerAndLeavesWhatItCannotRead) {
  const FailureDatabase database(path("failures"));
  Repro big = repro_of_seed("reference", 1, {});
  big.verdict = {"I-1 offsets_increase", "big"};
  Repro small = big;
  small.plan.transactions.clear();
  small.verdict->what = "small";
  const std::string file = database.keep(big);
  EXPECT_EQ(database.keep(small), file);
  EXPECT_EQ(database.keep(big), file);
  EXPECT_EQ(read_repro(file)->verdict->what, "small");
  std::ofstream(path("failures/broken.json")) << "{";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(database.entries("reference", {}).size(), 1U);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("broken.json:1: "), std::string::npos);
  EXPECT_TRUE(fs::exists(path("failures/broken.json")));
}

TEST_F(Commands, CheckWritesAReportThatCountsEachFailure) {
  CheckOptions options = check_options(60);
  options.shrink = false;
  options.junit = path("report.xml");
  const auto result = checked(options, k_exit_found);
  std::ifstream in(options.junit);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_NE(text.find("failures=\"" + std::to_string(result["failures"].size()) + "\""),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("</testsuite>"), std::string::npos);
  options.junit = path("nowhere/report.xml");
  EXPECT_EQ(said([&] { return check(options); }), k_exit_usage);
}

TEST_F(Commands, CheckTriesTheFolderForFailuresFirst) {
  std::ofstream(path("file")) << "no folder";
  CheckOptions options = check_options(1'000'000);
  options.save_failures = path("file/failures");
  EXPECT_EQ(said([&] { return check(options); }), k_exit_usage);
  EXPECT_NE(err.find("file/failures: "), std::string::npos) << err;
}

TEST_F(Commands, AnnotationsAreForGitHubOnly) {
  Summary summary;
  summary.groups.push_back({"I-5 a, b: 100%", {7}, "", "", {}, "replay\n7"});
  CheckOptions options;
  unsetenv("GITHUB_ACTIONS");
  said([&] { return print_annotations(summary, options), 0; });
  EXPECT_EQ(out + err, "");
  setenv("GITHUB_ACTIONS", "true", 1);
  said([&] { return print_annotations(summary, options), 0; });
  unsetenv("GITHUB_ACTIONS");
  EXPECT_EQ(err.substr(0, err.find("::1 of")),
            "::error title=holdfast-sim%3A I-5 a%2C b%3A 100%25");
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << "one line: " << err;
}

// -- candidates -----------------------------------------------------------------------------------

TEST(CandidateWorker, RunsWhatTheFileSays) {
  CandidateWorker worker;
  scenarios::Reused reused;
  for (const std::uint64_t seed : {1, 2}) {
    const Repro repro = repro_of_seed("mixed", seed, {});
    const Outcome there = worker.run(repro, Extent::whole_and_record);
    const Outcome here = run_here(repro, Extent::whole_and_record, &reused);
    EXPECT_EQ(there.report.trace_hash, here.report.trace_hash);
    EXPECT_EQ(there.report.decisions, here.report.decisions);
    EXPECT_EQ(there.verdict, here.verdict);
  }
}

// A candidate whose run ends the process: here, one that no file may hold.
// A failed ASSERT of the engine ends the process of a run; what was recorded until then is drawn.
TEST_F(Commands, AReplayThatEndsItsProcessHasATimelineAllTheSame) {
  ReplayOptions options;
  options.without = {"recovery_cuts_unfinished_transactions"};
  options.timeline = path("page.html");
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    options.seed_or_file = std::to_string(seed);
    said([&] { return replay(options); });
    if (out.find("the run ended the process") == std::string::npos) continue;
    std::ostringstream page;
    page << std::ifstream(options.timeline).rdbuf();
    EXPECT_NE(page.str().find("crash: "), std::string::npos);
    EXPECT_NE(page.str().find("assertion failed"), std::string::npos);
    return;
  }
  FAIL() << "no run ended its process";
}

TEST(CandidateWorker, JudgesARunThatEndsItsProcessAndGoesOn) {
  CandidateWorker worker;
  Repro broken = repro_of_seed("mixed", 1, {});
  broken.plan.tables.clear();
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = worker.run(broken, Extent::whole);
    ASSERT_TRUE(outcome.verdict.has_value());
    EXPECT_EQ(outcome.verdict->property,
              "crash: a candidate of the reducer is a repro that can be read");
  }
  EXPECT_FALSE(worker.run(repro_of_seed("mixed", 1, {}), Extent::whole).verdict.has_value());
}

// -- arguments ------------------------------------------------------------------------------------

TEST(Arguments, OfShardsAreExact) {
  EXPECT_EQ(parse_shard("2/8")->number, 2U);
  EXPECT_EQ(parse_shard("2/8")->of, 8U);
  EXPECT_TRUE(parse_shard("1/1").ok());
  for (const char* wrong : {"", "/", "1", "1/", "/2", "1/2x", "x1/2", "0/2", "3/2", "1/0", "-1/2",
                            "+1/2", "1/2/3", " 1/2", "1 /2", "1.0/2", "1/99999999999"})
    EXPECT_FALSE(parse_shard(wrong).ok()) << wrong;
}

TEST(Arguments, ThatAreSeedsAreWholeNumbers) {
  EXPECT_EQ(*parse_seed("18446744073709551615"), ~0ULL);
  EXPECT_EQ(*parse_seed("0"), 0U);
  for (const char* wrong :
       {"", "-5", "1.7", "1e3", "+1", " 1", "1 ", "0x10", "18446744073709551616"})
    EXPECT_FALSE(parse_seed(wrong).ok()) << wrong;
}

TEST(Arguments, OfCommitsGiveSeedsOfTheirOwn) {
  const std::string a(40, 'a');
  const std::string b(40, 'b');
  EXPECT_EQ(*first_seed_of_commit(a), *first_seed_of_commit(a));
  EXPECT_GE(std::max(*first_seed_of_commit(a), *first_seed_of_commit(b)) -
                std::min(*first_seed_of_commit(a), *first_seed_of_commit(b)),
            1'000'000'000U);
  EXPECT_FALSE(first_seed_of_commit("no such revision; echo " + a).ok());
}

TEST(Arguments, AreQuotedForTheShellWhereNeeded) {
  EXPECT_EQ(quoted_for_shell("build/a-b_c.json"), "build/a-b_c.json");
  EXPECT_EQ(quoted_for_shell("it's"), "'it'\\''s'");
  EXPECT_EQ(quoted_for_shell(""), "''");
  EXPECT_EQ(quoted_for_shell("a b"), "'a b'");
}

TEST(Crashes, AreToldApartByTheirAssertion) {
  EXPECT_EQ(crash_property("a.cpp:7: assertion failed: an offset grows [a < b]\n"),
            "crash: an offset grows");
  EXPECT_EQ(crash_property("Killed"), "crash");
}

}  // namespace
}  // namespace holdfast::tools
