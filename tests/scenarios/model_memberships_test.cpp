// What the oracle is told of membership tests over time must be what the queries say, for every set
// of transactions that a reader may know: a position too few, and it would blame a right engine.
#include "scenarios/subqueries/model_memberships.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "scenarios/model_truth.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/subqueries/subquery_workload.hpp"

namespace holdfast::scenarios {
namespace {

using oracle::TestTruth;
using sim::postgres::Session;
using sim::postgres::Synchronous;

constexpr std::uint64_t k_keys = 4;

struct TestedLiteral {
  const char* literal;
  TestTruth when_chosen;  ///< what the membership test says of the rows that the literal chooses
};
struct Case {
  SubqueryWorkload workload;
  const char* table;
  std::vector<TestedLiteral> tests;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> k_cases = {
      {{SubqueryWorld::access},
       "documents",
       {{"group_id IN (SELECT group_id FROM memberships WHERE role = 'a')", TestTruth::yes},
        {"id NOT IN (SELECT document_id FROM grants WHERE user_id > 1)", TestTruth::no}}},
      {{.world = SubqueryWorld::tracker, .key_type = sim::postgres::TypeId::numeric},
       "issues",
       {{"project_id IN (SELECT id FROM projects WHERE active)", TestTruth::yes}}},
      {{SubqueryWorld::awkward},
       "outer_rows",
       {{"(i, t) NOT IN (SELECT i, t FROM inner_rows WHERE flag)", TestTruth::no},
        {"n IN (SELECT n FROM inner_rows WHERE t <> 'b')", TestTruth::yes}}}};
  return k_cases;
}

class MembershipsOfHistories : public ::testing::TestWithParam<Case> {
 protected:
  void start() {
    model_ = std::make_unique<sim::postgres::PostgresModel>();
    for (const auto& table : make_subquery_tables(GetParam().workload)) {
      model_->create_table(table);
      if (table.name.table == GetParam().table) describe_columns(spec_, table);
    }
    spec_.name = "s0";
    spec_.table = GetParam().table;
    spec_.where.clear();
    for (const TestedLiteral& test : GetParam().tests)
      spec_.where += (spec_.where.empty() ? "" : " AND ") + std::string(test.literal);
    truth_ = std::make_unique<ModelTruth>(*model_);
    open_.clear();
    logged_.clear();
    sets_.clear();
  }

  /// One step of sessions beside each other: their commits become visible in another order than
  /// that of the log.
  void step(const Draws& draws) {
    if (draws.percent(40, "begin") && open_.size() < 4) open_.push_back(model_->begin());
    for (const auto& statement :
         with_room(make_subquery_mutation(GetParam().workload, k_keys, draws.of("mutation")))) {
      if (open_.empty()) break;
      const std::size_t which = draws.below(open_.size(), "session");
      const auto result = model_->execute(open_[which], statement);
      if (result.outcome == sim::postgres::ExecuteOutcome::ok) continue;
      model_->rollback(open_[which]);
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (!open_.empty() && draws.percent(40, "log")) {
      const std::size_t which = draws.below(open_.size(), "logged");
      model_->log_commit(open_[which], Synchronous::on);
      logged_.push_back(open_[which]);
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (!logged_.empty() && draws.percent(40, "show")) {
      const std::size_t which = draws.below(logged_.size(), "shown");
      model_->show_commit(logged_[which]);
      logged_.erase(logged_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (draws.percent(2, "crash")) {
      model_->crash_and_restart();
      open_.clear();
      logged_.clear();
      sets_.clear();
    }
    const auto snapshot = model_->current_snapshot();
    oracle::StatedSnapshot stated{snapshot.xmin.value, snapshot.xmax.value, {}};
    for (const auto xid : snapshot.xip) stated.xip.push_back(xid.value);
    sets_.push_back({0, stated});
  }

  /// The end of the longest part of the log that the set has whole.
  std::uint64_t whole_until(const oracle::VisibleSet& visible) const {
    std::uint64_t end = ~0ULL;
    for (const auto* one : model_->transactions())
      if (!one->dead() && one->commit_lsn.value > 0 && !model_set(visible).contains(*one))
        end = std::min(end, one->commit_lsn.value - 1);
    return end;
  }

  void compare(const oracle::VisibleSet& visible) {
    oracle::Memberships& memberships = *truth_->memberships(spec_);
    ASSERT_TRUE(memberships.refresh());
    ASSERT_EQ(memberships.tests(), GetParam().tests.size());
    const auto rows = memberships.rows(visible);
    const std::uint64_t position = whole_until(visible);
    for (std::size_t test = 0; test < memberships.tests(); ++test) {
      oracle::ShapeSpec one = spec_;
      one.where = GetParam().tests[test].literal;
      const oracle::Rows chosen = truth_->rows(one, visible);
      const TestTruth truth = GetParam().tests[test].when_chosen;
      for (const auto* row : rows) {
        if (!chosen.contains(row->key)) continue;
        ASSERT_TRUE(memberships.earliest(test, row->lefts[test], truth, position))
            << row->key << " of " << one.where << " from " << position << " on";
        found_++;
        if (position < ~0ULL) found_in_the_past_++;
      }
    }
    // By what the tests say at the end of history, the clause chooses what the query does.
    if (position < ~0ULL) return;
    const oracle::Rows query = truth_->rows(spec_, visible);
    for (const auto* row : rows) {
      std::size_t choice = 0;
      for (std::size_t test = memberships.tests(); test-- > 0;) {
        std::size_t now = oracle::k_test_truths;
        for (std::size_t t = 0; t < oracle::k_test_truths; ++t)
          if (memberships.earliest(test, row->lefts[test], static_cast<TestTruth>(t), ~0ULL)) {
            ASSERT_EQ(now, oracle::k_test_truths) << "one truth at a time";
            now = t;
          }
        ASSERT_LT(now, oracle::k_test_truths);
        choice = choice * oracle::k_test_truths + now;
      }
      ASSERT_EQ(row->chosen[choice], query.contains(row->key)) << row->key;
      decided_++;
    }
  }

  std::unique_ptr<sim::postgres::PostgresModel> model_;
  std::unique_ptr<ModelTruth> truth_;
  oracle::ShapeSpec spec_;
  std::vector<Session> open_;
  std::vector<Session> logged_;
  std::vector<oracle::VisibleSet> sets_;
  unsigned found_ = 0;
  unsigned found_in_the_past_ = 0;
  unsigned decided_ = 0;
};

TEST_P(MembershipsOfHistories, AreWhatTheQueriesSayForWhateverAReaderMayKnow) {
  for (unsigned history = 0; history < 600; ++history) {
    start();
    for (unsigned i = 0; i < 60; ++i) {
      const Draws draws = Draws(history).of("step", i);
      step(draws);
      oracle::VisibleSet visible = draws.one_of(sets_, "snapshot");
      // A snapshot, and the log as far as it was read since.
      std::vector<std::uint64_t> commits = {0};
      for (const auto* one : model_->transactions())
        if (!one->dead()) commits.push_back(one->commit_lsn.value);
      visible.up_to = draws.one_of(commits, "up_to");
      compare(visible);
      visible.up_to = truth_->last_commit();
      compare(visible);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(found_, 2'000U);
  EXPECT_GT(found_in_the_past_, 400U);
  EXPECT_GT(decided_, 2'000U);
}

INSTANTIATE_TEST_SUITE_P(Clauses, MembershipsOfHistories, ::testing::ValuesIn(cases()),
                         [](const auto& one) { return std::string(one.param.table); });

}  // namespace
}  // namespace holdfast::scenarios
