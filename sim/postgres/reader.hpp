// Reading tables: one interpreter for shape queries under a snapshot and for the oracle's truth
// under any set of visible transactions.
#pragma once

#include <functional>
#include <map>

#include "sim/postgres/state.hpp"

namespace holdfast::sim::postgres {

using TransactionPredicate = std::function<bool(const Transaction&)>;

/// What a committed TRUNCATE means to those who do not see its transaction.
enum class TruncatedRows : std::uint8_t {
  gone,  ///< as Postgres reads: the storage is gone, whatever the snapshot
  keep,  ///< a TRUNCATE deletes for those who see it, like any change: the truth by visible set
};

/// A table's rows that are visible, satisfy the condition, in order of their versions' creation.
/// `condition` is text as after WHERE; empty: all rows. Sub-selects read in the same way.
SqlResult<std::vector<RowRef>> read_rows(ModelState& state, const Table& table,
                                         const std::string& condition,
                                         const TransactionPredicate& visible,
                                         TruncatedRows truncated);
/// The same with a condition that was compiled before; nullptr: all rows.
SqlResult<std::vector<RowRef>> read_rows(ModelState& state, const Table& table,
                                         const WhereClause* condition,
                                         const TransactionPredicate& visible,
                                         TruncatedRows truncated);

/// The rows of a sub-select, in the same way.
SqlResult<RowSet> read_subselect(ModelState& state, const SubSelect& subselect,
                                 const TransactionPredicate& visible, TruncatedRows truncated);

/// What a row of its table brings to a sub-select's.
std::vector<Value> selected_cells(const SubSelect& subselect, const Row& row);

/// Slots of the named columns.
SqlResult<std::vector<std::uint16_t>> find_slots(const TableVersion& table,
                                                 const std::vector<std::string>& columns);

/// What names a row for the oracle: the texts of its primary key, or of all its cells if the table
/// has none.
std::vector<std::optional<std::string>> key_texts(const TableVersion& table, const Row& row);
std::vector<std::optional<std::string>> cell_texts(const std::vector<std::uint16_t>& slots,
                                                   const Row& row);

}  // namespace holdfast::sim::postgres
