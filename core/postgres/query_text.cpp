#include "core/postgres/query_text.hpp"

#include "core/base/assert.hpp"

namespace holdfast::postgres {
namespace {

void append_doubling(std::string& out, std::string_view text, char quote) {
  for (const char c : text) {
    if (c == quote || (quote == '\'' && c == '\\')) out.push_back(c);
    out.push_back(c);
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  append_doubling(out, name, '"');
  out.push_back('"');
  return out;
}

std::string quote_relation(const RelationName& name) {
  return quote_identifier(name.schema) + "." + quote_identifier(name.table);
}

std::string quote_literal(std::string_view text) {
  std::string out = text.find('\\') == std::string_view::npos ? "'" : "E'";
  append_doubling(out, text, '\'');
  out.push_back('\'');
  return out;
}

std::string shape_query_text(const RelationName& table, std::span<const std::string> columns,
                             std::string_view condition) {
  ASSERT(!columns.empty(), "a shape query selects at least one column");
  std::string out = "SELECT ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    out += quote_identifier(columns[i]);
  }
  out += " FROM " + quote_relation(table);
  if (!condition.empty()) {
    out += " WHERE ";
    out += condition;
  }
  return out;
}

}  // namespace holdfast::postgres
