// Repro files: what is written is read back, a run from a file is the run of its seed step by step,
// and a file that was edited badly is refused with the line and the reason.
#include "scenarios/repro/repro.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/runtime/fibers/fiber.hpp"
#include "scenarios/repro/fields.hpp"
#include "scenarios/run.hpp"

namespace holdfast::scenarios {
namespace {

Repro repro_of(const Plan& plan) {
  Repro repro;
  repro.about = "a test";
  repro.build = "test";
  repro.plan = plan;
  return repro;
}

Repro read(const std::string& text) {
  auto repro = parse_repro(text, "file.json");
  EXPECT_TRUE(repro.ok()) << (repro.ok() ? "" : repro.error().message);
  return repro.ok() ? std::move(*repro) : Repro{};
}

class ReproRuns : public ::testing::Test {
 protected:
  RunReport run(const Plan& plan, bool record = false) {
    RunOptions options;
    options.reused = &reused_;
    options.record_schedule = record;
    return run_plan(plan, options);
  }
  RunReport run_weakened(const Plan& plan, const Weakened& weakened) {
    RunOptions options;
    options.weakened = weakened;
    return run_plan(plan, options);
  }
  Reused reused_;
};

TEST(ReproFiles, HoldEveryPlanWhole) {
  for (const std::string& scenario : scenario_names())
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      Repro repro = repro_of(make_plan(scenario, seed));
      repro.without = {"gone_asks_the_store"};
      repro.verdict = {"I-3 insert_absent_update_present", "it said \"\xce\xb1\"\n"};
      repro.trace_hash = Hash128{seed, ~seed};
      ASSERT_EQ(read(to_text(repro)), repro) << scenario << " " << seed;
    }
}

TEST(ReproFiles, KeepTheTablesOfSubSelects) {
  Repro repro = repro_of(make_plan("mixed", 1));
  repro.plan.specs.front().inner_tables = {repro.plan.tables.front().name.table};
  EXPECT_EQ(read(to_text(repro)), repro);
}

TEST(ReproFiles, AreSmall) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    EXPECT_LT(to_text(repro_of(make_plan("mixed", seed))).size(), 64U * 1024U) << seed;
}

TEST_F(ReproRuns, FromAFileAreThoseOfTheSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Plan plan = make_plan("mixed", seed);
    const RunReport from_seed = run(plan);
    const RunReport from_file = run(read(to_text(repro_of(plan))).plan);
    EXPECT_EQ(from_file.trace_hash, from_seed.trace_hash) << "seed " << seed;
    EXPECT_EQ(from_file.requests, from_seed.requests);
  }
}

// Strictness of the schedule axis: all that was recorded, replayed over FIFO, is the same run.
TEST_F(ReproRuns, WithARecordedScheduleAreThoseOfTheSeed) {
  std::size_t deviating = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Plan plan = make_plan("mixed", seed);
    const RunReport recorded = run(plan, true);
    EXPECT_EQ(recorded.trace_hash, run(plan).trace_hash) << "recording changes nothing";
    plan.strategy = StrategyKind::scripted;
    plan.decisions = recorded.decisions;
    const RunReport scripted = run(read(to_text(repro_of(plan))).plan);
    EXPECT_EQ(scripted.trace_hash, recorded.trace_hash) << "seed " << seed;
    EXPECT_TRUE(scripted.inapplicable.empty());
    deviating += recorded.decisions.size();
  }
  EXPECT_GT(deviating, 1'000U) << "the schedules deviate from FIFO";
}

TEST_F(ReproRuns, NameTheDecisionsThatDoNotApply) {
  Plan plan = make_plan("mixed", 1);
  plan.strategy = StrategyKind::scripted;
  plan.decisions = {{.path = "/i1/nobody", .ordinal = 3, .times = 2}};
  EXPECT_EQ(run(plan).inapplicable, plan.decisions);
}

