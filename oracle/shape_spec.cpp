#include "oracle/shape_spec.hpp"

#include <algorithm>
#include <cctype>

namespace holdfast::oracle {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

bool ShapeSpec::selects(const std::string& column) const {
  return columns.empty() || contains(columns, column) || contains(key_columns, column);
}

bool ShapeSpec::is_bool(const std::string& column) const {
  return contains(bool_columns, column);
}

bool ShapeSpec::names(const std::string& column) const {
  if (contains(columns, column) || contains(key_columns, column)) return true;
  const auto is_word = [&](std::size_t at) {
    return at < where.size() &&
           (std::isalnum(static_cast<unsigned char>(where[at])) != 0 || where[at] == '_');
  };
  for (std::size_t at = where.find(column); at != std::string::npos;
       at = where.find(column, at + 1))
    if ((at == 0 || !is_word(at - 1)) && !is_word(at + column.size())) return true;
  return false;
}

bool ShapeSpec::reads(const std::string& any_table) const {
  return any_table == table || contains(inner_tables, any_table);
}

const Cell* find_cell(const Cells& cells, std::string_view column) {
  const auto found = std::find_if(cells.begin(), cells.end(),
                                  [&](const Cell& cell) { return cell.column == column; });
  return found == cells.end() ? nullptr : &*found;
}

std::string key_of(const ShapeSpec& spec,
                   const std::vector<std::optional<std::string>>& key_values) {
  std::string key = "\"" + spec.schema + "\".\"" + spec.table + "\"";
  for (const auto& value : key_values) {
    key.push_back('/');
    if (!value) {
      key.push_back('_');
      continue;
    }
    key.push_back('"');
    for (const char c : *value) {
      key.push_back(c);
      if (c == '/') key.push_back('/');
    }
    key.push_back('"');
  }
  return key;
}

}  // namespace holdfast::oracle
