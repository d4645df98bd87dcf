// The heart of shapes with subqueries: whatever transactions, moves, snapshots and restarts come in
// whatever order, who applies the log has the rows of the query (engine.md §3.5–§3.8). And each
// rule is needed: without it the same property fails.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "tests/subquery/history.hpp"

namespace holdfast::subquery {
namespace {

using test::History;
using test::Plot;

std::uint64_t histories() {
  const char* chosen = std::getenv("HOLDFAST_SPLICE_HISTORIES");
  return chosen == nullptr ? 1500 : std::strtoull(chosen, nullptr, 10);
}

TEST(Splice, GivesTheRowsOfTheQueryInEveryHistory) {
  test::Tally total;
  for (std::uint64_t seed = 1; seed <= histories(); ++seed) {
    Plot plot;
    plot.piece_bytes = seed % 2 == 0 ? 1 : plot.piece_bytes;
    plot.in_parts = seed % 4 < 2;
    History history(seed, plot);
    ASSERT_EQ(history.run(), "") << "seed " << seed;
    total.checks += history.tally.checks;
    total.rows += history.tally.rows;
    total.moves += history.tally.moves;
    total.restarts += history.tally.restarts;
    total.requeries += history.tally.requeries;
    total.pieces += history.tally.pieces;
    total.read_back += history.tally.read_back;
    total.parts += history.tally.parts;
    total.parts_cut += history.tally.parts_cut;
  }
  EXPECT_GT(total.rows, total.checks) << "shapes are not empty";
  EXPECT_GT(total.moves, 3 * histories());
  EXPECT_GT(total.restarts, histories());
  EXPECT_GT(total.requeries, histories() / 2);
  EXPECT_GT(total.pieces, histories() / 2);
  EXPECT_GT(total.read_back, histories() / 2);
  EXPECT_GT(total.parts, histories() / 4);
  EXPECT_GT(total.parts_cut, histories() / 16);
  RecordProperty("checks", static_cast<int>(total.checks));
  RecordProperty("rows", static_cast<int>(total.rows));
}

/// The first history that objects; 0: none does.
std::uint64_t first_objection(const std::function<void(Plot&)>& spoil) {
  for (std::uint64_t seed = 1; seed <= histories(); ++seed) {
    Plot plot;
    plot.nested = false;  // a broken inner log is an assertion of the materializer above it
    spoil(plot);
    History history(seed, plot);
    if (!history.run().empty()) return seed;
  }
  return 0;
}

TEST(Splice, NeedsEachOfItsRules) {
  const std::pair<const char*, std::function<void(Plot&)>> cases[] = {
      {"F-26", [](Plot& p) { p.mistakes.snapshot_by_sql_subquery = true; }},
      {"F-30", [](Plot& p) { p.rules.wait_for_the_insert_position = false; }},
      {"F-31", [](Plot& p) { p.mistakes.exclusion_may_be_null = true; }},
      {"F-32", [](Plot& p) { p.rules.negate_before_coercing = false; }},
      {"F-61", [](Plot& p) { p.rules.hash_canonical_values = false; }},
      {"F-62", [](Plot& p) { p.rules.cancel_within_a_commit = false; }},
      {"F-63", [](Plot& p) { p.mistakes.broaden_after_the_query = true; }},
      {"F-64", [](Plot& p) { p.mistakes.accept_what_was_streamed = true; }},
      {"F-67", [](Plot& p) { p.rules.convert_at_the_splice = false; }},
      {"F-80", [](Plot& p) { p.rules.attempts_have_numbers = false; }},
      {"B2", [](Plot& p) { p.rules.drop_replayed_transactions = false; }},
      {"3.6", [](Plot& p) { p.rules.query_again_on_inversion = false; }},
  };
  for (const auto& [name, spoil] : cases) {
    const std::uint64_t seed = first_objection(spoil);
    EXPECT_NE(seed, 0U) << name << " is not needed";
    RecordProperty(name, static_cast<int>(seed));
  }
}

}  // namespace
}  // namespace holdfast::subquery
