// Generators of workloads whose shapes have subqueries: tables that refer to each other, rows,
// mutations that move rows in and out, where clauses. Keyed draws; shared by simulator and tests.
// They favour edges: NULL references, toggles within a transaction, equal values of unequal texts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/shape_spec.hpp"
#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

enum class SubqueryWorld : std::uint8_t {
  hierarchy,  ///< four levels, each row with a parent, an `active` and tags in a table of their own
  tracker,    ///< projects and issues
  access,     ///< documents that a reader may see by owner, by group, by grant
  awkward,    ///< NULLs everywhere, pairs of columns, numerics that are equal and print differently
};
inline constexpr std::size_t k_subquery_worlds = 4;

struct SubqueryWorkload {
  SubqueryWorld world = SubqueryWorld::hierarchy;
  bool many_nulls = false;  ///< in four of ten cells
  /// Of keys and of what refers to them, since both sides of IN have one type (where-clauses.md
  /// §12.2). int8, int4 or numeric: equal numerics print differently. Not int8: words and numbers
  /// are of rarer types, too.
  sim::postgres::TypeId key_type = sim::postgres::TypeId::int8;
};

std::vector<sim::postgres::TableDefinition> make_subquery_tables(const SubqueryWorkload& workload);
sim::postgres::Statement make_subquery_row(const SubqueryWorkload& workload, std::size_t table,
                                           std::uint64_t key, const Draws& draws);
/// What one step of a transaction does to one row of `keys`, or to all rows of a table: one
/// statement, or several for a row that is toggled more than once. A row for which there is no room
/// (make_room_for) is not looked after.
std::vector<sim::postgres::Statement> make_subquery_mutation(const SubqueryWorkload& workload,
                                                             std::uint64_t keys,
                                                             const Draws& draws);
/// A shape with one to three membership tests, among plain conditions, under AND, OR and NOT.
oracle::ShapeSpec make_subquery_spec(const SubqueryWorkload& workload, std::string name,
                                     std::uint64_t keys, const Draws& draws);

}  // namespace holdfast::scenarios
