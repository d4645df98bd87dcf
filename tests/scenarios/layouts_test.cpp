// The layouts of tables that plans of `mixed` have: each is drawn, differs from the usual one in
// nothing but its keys, and stays a plan that can be run when the reducer takes parts away.
#include "scenarios/plans/layouts.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "scenarios/plans/plan.hpp"
#include "scenarios/plans/workload.hpp"
#include "scenarios/reduction/choices.hpp"
#include "scenarios/repro/repro.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::Statement;
using sim::postgres::StatementKind;

std::set<TableLayout> layouts_of(const Plan& plan) {
  std::set<TableLayout> layouts;
  for (const auto& table : plan.tables) layouts.insert(layout_of(table));
  return layouts;
}

/// A plan of `mixed` with a table of this layout.
Plan plan_with(TableLayout layout) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed)
    if (Plan plan = make_plan("mixed", seed); layouts_of(plan).contains(layout)) return plan;
  ADD_FAILURE() << "no plan of 1,000 has this layout";
  return {};
}

std::vector<std::string> cells_called(const Plan& plan, const std::string& column) {
  std::vector<std::string> cells;
  const auto look = [&](const Statement& statement) {
    if (statement.kind != StatementKind::insert) return;
    for (const auto& [name, text] : statement.set)
      if (name == column) cells.push_back(statement.table.table + " " + text.value_or("NULL"));
  };
  for (const Statement& row : plan.initial_rows) look(row);
  for (const PlannedTransaction& transaction : plan.transactions)
    for (const Statement& statement : transaction.statements) look(statement);
  return cells;
}

TEST(Layouts, AreAllInMixedAndOnlyTheUsualOneInTheBenchmark) {
  std::set<TableLayout> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    seen.merge(layouts_of(make_plan("mixed", seed)));
    EXPECT_EQ(layouts_of(make_plan("reference", seed)), std::set<TableLayout>{TableLayout::usual});
  }
  EXPECT_EQ(seen.size(), k_table_layouts);
}

TEST(Layouts, OfACompositeKeyNameTheKeyInTheOrderOfItsIndex) {
  const Plan plan = plan_with(TableLayout::composite);
  bool described = false;
  for (const oracle::ShapeSpec& spec : plan.specs) {
    if (spec.key_columns.size() != 2) continue;
    described = true;
    EXPECT_EQ(spec.key_columns, (std::vector<std::string>{"part", "id"}));
    EXPECT_EQ(spec.all_columns.front(), "id");
    EXPECT_EQ(spec.all_columns.back(), "part");
  }
  EXPECT_TRUE(described);
}

TEST(Layouts, WithoutAKeyKeepAllRowsApart) {
  const Plan plan = plan_with(TableLayout::keyless);
  const std::vector<std::string> entries = cells_called(plan, "entry");
  EXPECT_FALSE(entries.empty());
  EXPECT_EQ(std::set(entries.begin(), entries.end()).size(), entries.size());
  for (const oracle::ShapeSpec& spec : plan.specs)
    if (spec.key_columns.empty() && !spec.columns.empty()) {
      EXPECT_EQ(spec.columns, spec.all_columns) << "the key is all columns";
    }
}

TEST(Layouts, LeaveTheOtherChoicesOfAPlanAsTheyWere) {
  Plan usual = make_plan("reference", 5);
  Plan other = usual;
  lay_out(other, 0, TableLayout::key_elsewhere);
  EXPECT_NE(other.tables, usual.tables);
  other.tables = usual.tables;
  for (std::size_t i = 0; i < usual.specs.size(); ++i)
    other.specs[i].all_columns = usual.specs[i].all_columns;
  EXPECT_EQ(other, usual);
}

class EachLayout : public ::testing::TestWithParam<TableLayout> {};

TEST_P(EachLayout, IsStillAPlanWhateverTheReducerTakesAway) {
  const Plan plan = plan_with(GetParam());
  for (const ChoiceKind kind : choice_kinds())
    for (std::size_t i = 0; i < count_of(plan, kind); ++i) {
      Repro repro;
      repro.plan = without(plan, kind, i, i + 1);
      const auto read = parse_repro(to_text(repro), "file.json");
      ASSERT_TRUE(read.ok()) << name_of(kind) << " " << i << ": " << read.error().message;
    }
}

INSTANTIATE_TEST_SUITE_P(Layouts, EachLayout,
                         ::testing::Values(TableLayout::usual, TableLayout::key_elsewhere,
                                           TableLayout::composite, TableLayout::keyless));

}  // namespace
}  // namespace holdfast::scenarios
