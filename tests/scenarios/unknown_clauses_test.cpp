// Clauses that tell unknown from false: an engine that takes one for the other passes a workload
// without them, so each must be accepted, and together they must come out in all three ways.
#include <gtest/gtest.h>

#include "core/where/condition.hpp"
#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

struct Case {
  std::string clause;
  where::Truth truth;
};

/// Every clause on a row that is NULL wherever it may be, and on one that is NULL nowhere.
std::vector<Case> evaluate_drawn_clauses(std::size_t clauses) {
  sim::postgres::PostgresModel model;
  const auto table = make_table(0);
  model.create_table(table);
  const auto relation = *model.describe(table.name);
  // id, v, name, flag, score, at
  const holdfast::postgres::Tuple with_nulls{"1",          "1",          std::nullopt,
                                             std::nullopt, std::nullopt, std::nullopt};
  const holdfast::postgres::Tuple without{"1", "1", "alpha", "t", "1.50", "2026-01-01 00:00:00+00"};
  std::vector<Case> cases;
  for (std::size_t i = 0; i < clauses; ++i) {
    const std::string clause = make_unknown_where(Draws(7).of("clause", i));
    const auto condition = where::Condition::compile(clause, {}, relation);
    EXPECT_TRUE(condition.ok()) << clause << ": " << condition.error().message;
    if (!condition.ok()) continue;
    for (const auto& row : {with_nulls, without})
      cases.push_back({clause, condition->evaluate(row)});
  }
  return cases;
}

TEST(UnknownClauses, AreAllAcceptedAndComeOutInThreeWays) {
  constexpr std::size_t k_clauses = 400;
  const std::vector<Case> cases = evaluate_drawn_clauses(k_clauses);
  ASSERT_EQ(cases.size(), 2 * k_clauses);
  for (const where::Truth truth : {where::Truth::no, where::Truth::yes, where::Truth::unknown})
    EXPECT_GT(std::count_if(cases.begin(), cases.end(),
                            [&](const Case& one) { return one.truth == truth; }),
              k_clauses / 5);
}

TEST(UnknownClauses, StayOutOfTheBenchmark) {
  for (const oracle::ShapeSpec& spec : make_plan("reference", 1).specs)
    for (const char* of_them : {"IS UNKNOWN", "NOT IN (", "BETWEEN NULL", "DISTINCT FROM"})
      EXPECT_EQ(spec.where.find(of_them), std::string::npos) << spec.where;
}

}  // namespace
}  // namespace holdfast::scenarios
