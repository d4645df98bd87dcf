// Generated conditions mean the same to three: the engine's evaluator (core/where), the model's
// interpreter, by which the oracle judges the engine, and a real Postgres, which has the last word.
#include <gtest/gtest.h>

#include "core/where/condition.hpp"
#include "tests/postgres_model/generate.hpp"
#include "tests/postgres_model/generate_subquery.hpp"
#include "tests/postgres_model/real_server.hpp"
#include "tests/where/clause_generator.hpp"

namespace holdfast::test {
namespace {

using namespace sim::postgres;  // NOLINT: the test is about nothing else

/// Errors compare by class: which of two failing operands is reported is the planner's choice.
std::string error_class(const std::string& sqlstate) {
  return sqlstate.substr(0, 2);
}

bool compound(const std::string& condition) {
  return condition.find(" AND ") != std::string::npos ||
         condition.find(" OR ") != std::string::npos;
}

/// The server computes constants after it has looked at the whole statement, the model at once: of
/// two mistakes in different places they may name different ones.
bool same_error(const std::string& ours, const std::string& theirs, const std::string& condition) {
  return error_class(ours) == error_class(theirs) ||
         (error_class(ours) == "22" && error_class(theirs) == "42" && compound(condition));
}

/// Whether a failing operand stands beside others: then the planner decides if it is reached.
bool may_fail_unreached(const std::string& condition) {
  if (!compound(condition)) return false;
  for (const char* failing : {"t::int4", "i4 / i2", "i4::int2", "f8::int4", "f8::float4", "5874897",
                              "n * 2", "+ i2", "-i4", "\\'"})
    if (condition.find(failing) != std::string::npos) return true;
  return false;
}

/// What a condition is for each row, by id: 't', 'f' or '?' (unknown). Or why not.
struct Truths {
  std::string sqlstate;
  std::string message;
  std::map<int, char> by_id;
  bool ok() const { return sqlstate.empty(); }
};

class RealCondition : public ::testing::Test {
 protected:
  void fill(Dice& dice, int rows) {
    model = std::make_unique<PostgresModel>();
    model->create_table(wide_table());
    real.must("DROP TABLE IF EXISTS wide; " + create_sql(wide_table()));
    for (int id = 0; id < rows; ++id) {
      Statement insert{
          StatementKind::insert, wide_table().name, {{"id", std::to_string(id)}}, {}, {}};
      for (const Column& column : wide_table().columns)
        if (column.key_position == 0 && dice.chance(80))
          insert.set.emplace_back(column.name, generate_text(dice, column.type));
      const Session session = model->begin();
      const auto result = model->execute(session, insert);
      model->commit(session, Synchronous::on);
      const RealResult answer = real.run(insert.to_sql());
      ASSERT_EQ(result.outcome == ExecuteOutcome::ok, answer.ok())
          << insert.to_sql() << "\nmodel: " << result.error.message << "\nreal: " << answer.message;
      if (!answer.ok()) {
        ASSERT_EQ(error_class(result.error.sqlstate), error_class(answer.sqlstate))
            << insert.to_sql() << "\nmodel: " << result.error.message
            << "\nreal: " << answer.message;
      }
    }
    // As output functions print them, which is what the stream carries to the engine.
    stored = real.must("TABLE wide").rows;
  }

  Truths truths_of_real(const std::string& condition, const std::string& of_rows = "true") {
    const RealResult answer = real.run("SELECT id, (" + condition + ") FROM wide WHERE " + of_rows);
    Truths truths{answer.sqlstate, answer.message, {}};
    for (const auto& row : answer.rows)
      truths.by_id[std::stoi(*row[0])] = row[1] ? row[1]->front() : '?';
    return truths;
  }

  std::set<int> ids_of_model(const std::string& condition, Truths& truths) {
    VisibleSet all;
    all.up_to = {UINT64_MAX};
    const auto rows = model->rows(wide_table().name, {"id"}, condition, all);
    if (!rows.ok()) truths.sqlstate = rows.error().sqlstate, truths.message = rows.error().message;
    std::set<int> ids;
    if (rows.ok())
      for (const auto& [key, cells] : *rows) ids.insert(std::stoi(*key.front()));
    return ids;
  }

  /// The model answers which rows satisfy a condition; those of its negation are the false ones.
  Truths truths_of_model(const std::string& condition) {
    Truths truths;
    const std::set<int> yes = ids_of_model(condition, truths);
    const std::set<int> no = ids_of_model("NOT (" + condition + ")", truths);
    for (const auto& row : stored) {
      const int id = std::stoi(*row[0]);
      truths.by_id[id] = yes.count(id) != 0 ? 't' : no.count(id) != 0 ? 'f' : '?';
    }
    return truths;
  }

  /// Rows on which the real server fails would fail a shape's snapshot: nothing to agree about.
  void compare_core(const std::string& condition, const Truths& theirs) {
    const auto relation = model->describe(wide_table().name);
    const auto compiled = where::Condition::compile(condition, {}, *relation);
    if (!compiled.ok()) {
      ++refused_by_core;
      return;
    }
    if (!theirs.ok()) {
      EXPECT_EQ(error_class(theirs.sqlstate), "22")
          << "core accepts what the server refuses: " << condition << '\n'
          << theirs.message;
      return;
    }
    compare_canonical(*compiled, theirs);
    for (const auto& row : stored) {
      const holdfast::postgres::Tuple tuple(row.begin(), row.end());
      const where::Truth truth = compiled->evaluate(tuple);
      const char ours = truth == where::Truth::yes ? 't' : truth == where::Truth::no ? 'f' : '?';
      const int id = std::stoi(*row[0]);
      EXPECT_EQ(ours, theirs.by_id.at(id)) << "core/where: " << condition << "\nrow " << id;
      ++pairs_of_three;
    }
  }

