// Other tables than those of one key column at their front: a key that stands elsewhere, a key of
// two columns in another order than the table's, no key at all. Rewrites plans that were made for
// the usual layout (workload.hpp), so that their other choices stay as they are.
#pragma once

#include <cstdint>
#include <string_view>

#include "scenarios/plans/draws.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

enum class TableLayout : std::uint8_t {
  usual,          ///< key: id, the first column
  key_elsewhere,  ///< key: id, which is not the first column
  composite,      ///< key: (part, id), of which id is the table's first column, part its last
  keyless,        ///< none; `entry` keeps rows apart, for equal ones are one row to clients
};
inline constexpr std::size_t k_table_layouts = 4;

/// The column that stands before `id` in a composite key.
inline constexpr std::string_view k_part_column = "part";
/// Of tables without a key: a number that no other row of the table ever has.
inline constexpr std::string_view k_entry_column = "entry";

TableLayout layout_of(const sim::postgres::TableDefinition& table);
/// Gives some tables of some plans another layout. REQUIRES: the rest of the plan, laid out as
/// usual.
void lay_out_tables(Plan& plan, const Draws& draws);
/// The same for one table.
void lay_out(Plan& plan, std::size_t table, TableLayout layout);
/// Takes the key of some tables that only sub-selects read, and writes some of their rows twice:
/// nobody sees those rows, so that they may be equal.
void double_inner_rows(Plan& plan, const Draws& draws);

}  // namespace holdfast::scenarios
