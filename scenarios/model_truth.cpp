#include "scenarios/model_truth.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "sim/postgres/reader.hpp"

namespace holdfast::scenarios {

oracle::Rows ModelTruth::rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) {
  const std::vector<std::string> columns = columns_of(spec);
  const auto found =
      model_.rows({spec.schema, spec.table}, columns, spec.where, model_set(visible));
  ASSERT(found.ok(), "the model can answer the query of every shape of a plan");
  oracle::Rows rows;
  for (const auto& [key, cells] : *found) {
    oracle::Row row;
    for (std::size_t i = 0; i < columns.size(); ++i) row.emplace(columns[i], cells[i]);
    rows.emplace(oracle::key_of(spec, {key.begin(), key.end()}), std::move(row));
  }
  return rows;
}

oracle::RowsDigest ModelTruth::digest(const oracle::ShapeSpec& spec,
                                      const oracle::VisibleSet& visible) {
  std::unique_ptr<sim::postgres::RepeatedQuery>& query = queries_[spec.name];
  if (!query) {
    const auto hash = [spec, columns = columns_of(spec)](const sim::postgres::RowKey& key,
                                                         const sim::postgres::RowCells& cells) {
      const Hash128 key_hash = hash128(oracle::key_of(spec, {key.begin(), key.end()}));
      oracle::RowsDigest row;
      for (std::size_t i = 0; i < columns.size(); ++i)
        row.add(oracle::hash_cell(key_hash, columns[i], cells[i]));
      return row.sum();
    };
    query = model_.repeat({spec.schema, spec.table}, columns_of(spec), spec.where, hash);
  }
  if (const auto sum = query->sum(model_set(visible))) return oracle::RowsDigest(*sum);
  return oracle::digest_of(rows(spec, visible));
}

oracle::Memberships* ModelTruth::memberships(const oracle::ShapeSpec& spec) {
  std::unique_ptr<ModelMemberships>& found = memberships_[spec.name];
  if (!found) found = std::make_unique<ModelMemberships>(model_, spec);
  return found.get();
}

const sim::postgres::Transaction* ModelTruth::committed_at(std::uint64_t commit_lsn) {
  auto found = by_commit_.find(commit_lsn);
  if (found == by_commit_.end() || found->second->dead()) {
    // New commits since the last look, or a crash took one back and its place was used again.
    by_commit_.clear();
    for (const sim::postgres::Transaction* transaction : model_.transactions())
      if (!transaction->dead()) by_commit_[transaction->commit_lsn.value] = transaction;
    found = by_commit_.find(commit_lsn);
    if (found == by_commit_.end()) return nullptr;
  }
  return found->second;
}

std::optional<std::uint64_t> ModelTruth::transaction_id(std::uint64_t commit_lsn) {
  const sim::postgres::Transaction* transaction = committed_at(commit_lsn);
  if (transaction == nullptr) return std::nullopt;
  return transaction->xid.truncated().value;
}

bool ModelTruth::key_moved(const oracle::ShapeSpec& spec, std::uint64_t commit_lsn,
                           const std::string& from, const std::string& to) {
  const sim::postgres::Transaction* transaction = committed_at(commit_lsn);
  if (transaction == nullptr) return false;
  bool moved = false;
  for (const sim::postgres::LoggedChange& change : transaction->changes) {
    if (change.table == nullptr || change.table->name.table != spec.table ||
        change.table->name.schema != spec.schema)
      continue;
    const auto key = [&](const sim::postgres::RowRef& row) {
      if (row == nullptr) return std::string();
      const auto texts = sim::postgres::key_texts(*change.table, *row);
      return oracle::key_of(spec, {texts.begin(), texts.end()});
    };
    const std::string before = key(change.old_row);
    const std::string after = key(change.new_row);
    const auto named = [&](const std::string& one) { return one == before || one == after; };
    if (!named(from) && !named(to)) continue;
    if (moved || before != from || after != to) return false;
    moved = true;
  }
  return moved;
}

std::uint64_t ModelTruth::last_commit() {
  std::uint64_t last = 0;
  for (const sim::postgres::Transaction* transaction : model_.transactions())
    if (!transaction->dead()) last = std::max(last, transaction->commit_lsn.value);
  return last;
}

}  // namespace holdfast::scenarios