  /// The query of a shape is this text, on the real server and on the model.
  void compare_canonical(const where::Condition& compiled, const Truths& theirs) {
    const std::string& text = compiled.canonical_sql();
    std::set<int> expected;
    for (const auto& [id, truth] : theirs.by_id)
      if (truth == 't') expected.insert(id);
    const RealResult answer = real.run(shape_sql({wide_table().name, {"id"}, text}));
    ASSERT_TRUE(answer.ok()) << text << '\n' << answer.message;
    std::set<int> chosen;
    for (const auto& row : answer.rows) chosen.insert(std::stoi(*row[0]));
    EXPECT_EQ(chosen, expected) << text;
    Truths ours;
    const std::set<int> of_model = ids_of_model(text, ours);
    if (ours.sqlstate == "0A000") {
      ++canonical_not_interpreted;
      return;
    }
    ASSERT_TRUE(ours.ok()) << text << '\n' << ours.message;
    EXPECT_EQ(of_model, expected) << text;
    ++canonical;
  }

  /// As the WHERE of a query, where the planner has its say, and as a value for every row.
  void compare(const std::string& condition) {
    Truths chosen;
    const std::set<int> ours = ids_of_model(condition, chosen);
    if (chosen.sqlstate == "0A000") {
      ++not_interpreted;
      compare_core(condition, truths_of_real(condition));
      return;
    }
    const RealResult theirs = real.run("SELECT id FROM wide WHERE " + condition);
    const Truths real_truths = truths_of_real(condition);
    compare_core(condition, real_truths);
    if (chosen.ok() != theirs.ok() && may_fail_unreached(condition)) return;
    ASSERT_EQ(chosen.ok(), theirs.ok())
        << condition << "\nmodel: " << chosen.message << "\nreal: " << theirs.message;
    if (!theirs.ok()) {
      ++failed;
      EXPECT_TRUE(same_error(chosen.sqlstate, theirs.sqlstate, condition))
          << condition << "\nmodel: " << chosen.message << "\nreal: " << theirs.message;
      if (error_class(theirs.sqlstate) == "22") compare_row_by_row(condition);
      return;
    }
    ++answered;
    std::set<int> their_ids;
    for (const auto& row : theirs.rows) their_ids.insert(std::stoi(*row.front()));
    EXPECT_EQ(ours, their_ids) << condition;
    const Truths model_truths = truths_of_model(condition);
    if (!model_truths.ok() || !real_truths.ok()) return;
    EXPECT_EQ(model_truths.by_id, real_truths.by_id) << condition;
    pairs += stored.size();
    chosen_rows += ours.size();
  }

  /// Some rows fail: which they are, and what the condition is for the others.
  void compare_row_by_row(const std::string& condition) {
    if (may_fail_unreached(condition)) return;
    for (const auto& row : stored) {
      const std::string only = "id = " + *row[0];
      const Truths theirs = truths_of_real(condition, only);
      Truths ours;
      const bool yes = !ids_of_model(only + " AND (" + condition + ")", ours).empty();
      ASSERT_EQ(ours.ok(), theirs.ok())
          << condition << "\nmodel: " << ours.message << "\nreal: " << theirs.message;
      ++pairs;
      if (!theirs.ok()) continue;
      EXPECT_EQ(yes, theirs.by_id.at(std::stoi(*row[0])) == 't') << condition << row[0].value();
    }
  }

  std::unique_ptr<PostgresModel> model;
  RealConnection real{real_server().url()};
  std::vector<std::vector<std::optional<std::string>>> stored;
  unsigned answered = 0;
  unsigned failed = 0;
  unsigned not_interpreted = 0;
  unsigned refused_by_core = 0;
  unsigned canonical = 0;
  unsigned canonical_not_interpreted = 0;
  std::size_t pairs = 0;
  std::size_t pairs_of_three = 0;
  std::size_t chosen_rows = 0;
};

TEST_F(RealCondition, GeneratedConditionsAreTrueOfTheSameRows) {
  constexpr unsigned k_conditions_per_table = 1000;
  const unsigned tables = 3 * effort();
  for (unsigned table = 0; table < tables && !HasFailure(); ++table) {
    Dice dice(20240229 + table);
    fill(dice, 60);
    where::test::ClauseGenerator clauses(table, where::test::ClauseGenerator::OpaqueColumn::none);
    for (unsigned i = 0; i < k_conditions_per_table && !HasFailure(); ++i) {
      const auto depth = static_cast<unsigned>(dice.roll(4));
      compare(dice.chance(50) ? generate_condition(dice, depth) : clauses.clause());
    }
  }
  if (HasFailure()) return;
  const unsigned conditions = tables * k_conditions_per_table;
  std::printf(
      "%u answered, %u refused by both, %u not interpreted by the model, %u not accepted by core; "
      "%u canonical texts by both (%u not interpreted); %zu pairs, %zu of them by all three\n",
      answered, failed, not_interpreted, refused_by_core, canonical, canonical_not_interpreted,
      pairs, pairs_of_three);
  EXPECT_GT(answered, conditions / 2);
  EXPECT_LT(not_interpreted, conditions / 50);
  EXPECT_LT(refused_by_core, conditions / 4);
  EXPECT_GT(canonical, conditions / 2);
  EXPECT_LT(canonical_not_interpreted, conditions / 50);
  EXPECT_GE(pairs, 100'000U);
  EXPECT_GE(pairs_of_three, 100'000U);
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
  EXPECT_GT(chosen_rows, conditions) << "most choose some rows";
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
