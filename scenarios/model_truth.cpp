#include "scenarios/model_truth.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::scenarios {

oracle::Rows ModelTruth::rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) {
  sim::postgres::VisibleSet set;
  set.up_to = {visible.up_to};
  set.snapshot.emplace();
  set.snapshot->xmin = {visible.snapshot.xmin};
  set.snapshot->xmax = {visible.snapshot.xmax};
  for (const std::uint64_t xid : visible.snapshot.xip) set.snapshot->xip.push_back({xid});

  std::vector<std::string> columns;
  for (const std::string& column : spec.all_columns)
    if (spec.selects(column)) columns.push_back(column);
  const auto found = model_.rows({spec.schema, spec.table}, columns, spec.where, set);
  ASSERT(found.ok(), "the model can answer the query of every shape of a plan");
  oracle::Rows rows;
  for (const auto& [key, cells] : *found) {
    oracle::Row row;
    for (std::size_t i = 0; i < columns.size(); ++i) row.emplace(columns[i], cells[i]);
    rows.emplace(oracle::key_of(spec, {key.begin(), key.end()}), std::move(row));
  }
  return rows;
}

std::uint64_t ModelTruth::last_commit() {
  std::uint64_t last = 0;
  for (const sim::postgres::Transaction* transaction : model_.transactions())
    if (!transaction->dead()) last = std::max(last, transaction->commit_lsn.value);
  return last;
}

}  // namespace holdfast::scenarios
