// Histories of the workloads with subqueries, on the model and on a real Postgres: both accept the
// same statements, and every shape's query chooses the same rows after each transaction. What the
// oracle takes for the truth of such shapes is Postgres' own.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "scenarios/model_truth.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/subqueries/subquery_workload.hpp"
#include "tests/postgres_model/generate.hpp"
#include "tests/postgres_model/real_server.hpp"

namespace holdfast::test {
namespace {

using namespace scenarios;      // NOLINT: its workloads
using namespace sim::postgres;  // NOLINT: and their statements

constexpr std::uint64_t k_keys = 6;

class RealSubqueries : public ::testing::TestWithParam<SubqueryWorkload> {
 protected:
  void start(const Draws& draws) {
    model_ = std::make_unique<PostgresModel>();
    truth_ = std::make_unique<ModelTruth>(*model_);
    const auto tables = make_subquery_tables(GetParam());
    for (const TableDefinition& table : tables) {
      model_->create_table(table);
      real_.must("DROP TABLE IF EXISTS " + quote_relation(table.name) + "; " + create_sql(table));
    }
    for (std::size_t t = 0; t < tables.size(); ++t)
      for (std::uint64_t key = 0; key < k_keys; ++key)
        if (draws.percent(70, "present", t * k_keys + key))
          transaction({make_subquery_row(GetParam(), t, key, draws.of("row", t * k_keys + key))});
    specs_.clear();
    for (unsigned i = 0; i < 8; ++i)
      specs_.push_back(
          make_subquery_spec(GetParam(), "s" + std::to_string(i), k_keys, draws.of("spec", i)));
  }

  void transaction(const std::vector<Statement>& statements) {
    const Session session = model_->begin();
    real_.must("BEGIN");
    bool accepted = true;
    for (const Statement& statement : statements) {
      const auto ours = model_->execute(session, statement);
      const RealResult theirs = real_.run(statement.to_sql());
      accepted = ours.outcome == ExecuteOutcome::ok;
      ASSERT_EQ(accepted, theirs.ok()) << statement.to_sql() << "\n"
                                       << ours.error.message << "\n"
                                       << theirs.message;
      if (!accepted) break;
    }
    real_.must(accepted ? "COMMIT" : "ROLLBACK");
    if (accepted)
      model_->commit(session, Synchronous::on);
    else
      model_->rollback(session);
  }

  void compare() {
    const oracle::VisibleSet now{truth_->last_commit(), {1, 1, {}}};
    for (const oracle::ShapeSpec& spec : specs_) {
      const oracle::Rows ours = truth_->rows(spec, now);
      const RealResult theirs = real_.must("SELECT id FROM " + spec.table + " WHERE " + spec.where);
      std::set<std::string> found;
      for (const auto& row : theirs.rows) found.insert(oracle::key_of(spec, {row.front()}));
      std::set<std::string> wanted;
      for (const auto& [key, cells] : ours) wanted.insert(key);
      ASSERT_EQ(wanted, found) << spec.where;
      changed_ += last_[spec.name] != wanted ? 1 : 0;
      last_[spec.name] = wanted;
    }
  }

  RealConnection real_{real_server().url()};
  std::unique_ptr<PostgresModel> model_;
  std::unique_ptr<ModelTruth> truth_;
  std::vector<oracle::ShapeSpec> specs_;
  std::map<std::string, std::set<std::string>> last_;
  unsigned changed_ = 0;
};

TEST_P(RealSubqueries, ShapesHaveTheSameRowsAfterEachTransaction) {
  const char* checks = std::getenv("HOLDFAST_MODEL_CHECKS");
  const unsigned histories =
      4 * (checks == nullptr ? 1U : static_cast<unsigned>(std::atoi(checks)));
  for (unsigned history = 0; history < histories; ++history) {
    const Draws draws =
        Draws(history).of("subqueries", static_cast<std::uint64_t>(GetParam().world));
    start(draws);
    for (unsigned t = 0; t < 25; ++t) {
      std::vector<Statement> statements;
      for (unsigned m = 0; m < 1 + t % 4; ++m)
        for (Statement& one :
             with_room(make_subquery_mutation(GetParam(), k_keys, draws.of("t", t).of("m", m))))
          statements.push_back(std::move(one));
      transaction(statements);
      compare();
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(changed_, histories * 10) << "many transactions change some shape";
}

INSTANTIATE_TEST_SUITE_P(
    Worlds, RealSubqueries,
    ::testing::Values(
        SubqueryWorkload{SubqueryWorld::hierarchy}, SubqueryWorkload{SubqueryWorld::tracker},
        SubqueryWorkload{SubqueryWorld::access}, SubqueryWorkload{SubqueryWorld::awkward},
        SubqueryWorkload{.world = SubqueryWorld::hierarchy, .many_nulls = true},
        SubqueryWorkload{.world = SubqueryWorld::hierarchy, .key_type = TypeId::numeric},
        SubqueryWorkload{.world = SubqueryWorld::tracker, .key_type = TypeId::int4},
        SubqueryWorkload{.world = SubqueryWorld::access, .key_type = TypeId::numeric}));

}  // namespace
}  // namespace holdfast::test