// A pinned victim is the same victim, whoever else lives.
TEST_F(ReproRuns, WithPinnedVictimsAreThoseOfTheSeed) {
  std::size_t pinned = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Plan plan = make_plan("mixed", seed);
    const RunReport picked = run(plan);
    for (const FaultHit& hit : picked.fault_hits) {
      plan.faults[hit.fault].victim = hit.victim;
      pinned += hit.victim.empty() ? 0 : 1;
    }
    EXPECT_EQ(run(plan).trace_hash, picked.trace_hash) << "seed " << seed;
  }
  EXPECT_GT(pinned, 10U);
}

TEST(ReproFiles, WriteDurationsAsPeopleDo) {
  EXPECT_EQ(to_text(Duration{0}), "0ms");
  EXPECT_EQ(to_text(std::chrono::milliseconds(12)), "12ms");
  EXPECT_EQ(to_text(std::chrono::microseconds(1'500)), "1500us");
  EXPECT_EQ(to_text(std::chrono::seconds(2)), "2s");
  EXPECT_EQ(parse_duration("7ns"), Duration{7});
  EXPECT_EQ(parse_duration("3s"), Duration{3'000'000'000});
  for (const char* wrong : {"", "12", "ms", "-3ms", "1.5ms", "3 ms", "3min", "99999999999999s"})
    EXPECT_FALSE(parse_duration(wrong).has_value()) << wrong;
}

// -- files edited badly ---------------------------------------------------------------------------

const std::string k_good = R"({
 "format": 2,
 "holdfast": "test",
 "scenario": "mixed",
 "seed": 7,
 "without": ["gone_asks_the_store"],
 "verdict": {"property": "protocol", "what": "it did"},
 "trace_hash": "0123456789abcdef0123456789abcdef",
 "plan": {
  "knobs": {"chunk_bytes": 200},
  "tables": [
   {"table": "t0", "columns": [
    {"name": "id", "type": "int8", "key": 1, "not_null": true},
    {"name": "v", "type": "int4"}
   ]}
  ],
  "initial_rows": [{"kind": "insert", "table": "t0", "set": {"id": "1", "v": null}}],
  "shapes": [{"name": "s0", "table": "t0", "where": "v > 1"}],
  "clients": [{"number": 0, "shape": 0, "starts_at": "3ms"}],
  "transactions": [
   {"statements": [
    {"kind": "update", "table": "t0", "set": {"v": "2"}, "where": {"id": "1"}, "pause": "1ms"}
   ]}
  ],
  "restarts": [{"number": 0, "kind": "brutal", "after": "20ms", "moment": "commit"}],
  "faults": [{"kind": "kill_process", "at": "100ms", "pick": 18446744073709551615}],
  "removals": [{"number": 0, "truncate": true, "subject": 0, "at": "1s"}],
  "schedule": "scripted",
  "decisions": [{"hold": "/i1/writer", "step": 3, "times": 2}]
 }
}
)";

struct Edit {
  std::string from, to;
  std::size_t line;
  std::string reason;  ///< part of the message
};

const std::vector<Edit>& edits() {
  static const std::vector<Edit> k_edits = {
      {"\"seed\": 7", "\"seed\": -5", 5, "a whole number, not below zero, for 'seed'"},
      {"\"seed\": 7", "\"seed\": 1.7", 5, "a whole number, not below zero, for 'seed'"},
      {"\"seed\": 7", "\"seed\": 18446744073709551616", 5, "beyond 64 bits"},
      {"\"seed\": 7", "\"seed\": \"7\"", 5, "not a text"},
      {"\"seed\": 7,", "\"seed\": 7, \"seed\": 8,", 5, "'seed' stands there twice"},
      {" \"seed\": 7,\n", "", 1, "'seed' is missing"},
      {"\"seed\": 7", "\"sead\": 7", 5, "unknown key 'sead'"},
      {"\"format\": 2", "\"format\": 1", 2, "format 1 holds no plan"},
      {"\"format\": 2", "\"format\": 3", 2, "format 3 is unknown"},
      {"[\"gone_asks_the_store\"]", "[\"gone_asks_nobody\"]", 6, "no guard or mutant is called"},
      {"[\"gone_asks_the_store\"]", "\"gone_asks_the_store\"", 6, "a list"},
      {"\"what\": \"it did\"", "\"waht\": \"it did\"", 7, "unknown key 'waht'"},
      {"0123456789abcdef0123456789abcdef", "0123", 8, "32 digits"},
      {"\"chunk_bytes\": 200", "\"chunk_bytes\": 0", 10, "at least 1"},
      {"\"chunk_bytes\": 200", "\"chunk_byte\": 200", 10, "unknown key 'chunk_byte'"},
      {"\"type\": \"int8\"", "\"type\": \"int9\"", 13, "'type' is 'int9'; there are: bool"},
      {", \"key\": 1", "", 12, "'entry' keeps rows apart"},
      {"{\"id\": \"1\", \"v\": null}", "{\"id\": 1}", 17, "a text for 'id'"},
      {"{\"id\": \"1\", \"v\": null}", "{\"idd\": \"1\"}", 17, "no column 'idd'"},
      {"{\"id\": \"1\", \"v\": null}", "{\"id\": \"1000001\"}", 17, "the run itself writes"},
      {"\"table\": \"t0\", \"where\": \"v > 1\"", "\"table\": \"t1\"", 18, "no table 't1'"},
      {"\"where\": \"v > 1\"", "\"where\": \"v > 1\", \"inner_tables\": [\"t9\"]", 18,
       "no table 't9'"},
      {"\"shape\": 0", "\"shape\": 1", 19, "no shape number 1"},
      {"\"3ms\"", "\"3 ms\"", 19, "no duration"},
      {"\"3ms\"", "3", 19, "no duration"},
      {"{\"statements\"", "{\"writer\": 1, \"statements\"", 21, "no writer 1"},
      {"\"update\"", "\"upsert\"", 22, "there are: insert, update, delete, truncate"},
      {"\"kind\": \"update\", \"table\": \"t0\"", "\"kind\": \"update\", \"table\": \"t9\"", 22,
       "no table 't9'"},
      {"\"moment\": \"commit\"", "\"moment\": \"never\"", 25, "'moment' is 'never'"},
      {"\"kind\": \"brutal\", ", "", 25, "'kind' is missing"},
      {"\"pick\": 18446744073709551615", "\"pick\": true", 26, "not true or false"},
      {"\"subject\": 0", "\"subject\": 4", 27, "no such table or shape"},
      {"\"schedule\": \"scripted\"", "\"schedule\": \"fifo\"", 29, "want the schedule 'scripted'"},
      {"\"step\": 3,", "\"step\": 3", 29, "is no JSON: \"decisions\""},
      {"\"schedule\": \"scripted\",\n", "\"schedule\": scripted,\n", 28,
       "is no JSON: \"schedule\": scripted,"},
      {" }\n}\n", " }\n", 31, "ends too early"},
      {" }\n}\n", " }\n}\n}\n", 32, "is no JSON: }"},
      {k_good, "", 1, "ends too early"},
      {k_good, "7\n", 1, "an object is wanted"},
      {k_good, std::string(100'000, '['), 1, "nested too deeply"},
  };
  return k_edits;
}

TEST(ReproFiles, ThatAreGoodAreRead) {
  const Repro repro = read(k_good);
  EXPECT_EQ(repro.plan.seed, 7U);
  EXPECT_EQ(repro.plan.faults.front().pick, ~0ULL);
  EXPECT_EQ(repro.plan.transactions.front().pauses.front(), std::chrono::milliseconds(1));
  EXPECT_EQ(repro.plan.specs.front().key_columns, std::vector<std::string>{"id"});
  EXPECT_FALSE(repro.weakened().guards.on(Guard::gone_asks_the_store));
  EXPECT_TRUE(repro.weakened().guards.on(Guard::visible_only_after_commit));
}

TEST(ReproFiles, ThatAreWrongAreRefusedWithLineAndReason) {
  for (const Edit& edit : edits()) {
    std::string text = k_good;
    const std::size_t at = text.find(edit.from);
    ASSERT_NE(at, std::string::npos) << edit.from;
    text.replace(at, edit.from.size(), edit.to);
    const auto repro = parse_repro(text, "file.json");
    ASSERT_FALSE(repro.ok()) << "accepted: " << edit.to.substr(0, 80);
    const std::string& message = repro.error().message;
    EXPECT_TRUE(message.starts_with("file.json:" + std::to_string(edit.line) + ": "))
        << edit.to.substr(0, 80) << "\n  gave " << message;
    EXPECT_NE(message.find(edit.reason), std::string::npos) << message;
  }
}

std::vector<std::pair<std::string, Repro>> corpus() {
  std::vector<std::pair<std::string, Repro>> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(HOLDFAST_SOURCE_DIR "/scenarios/corpus")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    files.emplace_back(entry.path().filename(), read(text));
  }
  return files;
}

// What was found once stays found, whatever has become of the generators: each file holds the plan
// of a history that failed before the commit it names, or that fails without a guard.
TEST_F(ReproRuns, OfTheCorpusPass) {
  const auto files = corpus();
  for (const auto& [name, repro] : files) {
    EXPECT_NE(repro.about.find(" Fail"), std::string::npos) << name;
    EXPECT_EQ(repro.verdict.has_value(), !repro.without.empty()) << name;
    const RunReport report = run(repro.plan);
    EXPECT_FALSE(report.failed()) << name << ": " << report.violations.front().what;
    EXPECT_GT(report.compared_markers, 0U) << "a run that compares nothing proves nothing";
  }
  EXPECT_GE(files.size(), 8U);
}

TEST_F(ReproRuns, OfTheCorpusFailWithoutTheGuardsTheyName) {
  std::size_t weakened = 0;
  for (const auto& [name, repro] : corpus()) {
    if (repro.without.empty()) continue;
    const RunReport report = run_weakened(repro.plan, repro.weakened());
    ASSERT_TRUE(report.failed()) << name;
    EXPECT_EQ(report.violations.front().property, repro.verdict->property) << name;
    ++weakened;
  }
  EXPECT_GE(weakened, 1U);
}

// Bug 6 of the public triage: three guards in series, and any one of them is enough for the history
// that fails without all three.
TEST_F(ReproRuns, OfBug6PassWithAnyOneGuardOfItsCut) {
  const auto files = corpus();
  const auto found = std::find_if(files.begin(), files.end(), [](const auto& file) {
    return file.first == "bug6_shutdown_race.json";
  });
  ASSERT_NE(found, files.end());
  std::size_t guards = 0;
  for (const GuardInfo& alone : k_guards) {
    if (alone.cut != "shutdown_race") continue;
    Weakened others;
    for (const GuardInfo& other : k_guards)
      if (other.cut == alone.cut && other.guard != alone.guard)
        others.guards.switch_off(other.guard);
    const RunReport report = run_weakened(found->second.plan, others);
    EXPECT_FALSE(report.failed()) << alone.name << ": " << report.violations.front().what;
    ++guards;
  }
  EXPECT_EQ(guards, 3U);
}

// And it is that bug: the inline call exits while the instance stops, its removal is durable and no
// more than that, and the 409 comes after the restart. A killed materializer would not be it.
TEST_F(ReproRuns, OfBug6GoThroughItsSteps) {
  for (const auto& [name, repro] : corpus()) {
    if (name != "bug6_shutdown_race.json") continue;
    const RunReport report = run_weakened(repro.plan, repro.weakened());
    ASSERT_TRUE(report.failed());
    const auto times = [&](Mark mark) { return report.marks[static_cast<std::size_t>(mark)]; };
    EXPECT_GT(times(Mark::inline_call_exited_while_stopping), 0U);
    EXPECT_GT(times(Mark::removal_resumed_at_boot), 0U);
    ASSERT_FALSE(report.restarts_begun.empty());
    EXPECT_GT(report.violations.front().at, report.restarts_begun.back().at);
    return;
  }
  FAIL() << "the file is gone";
}

// A run of the shortest file there can be.
TEST_F(ReproRuns, NeedLittle) {
  const Plan plan = read(k_good).plan;
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << report.violations.front().what;
  EXPECT_GT(report.steps, 50U);
}

}  // namespace
}  // namespace holdfast::scenarios
