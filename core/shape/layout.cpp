#include "core/shape/layout.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/protocol/json_text.hpp"

namespace holdfast::shape {
namespace {

constexpr std::uint32_t k_bool_oid = 16;
constexpr std::uint32_t k_inet_oid = 869;
constexpr std::uint32_t k_bpchar_oid = 1042;

/// The stream's rule of upstream: '/' and '.' doubled, '"' left alone (http-api.md §12.2).
void append_key_name(std::string& out, std::string_view name) {
  std::string doubled;
  for (const char c : name) {
    doubled += c;
    if (c == '/' || c == '.') doubled += c;
  }
  out += "\\\"";
  protocol::append_json_text(out, doubled);
  out += "\\\"";
}

TextForm form_of(const postgres::ColumnInfo& column) {
  if (column.dimensions > 0) return TextForm::same;
  if (column.type.value == k_bool_oid) return TextForm::boolean;
  if (column.type.value == k_inet_oid) return TextForm::address;
  return column.type.value == k_bpchar_oid ? TextForm::padded : TextForm::same;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
  }));
}

}  // namespace

Layout make_layout(const postgres::RelationInfo& relation,
                   const std::vector<std::uint16_t>& selected,
                   const std::vector<std::uint16_t>& key) {
  Layout layout;
  for (std::size_t i = 0; i < selected.size(); ++i) {
    const postgres::ColumnInfo& column = relation.columns[selected[i]];
    LayoutCell cell;
    cell.column = selected[i];
    cell.position = static_cast<std::uint16_t>(i);
    cell.in_key = std::find(key.begin(), key.end(), selected[i]) != key.end();
    cell.form = form_of(column);
    // A typmod counts the four bytes of a varlena header.
    if (cell.form == TextForm::padded && column.type_modifier > 4)
      cell.padded_characters = static_cast<std::size_t>(column.type_modifier - 4);
    cell.json_name = "\"";
    protocol::append_json_text(cell.json_name, column.name);
    cell.json_name += "\":";
    layout.cells.push_back(std::move(cell));
  }
  std::sort(layout.cells.begin(), layout.cells.end(),
            [&](const LayoutCell& a, const LayoutCell& b) {
              return relation.columns[a.column].name < relation.columns[b.column].name;
            });
  for (const std::uint16_t column : key) {
    const auto found = std::find_if(layout.cells.begin(), layout.cells.end(),
                                    [&](const LayoutCell& cell) { return cell.column == column; });
    ASSERT(found != layout.cells.end(), "every key column is selected");
    layout.key.push_back(static_cast<std::uint32_t>(found - layout.cells.begin()));
  }
  append_key_name(layout.json_key_prefix, relation.name.schema);
  layout.json_key_prefix += '.';
  append_key_name(layout.json_key_prefix, relation.name.table);
  layout.json_relation = "[\"";
  protocol::append_json_text(layout.json_relation, relation.name.schema);
  layout.json_relation += "\",\"";
  protocol::append_json_text(layout.json_relation, relation.name.table);
  layout.json_relation += "\"]";
  return layout;
}

std::string_view output_form(const LayoutCell& cell, std::string_view text, std::string& scratch) {
  switch (cell.form) {
    case TextForm::same:
      return text;
    case TextForm::boolean:
      if (text == "true") return "t";
      return text == "false" ? "f" : text;
    case TextForm::address:
      if (text.ends_with("/32") && text.find(':') == std::string_view::npos)
        return text.substr(0, text.size() - 3);
      return text.ends_with("/128") ? text.substr(0, text.size() - 4) : text;
    case TextForm::padded: {
      if (text.size() >= cell.padded_characters * 4) return text;
      const std::size_t characters = count_characters(text);
      if (characters >= cell.padded_characters) return text;
      scratch.assign(text);
      scratch.append(cell.padded_characters - characters, ' ');
      return scratch;
    }
  }
  return text;
}

}  // namespace holdfast::shape
