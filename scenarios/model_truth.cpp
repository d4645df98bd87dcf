#include "scenarios/model_truth.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "scenarios/plans/workload.hpp"
#include "sim/postgres/reader.hpp"

namespace holdfast::scenarios {
namespace {

std::vector<std::string> columns_of(const oracle::ShapeSpec& spec,
                                    const sim::postgres::TableVersion& table) {
  std::vector<std::string> columns;
  for (const sim::postgres::Column& column : table.columns)
    if (spec.selects(column.name)) columns.push_back(column.name);
  return columns;
}

/// All that the shape can tell of the table: which it is, and the columns that it needs.
std::string told(const oracle::ShapeSpec& spec, const sim::postgres::TableForm& form) {
  if (form.table == nullptr) return {};
  std::string text = std::to_string(form.version->oid.value);
  for (const sim::postgres::Column& column : form.version->columns)
    if (spec.columns.empty() || spec.names(column.name))
      text += " " + column.name + "/" + std::string(name_of(column.type)) + "/" +
              std::to_string(column.number);
  return text;
}

}  // namespace

const ModelTruth::Forms& ModelTruth::forms(const oracle::ShapeSpec& spec) {
  Forms& known = forms_[spec.name];
  const auto& all = model_.forms({spec.schema, spec.table});
  for (std::size_t i = known.of_change.size(); i < all.size(); ++i) {
    const std::string text = told(spec, all[i]);
    const auto at = static_cast<std::size_t>(
        std::find(known.texts.begin(), known.texts.end(), text) - known.texts.begin());
    if (at == known.texts.size()) {
      known.texts.push_back(text);
      known.latest.push_back(all[i]);
    } else {
      known.latest[at] = all[i];  // the same to the shape, but cells may have moved
    }
    known.of_change.push_back(at);
  }
  return known;
}

sim::postgres::TableForm ModelTruth::form(const oracle::ShapeSpec& spec, std::size_t number) {
  const Forms& known = forms(spec);
  ASSERT(number < known.latest.size(), "a shape is of a form that its table had");
  return known.latest[number];
}

std::size_t ModelTruth::form_count(const oracle::ShapeSpec& spec) {
  return forms(spec).texts.size();
}

std::size_t ModelTruth::form_seen(const oracle::ShapeSpec& spec,
                                  const oracle::StatedSnapshot& snapshot) {
  const Forms& known = forms(spec);
  const auto& all = model_.forms({spec.schema, spec.table});
  std::size_t seen = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].by.value < snapshot.xmax &&
        std::find(snapshot.xip.begin(), snapshot.xip.end(), all[i].by.value) == snapshot.xip.end())
      seen = known.of_change[i];
  return seen;
}

std::size_t ModelTruth::form_at(const oracle::ShapeSpec& spec, std::uint64_t commit_lsn) {
  const Forms& known = forms(spec);
  const auto& all = model_.forms({spec.schema, spec.table});
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].since.value <= commit_lsn) at = known.of_change[i];
  return at;
}

oracle::ShapeSpec ModelTruth::in_form(const oracle::ShapeSpec& spec, std::size_t number) {
  oracle::ShapeSpec described = spec;
  const sim::postgres::TableForm table = form(spec, number);
  if (table.table != nullptr)
    describe_columns(described, {table.version->name, table.version->columns});
  else
    described.all_columns.clear();
  return described;
}

oracle::Rows ModelTruth::rows(const oracle::ShapeSpec& spec, const oracle::VisibleSet& visible) {
  const sim::postgres::TableForm table = form(spec, visible.form);
  if (table.table == nullptr) return {};
  const std::vector<std::string> columns = columns_of(spec, *table.version);
  const auto found = model_.rows(table, columns, spec.where, model_set(visible));
  ASSERT(found.ok(), "the model can answer the query of every shape of a plan");
  oracle::Rows rows;
  for (const auto& [key, cells] : *found) {
    oracle::Row row;
    for (std::size_t i = 0; i < columns.size(); ++i) row.emplace(columns[i], cells[i]);
    rows.emplace(oracle::key_of(spec, key), std::move(row));
  }
  return rows;
}

oracle::RowsDigest ModelTruth::digest(const oracle::ShapeSpec& spec,
                                      const oracle::VisibleSet& visible) {
  const sim::postgres::TableForm table = form(spec, visible.form);
  if (table.table == nullptr) return {};
  Query& known = queries_[{spec.name, visible.form}];
  if (known.version != table.version) {
    const std::vector<std::string> columns = columns_of(spec, *table.version);
    const auto hash = [spec, columns](const sim::postgres::RowKey& key,
                                      const sim::postgres::RowCells& cells) {
      const Hash128 key_hash = hash128(oracle::key_of(spec, key));
      oracle::RowsDigest row;
      for (std::size_t i = 0; i < columns.size(); ++i)
        row.add(oracle::hash_cell(key_hash, columns[i], cells[i]));
      return row.sum();
    };
    known = {table.version, model_.repeat(table, columns, spec.where, hash)};
  }
  if (const auto sum = known.query->sum(model_set(visible))) return oracle::RowsDigest(*sum);
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
      return oracle::key_of(spec, sim::postgres::key_texts(*change.table, *row));
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
