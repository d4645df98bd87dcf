// Tables that somebody alters while a shape lives on them, as small histories of one table, one
// shape and one client: what ends the shape, what leaves it alone, and how often.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/run.hpp"

namespace holdfast::scenarios {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// One shape of all columns of t0; a row of it is updated every 100 ms for 8 s.
Plan quiet_plan() {
  Plan plan;
  plan.scenario = "mixed";
  plan.seed = 1;
  plan.tables.push_back(make_table(0));
  const auto row = [&](int id, const char* v) {
    return sim::postgres::Statement{
        sim::postgres::StatementKind::insert,
        plan.tables[0].name,
        {{"id", std::to_string(id)}, {"v", v}, {"name", "alpha"}, {"score", "1.50"}},
        {},
        {}};
  };
  for (int id = 1; id <= 3; ++id) plan.initial_rows.push_back(row(id, "7"));
  oracle::ShapeSpec spec;
  spec.name = "s0";
  spec.table = "t0";
  describe_columns(spec, plan.tables[0]);
  plan.specs.push_back(spec);
  plan.clients.push_back({.number = 0, .spec = 0, .starts_at = milliseconds(50)});
  for (int i = 0; i < 80; ++i) {
    PlannedTransaction transaction;
    transaction.pause_before = milliseconds(100);
    transaction.statements.push_back({sim::postgres::StatementKind::update,
                                      plan.tables[0].name,
                                      {{"v", std::to_string(i % 7)}},
                                      {{"id", std::to_string(1 + i % 3)}},
                                      {}});
    transaction.pauses.emplace_back();
    plan.transactions.push_back(std::move(transaction));
  }
  return plan;
}

Plan with(AlterationKind kind, const char* column, Duration undone_after) {
  Plan plan = quiet_plan();
  plan.alterations.push_back({.kind = kind,
                              .table = "t0",
                              .column = column,
                              .at = seconds(2),
                              .undone_after = undone_after});
  return plan;
}

RunReport run(const Plan& plan, std::optional<Guard> off = std::nullopt) {
  RunOptions options;
  if (off) options.weakened.guards.switch_off(*off);
  return run_plan(plan, options);
}

std::string objections(const RunReport& report) {
  std::string text;
  for (const oracle::Violation& violation : report.violations)
    text += "\n  " + violation.property + ": " + violation.what;
  return text;
}

void expect_pass(const Plan& plan, std::uint64_t conflicts) {
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_EQ(report.legitimate_conflicts, conflicts);
  EXPECT_GT(report.compared_markers, 20U);
}

void expect_objection(const Plan& plan, Guard off, const std::string& property) {
  const RunReport report = run(plan, off);
  ASSERT_TRUE(report.failed()) << k_guards[static_cast<std::size_t>(off)].name;
  EXPECT_EQ(report.violations.front().property, property) << objections(report);
}

// Clients of before would be sent a NULL where they were told that there is none (§18.4). When it
// is NOT NULL again nothing ends.
TEST(Alterations, AColumnThatBecomesNullableEndsItsShapesOnce) {
  expect_pass(with(AlterationKind::drop_not_null, "v", milliseconds(2'000)), 1);
}

// The defect of review 3: nobody noticed, and the shape served the rows of a table that was gone.
TEST(Alterations, ATableMadeAgainUnderItsNameEndsItsShapes) {
  Plan plan = with(AlterationKind::recreate_table, "", milliseconds(300));
  expect_pass(plan, 1);
}

TEST(Alterations, ATableMadeAgainIsPublishedAgain) {
  Plan plan = with(AlterationKind::replace_table, "", milliseconds(0));
  plan.knobs.schema_reconciler_period = milliseconds(400);
  expect_pass(plan, 1);
}

TEST(Alterations, ATableThatWasAwayBetweenTwoLooksIsTheSame) {
  expect_pass(with(AlterationKind::rename_table, "", milliseconds(300)), 0);
}

TEST(Alterations, AColumnAddedAndDroppedBetweenTwoChangesIsNone) {
  expect_pass(with(AlterationKind::add_column, "extra", milliseconds(10)), 0);
}

TEST(Alterations, AColumnOfAllEndsAShapeOnceTheStreamShowsIt) {
  expect_pass(with(AlterationKind::add_column, "extra", milliseconds(2'000)), 2);
  expect_pass(with(AlterationKind::change_type, "v", milliseconds(2'000)), 2);
  expect_pass(with(AlterationKind::rename_column, "score", milliseconds(2'000)), 2);
}

TEST(Alterations, AColumnThatIsNotSelectedIsNobodysBusiness) {
  for (const AlterationKind kind : {AlterationKind::add_column, AlterationKind::drop_column}) {
    Plan plan =
        with(kind, kind == AlterationKind::add_column ? "extra" : "score", milliseconds(2'000));
    plan.specs[0].columns = {"id", "v"};
    plan.knobs.schema_reconciler_period = milliseconds(400);
    expect_pass(plan, 0);
  }
}

// The stream describes the table as before, but the cells of the column are gone.
TEST(Alterations, AColumnDroppedAndAddedAgainIsAnotherOne) {
  Plan plan = with(AlterationKind::drop_column, "at", milliseconds(0));
  for (sim::postgres::Statement& row : plan.initial_rows)
    row.set.emplace_back("at", "2026-01-01 00:00:00+00");
  expect_pass(plan, 1);
  for (const Guard off :
       {Guard::catalogue_asked_before_new_format, Guard::live_shapes_fit_the_catalogue})
    expect_objection(plan, off, oracle::property::schema_kept);
}

bool reached(const RunReport& report, Mark mark) {
  return report.marks[static_cast<std::size_t>(mark)] > 0;
}

// The defect: the decoder took such an update for an error, in every session again.
TEST(Alterations, ATableThatLosesItsIdentityEndsItsShapesWithItsNextUpdate) {
  const RunReport report = run(with(AlterationKind::lose_identity, "", milliseconds(2'000)));
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_EQ(report.legitimate_conflicts, 1U);
  EXPECT_TRUE(reached(report, Mark::shape_removed_by_replica_identity));
}

TEST(Alterations, AnIdentityThatIsLostIsSetAgainBeforeAnythingIsWritten) {
  Plan plan = with(AlterationKind::lose_identity, "", milliseconds(6'000));
  plan.transactions.resize(10);
  plan.knobs.schema_reconciler_period = milliseconds(400);
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_EQ(report.legitimate_conflicts, 0U);
  EXPECT_TRUE(reached(report, Mark::replica_identity_set_again));
}

// What is written meanwhile is in no stream.
TEST(Alterations, ATableThatSomebodyTakesOutOfThePublicationEndsItsShapes) {
  Plan plan = with(AlterationKind::unpublish, "", milliseconds(1'000));
  plan.knobs.schema_reconciler_period = milliseconds(400);
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_EQ(report.legitimate_conflicts, 1U);
  EXPECT_TRUE(reached(report, Mark::shape_removed_unpublished));
}

// Nobody looked while it was out: what tells is that it is in since later than the snapshot.
TEST(Alterations, ATableThatIsBackInThePublicationBeforeAnybodyLooksEndsItsShapesAllTheSame) {
  Plan plan = with(AlterationKind::unpublish, "", milliseconds(250));
  sim::postgres::Statement late = plan.initial_rows[0];
  late.set[0].second = "9";
  plan.transactions[20].statements = {late};
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_EQ(report.legitimate_conflicts, 1U);
  expect_objection(plan, Guard::unpublished_table_ends_its_shapes,
                   oracle::property::view_equals_query);
}

// Seed 210641 of mixed: the model asserted that there is a publication.
TEST(Alterations, ATableTakenOutAndPutBackBeforeThereIsAPublicationEndsNothing) {
  for (const AlterationKind kind : {AlterationKind::unpublish, AlterationKind::lose_identity}) {
    Plan plan = with(kind, "", milliseconds(0));
    plan.alterations[0].at = milliseconds(0);
    const RunReport report = run(plan);
    EXPECT_FALSE(report.failed()) << objections(report);
    EXPECT_EQ(report.legitimate_conflicts, 0U);
    EXPECT_GT(report.requests, 20U);
  }
}

// The defect: a request without a handle made one shape after the other.
TEST(Alterations, WhoMayNotReadATableIsToldSo) {
  Plan plan = with(AlterationKind::revoke, "", milliseconds(3'000));
  plan.clients[0].starts_at = milliseconds(2'100);
  const RunReport report = run(plan);
  EXPECT_FALSE(report.failed()) << objections(report);
  EXPECT_TRUE(reached(report, Mark::snapshot_failure_told));
}

TEST(Alterations, WhoKeepsThePublicationByHandIsToldWhatIsMissing) {
  for (const AlterationKind kind : {AlterationKind::unpublish, AlterationKind::lose_identity}) {
    Plan plan = with(kind, "", milliseconds(3'000));
    plan.clients[0].starts_at = milliseconds(2'100);
    plan.knobs.manual_publishing = 1;
    const RunReport report = run(plan);
    EXPECT_FALSE(report.failed()) << objections(report);
    EXPECT_TRUE(reached(report, Mark::snapshot_failure_told));
    EXPECT_FALSE(reached(report, Mark::replica_identity_set_again));
  }
}

// The table that was there before has another name now, and nobody asks for it.
TEST(Alterations, ATableThatNoShapeReadsLeavesThePublication) {
  Plan plan = with(AlterationKind::replace_table, "", milliseconds(0));
  EXPECT_TRUE(reached(run(plan), Mark::table_left_the_publication));
}

// Seed 1569 of mixed: nobody tells who stands by that a table has changed. It led, took a request
// for one of the table as it remembered it, and refused the handle of a shape that lived (I-43).
TEST(Alterations, WhoStoodByWhileATableChangedDoesNotRefuseTheHandleOfItsNewShape) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Plan plan = with(AlterationKind::replace_table, "", milliseconds(0));
    plan.seed = seed;
    plan.knobs.schema_reconciler_period = milliseconds(400);
    plan.restarts.push_back({.kind = RestartKind::rolling,
                             .after = milliseconds(1'000),
                             .overlap = milliseconds(3'000)});
    const RunReport report = run(plan);
    EXPECT_FALSE(report.failed()) << seed << objections(report);
    EXPECT_EQ(report.legitimate_conflicts, 1U) << seed;
  }
}

// Between a request's look at the catalogue and the snapshot of its shape.
TEST(Alterations, ASnapshotIsOfTheTableThatItsShapeWasDefinedOn) {
  for (std::uint64_t steps = 0; steps < 24; ++steps) {
    Plan plan = with(AlterationKind::replace_table, "", milliseconds(0));
    plan.clients[0].starts_at = milliseconds(2'100);
    plan.alterations[0].moment = Moment::snapshot;
    plan.alterations[0].pick = steps;
    const RunReport report = run(plan);
    EXPECT_FALSE(report.failed()) << steps << objections(report);
  }
}

}  // namespace
}  // namespace holdfast::scenarios
