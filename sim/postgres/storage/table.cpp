#include "sim/postgres/storage/table.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {

bool TableLock::others_write(const Transaction* self) const {
  return std::any_of(writers.begin(), writers.end(),
                     [self](const Transaction* writer) { return writer != self; });
}

bool TableLock::writes(const Transaction* self) const {
  return std::find(writers.begin(), writers.end(), self) != writers.end();
}

Table::Table(TableVersionRef version)
    : current_(std::move(version)),
      next_slot_(static_cast<std::uint16_t>(current_->columns.size())),
      last_column_number_(next_slot_) {}

SqlResult<void> Table::rewrite(const std::function<SqlResult<RowRef>(const Row&)>& rewritten) {
  std::vector<RowRef> rows;
  for (const RowVersion& version : versions_) {
    auto row = rewritten(*version.row);
    if (!row) return row.failure();
    rows.push_back(std::move(*row));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) versions_[i].row = std::move(rows[i]);
  return {};
}

void Table::add(RowVersion version) {
  if (!current_->key.empty()) by_key_[key_of(*version.row)].push_back(versions_.size());
  versions_.push_back(std::move(version));
}

void Table::truncate(Transaction& by) {
  ASSERT(lock_.exclusive == &by, "a TRUNCATE holds its table alone");
  for (RowVersion& version : versions_) {
    const bool alive =
        !version.created->dead() && (version.deleted == nullptr || version.deleted->dead());
    if (alive) version.deleted = &by;
  }
  truncations_.push_back({&by, versions_.size()});
}

std::size_t Table::first_stored() const {
  const auto last = std::find_if(truncations_.rbegin(), truncations_.rend(), [](const auto& one) {
    return one.by->state == TransactionState::committed;
  });
  return last == truncations_.rend() ? 0 : last->versions;
}

const std::vector<std::size_t>* Table::with_key(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

std::string Table::key_of(const Row& row) const {
  std::string key;
  for (const std::uint16_t position : current_->key)
    append_key_part(key, row.values[current_->columns[position].slot]);
  return key;
}

void append_key_part(std::string& key, const Value& value) {
  std::string text = print_value(value);
  if (value.type == TypeId::bpchar) text.resize(without_padding(text).size());
  if (value.type == TypeId::numeric && text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if ((value.type == TypeId::float4 || value.type == TypeId::float8) && text == "-0") text = "0";
  key += std::to_string(text.size()) + ":" + text;
}

}  // namespace holdfast::sim::postgres
