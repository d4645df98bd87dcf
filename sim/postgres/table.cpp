#include "sim/postgres/table.hpp"

#include <algorithm>

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
      next_slot_(static_cast<std::uint16_t>(current_->columns.size())) {}

void Table::add(RowVersion version) {
  if (!current_->key.empty()) by_key_[key_of(*version.row)].push_back(versions_.size());
  versions_.push_back(std::move(version));
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
  if (value.type == TypeId::numeric && text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if ((value.type == TypeId::float4 || value.type == TypeId::float8) && text == "-0") text = "0";
  key += std::to_string(text.size()) + ":" + text;
}

}  // namespace holdfast::sim::postgres
