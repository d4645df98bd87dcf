#include "scenarios/subqueries/model_memberships.hpp"

namespace holdfast::scenarios {

using sim::postgres::MembershipHistory;

sim::postgres::VisibleSet model_set(const oracle::VisibleSet& visible) {
  sim::postgres::VisibleSet set;
  set.up_to = {visible.up_to};
  set.snapshot.emplace();
  set.snapshot->xmin = {visible.snapshot.xmin};
  set.snapshot->xmax = {visible.snapshot.xmax};
  for (const std::uint64_t xid : visible.snapshot.xip) set.snapshot->xip.push_back({xid});
  return set;
}

std::vector<std::string> columns_of(const oracle::ShapeSpec& spec) {
  std::vector<std::string> columns;
  for (const std::string& column : spec.all_columns)
    if (spec.selects(column)) columns.push_back(column);
  return columns;
}

ModelMemberships::ModelMemberships(const sim::postgres::PostgresModel& model,
                                   const oracle::ShapeSpec& spec)
    : spec_(spec),
      history_(model.membership_history({spec.schema, spec.table}, columns_of(spec), spec.where)) {}

bool ModelMemberships::refresh() {
  const bool refreshed = history_->refresh();
  if (epoch_ != history_->epoch()) rows_.clear();
  epoch_ = history_->epoch();
  return refreshed;
}

const oracle::TestedRow* ModelMemberships::row_of(const MembershipHistory::Tested& tested) {
  const auto [found, added] = rows_.try_emplace(&tested);
  oracle::TestedRow& row = found->second;
  if (!added) return &row;
  row.key = oracle::key_of(spec_, {tested.key.begin(), tested.key.end()});
  row.lefts = tested.lefts;
  row.chosen = tested.chosen;
  const Hash128 key = hash128(row.key);
  const std::vector<std::string> columns = columns_of(spec_);
  for (std::size_t i = 0; i < columns.size(); ++i)
    row.contents.add(oracle::hash_cell(key, columns[i], tested.cells[i]));
  return &row;
}

std::vector<const oracle::TestedRow*> ModelMemberships::rows(const oracle::VisibleSet& visible) {
  std::vector<const oracle::TestedRow*> rows;
  for (const MembershipHistory::Tested* tested : history_->rows(model_set(visible)))
    rows.push_back(row_of(*tested));
  return rows;
}

std::optional<std::uint64_t> ModelMemberships::earliest(std::size_t test, const std::string& left,
                                                        oracle::TestTruth truth,
                                                        std::uint64_t from) {
  static_assert(static_cast<int>(oracle::TestTruth::unknown) ==
                static_cast<int>(sim::postgres::Truth::unknown));
  const auto position =
      history_->earliest(test, left, static_cast<sim::postgres::Truth>(truth), {from});
  if (!position) return std::nullopt;
  return position->value;
}

}  // namespace holdfast::scenarios
