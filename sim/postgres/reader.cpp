#include "sim/postgres/reader.hpp"

namespace holdfast::sim::postgres {
namespace {

struct View {
  const TransactionPredicate& visible;
  TruncatedRows truncated;

  bool shows(const RowVersion& version) const {
    return visible(*version.created) && (version.deleted == nullptr || !visible(*version.deleted));
  }
  std::size_t first_version(const Table& table) const {
    return truncated == TruncatedRows::gone ? table.first_stored() : 0;
  }
};

SqlResult<std::vector<RowSet>> read_subselects(ModelState& state, const WhereClause& condition,
                                               const View& view);

SqlResult<std::vector<RowRef>> filter(ModelState& state, const Table& table,
                                      const WhereClause* condition, const View& view) {
  std::vector<RowSet> results;
  if (condition != nullptr) {
    auto read = read_subselects(state, *condition, view);
    if (!read) return read.failure();
    results = std::move(*read);
  }
  std::vector<RowRef> rows;
  for (std::size_t i = view.first_version(table); i < table.versions().size(); ++i) {
    const RowVersion& version = table.versions()[i];
    if (!view.shows(version)) continue;
    if (condition != nullptr) {
      const auto verdict = condition->evaluate(*version.row, results);
      if (!verdict) return verdict.failure();
      if (*verdict != Truth::yes) continue;
    }
    rows.push_back(version.row);
  }
  return rows;
}

SqlResult<RowSet> read_one(ModelState& state, const SubSelect& subselect, const View& view) {
  const Table* table = state.find_table(subselect.table);
  ASSERT(table != nullptr, "compiled conditions are forgotten when a table goes");
  const auto rows = filter(state, *table, subselect.condition.get(), view);
  if (!rows) return rows.failure();
  RowSet result;
  for (const RowRef& row : *rows) result.add(selected_cells(subselect, *row));
  return result;
}

SqlResult<std::vector<RowSet>> read_subselects(ModelState& state, const WhereClause& condition,
                                               const View& view) {
  std::vector<RowSet> results;
  for (const SubSelect& subselect : condition.subselects()) {
    auto result = read_one(state, subselect, view);
    if (!result) return result.failure();
    results.push_back(std::move(*result));
  }
  return results;
}

}  // namespace

SqlResult<std::vector<RowRef>> read_rows(ModelState& state, const Table& table,
                                         const std::string& condition,
                                         const TransactionPredicate& visible,
                                         TruncatedRows truncated) {
  const auto compiled = state.compile(table, condition);
  if (!compiled) return compiled.failure();
  return read_rows(state, table, compiled->get(), visible, truncated);
}

SqlResult<std::vector<RowRef>> read_rows(ModelState& state, const Table& table,
                                         const WhereClause* test,
                                         const TransactionPredicate& visible,
                                         TruncatedRows truncated) {
  const View view{visible, truncated};
  if (test == nullptr || !test->deep()) return filter(state, table, test, view);
  std::optional<SqlResult<std::vector<RowRef>>> result;
  state.big_stack.run([&] { result.emplace(filter(state, table, test, view)); });
  return std::move(*result);
}

SqlResult<RowSet> read_subselect(ModelState& state, const SubSelect& subselect,
                                 const TransactionPredicate& visible, TruncatedRows truncated) {
  return read_one(state, subselect, {visible, truncated});
}

std::vector<Value> selected_cells(const SubSelect& subselect, const Row& row) {
  std::vector<Value> cells;
  cells.reserve(subselect.slots.size());
  for (std::size_t i = 0; i < subselect.slots.size(); ++i)
    cells.push_back(row.is_null(subselect.slots[i]) ? Value::null_of(subselect.types[i])
                                                    : row.values[subselect.slots[i]]);
  return cells;
}

SqlResult<std::vector<std::uint16_t>> find_slots(const TableVersion& table,
                                                 const std::vector<std::string>& columns) {
  std::vector<std::uint16_t> slots;
  for (const std::string& name : columns) {
    const int at = table.find_column(name);
    if (at < 0) return Failure<SqlError>{{"42703", "column \"" + name + "\" does not exist"}};
    slots.push_back(table.columns[static_cast<std::size_t>(at)].slot);
  }
  return slots;
}

std::vector<std::optional<std::string>> key_texts(const TableVersion& table, const Row& row) {
  std::vector<std::uint16_t> slots;
  for (const std::uint16_t position : table.key) slots.push_back(table.columns[position].slot);
  if (table.key.empty())
    for (const Column& column : table.columns) slots.push_back(column.slot);
  return cell_texts(slots, row);
}

std::vector<std::optional<std::string>> cell_texts(const std::vector<std::uint16_t>& slots,
                                                   const Row& row) {
  std::vector<std::optional<std::string>> cells;
  cells.reserve(slots.size());
  for (const std::uint16_t slot : slots)
    cells.push_back(row.is_null(slot) ? std::nullopt : std::optional(row.texts[slot]));
  return cells;
}

}  // namespace holdfast::sim::postgres
