// Generated conditions give the same rows on the model and on a real Postgres: the oracle judges
// the engine by the model's interpreter, so the interpreter must be right.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/postgres_model/generate.hpp"
#include "tests/postgres_model/generate_subquery.hpp"
#include "tests/postgres_model/real_server.hpp"

namespace holdfast::test {
namespace {

using namespace sim::postgres;  // NOLINT: the test is about nothing else

/// HOLDFAST_MODEL_CHECKS multiplies what the comparison with a real server runs.
unsigned effort() {
  const char* text = std::getenv("HOLDFAST_MODEL_CHECKS");
  return text == nullptr ? 1U : static_cast<unsigned>(std::atoi(text));
}

/// Errors compare by class: which of two failing operands is reported is the planner's choice.
std::string error_class(const std::string& sqlstate) {
  return sqlstate.substr(0, 2);
}

/// Whether a failing operand stands beside others: then the planner decides if it is reached.
bool may_fail_unreached(const std::string& condition) {
  for (const char* failing :
       {"t::int4", "i4 / i2", "i4::int2", "f8::int4", "n * 2", "+ i2", "-i4", "'%\\'"})
    if (condition.find(failing) != std::string::npos && condition.front() == '(') return true;
  return false;
}

class RealCondition : public ::testing::Test {
 protected:
  void fill(Dice& dice, int rows) {
    model.create_table(wide_table());
    real.must("DROP TABLE IF EXISTS wide; " + create_sql(wide_table()));
    for (int id = 0; id < rows; ++id) {
      Statement insert{
          StatementKind::insert, wide_table().name, {{"id", std::to_string(id)}}, {}, {}};
      for (const Column& column : wide_table().columns)
        if (column.key_position == 0 && dice.chance(80))
          insert.set.emplace_back(column.name, generate_text(dice, column.type));
      const Session session = model.begin();
      const auto result = model.execute(session, insert);
      model.commit(session, Synchronous::on);
      const RealResult answer = real.run(insert.to_sql());
      ASSERT_EQ(result.outcome == ExecuteOutcome::ok, answer.ok())
          << insert.to_sql() << "\nmodel: " << result.error.message << "\nreal: " << answer.message;
      if (!answer.ok()) {
        ASSERT_EQ(error_class(result.error.sqlstate), error_class(answer.sqlstate))
            << insert.to_sql() << "\nmodel: " << result.error.message
            << "\nreal: " << answer.message;
      }
    }
  }

  void compare(const std::string& condition) {
    VisibleSet all;
    all.up_to = {UINT64_MAX};
    const auto ours = model.rows(wide_table().name, {"id"}, condition, all);
    const RealResult theirs = real.run("SELECT id FROM wide WHERE " + condition + " ORDER BY id");
    if (!ours.ok() && ours.error().sqlstate == "0A000") {
      ++not_interpreted;
      return;
    }
    if (ours.ok() != theirs.ok() && may_fail_unreached(condition)) return;
    EXPECT_EQ(ours.ok(), theirs.ok())
        << condition << "\nmodel: " << (ours.ok() ? "" : ours.error().message)
        << "\nreal: " << theirs.message;
    if (ours.ok() != theirs.ok()) return;
    ++(theirs.ok() ? answered : failed);
    if (!theirs.ok()) {
      EXPECT_EQ(error_class(ours.error().sqlstate), error_class(theirs.sqlstate))
          << condition << "\nmodel: " << ours.error().message << "\nreal: " << theirs.message;
      return;
    }
    std::vector<int> our_ids;
    for (const auto& [key, cells] : *ours) our_ids.push_back(std::stoi(key.front()));
    std::sort(our_ids.begin(), our_ids.end());
    std::vector<int> their_ids;
    for (const auto& row : theirs.rows) their_ids.push_back(std::stoi(*row.front()));
    EXPECT_EQ(our_ids, their_ids) << condition;
    chosen += our_ids.size();
  }

  PostgresModel model;
  RealConnection real{real_server().url()};
  unsigned answered = 0;
  unsigned failed = 0;
  unsigned not_interpreted = 0;
  std::size_t chosen = 0;  ///< rows
};

TEST_F(RealCondition, GeneratedConditionsChooseTheSameRows) {
  Dice dice(20240229);
  fill(dice, 60);
  const unsigned conditions = 3000 * effort();
  for (unsigned i = 0; i < conditions && !HasFatalFailure(); ++i) {
    const auto depth = static_cast<unsigned>(dice.roll(4));
    compare(generate_condition(dice, depth));
  }
  EXPECT_GT(answered, conditions / 2);
  EXPECT_LT(not_interpreted, conditions / 50);
  std::printf("%u answered, %u refused by both, %u not interpreted\n", answered, failed,
              not_interpreted);
}

TEST_F(RealCondition, GeneratedSubSelectsAndArraysChooseTheSameRows) {
  Dice dice(20261123);
  fill(dice, 60);
  const unsigned conditions = 1000 * effort();
  for (unsigned i = 0; i < conditions && !HasFatalFailure(); ++i) {
    const auto depth = static_cast<unsigned>(1 + dice.roll(4));
    compare(generate_subquery_condition(dice, depth));
  }
  EXPECT_GT(answered, conditions / 2);
  EXPECT_GT(chosen, conditions) << "most choose some rows";
  EXPECT_LT(not_interpreted, conditions / 20);
  std::printf("%u answered, %u refused by both, %u not interpreted\n", answered, failed,
              not_interpreted);
}

TEST_F(RealCondition, DeeplyNestedConditionsNeedNoStackOfTheCaller) {
  Dice dice(1);
  fill(dice, 5);
  std::string condition = "id = 1";
  for (int i = 0; i < 301; ++i) condition = "NOT (" + condition + ")";
  compare(condition);
  EXPECT_EQ(answered, 1U);
}

}  // namespace
}  // namespace holdfast::test
