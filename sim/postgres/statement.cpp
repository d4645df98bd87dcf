#include "sim/postgres/statement.hpp"

namespace holdfast::sim::postgres {
namespace {

std::string quote(const std::string& text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark) out.push_back(mark);
    out.push_back(c);
  }
  out.push_back(mark);
  return out;
}

std::string literal_or_null(const std::optional<std::string>& text) {
  return text ? quote_literal(*text) : "NULL";
}

std::string where_sql(const std::vector<ColumnText>& where) {
  std::string out;
  for (const auto& [column, text] : where) {
    out += out.empty() ? " WHERE " : " AND ";
    out += quote_identifier(column) + (text ? " = " + quote_literal(*text) : " IS NULL");
  }
  return out;
}

std::string insert_sql(const Statement& statement) {
  std::string columns;
  std::string values;
  for (const auto& [column, text] : statement.set) {
    columns += (columns.empty() ? "" : ", ") + quote_identifier(column);
    values += (values.empty() ? "" : ", ") + literal_or_null(text);
  }
  const std::string head = "INSERT INTO " + quote_relation(statement.table);
  if (statement.set.empty()) return head + " DEFAULT VALUES";
  return head + " (" + columns + ") VALUES (" + values + ")";
}

std::string update_sql(const Statement& statement) {
  std::string set;
  for (const auto& [column, text] : statement.set)
    set += (set.empty() ? "" : ", ") + quote_identifier(column) + " = " + literal_or_null(text);
  return "UPDATE " + quote_relation(statement.table) + " SET " + set + where_sql(statement.where);
}

std::string truncate_sql(const Statement& statement) {
  std::string tables = quote_relation(statement.table);
  for (const auto& table : statement.also) tables += ", " + quote_relation(table);
  return "TRUNCATE " + tables;
}

}  // namespace

std::string quote_identifier(const std::string& name) {
  return quote(name, '"');
}
std::string quote_literal(const std::string& text) {
  return quote(text, '\'');
}

std::string quote_relation(const holdfast::postgres::RelationName& name) {
  return quote_identifier(name.schema) + "." + quote_identifier(name.table);
}

std::string Statement::to_sql() const {
  switch (kind) {
    case StatementKind::insert:
      return insert_sql(*this);
    case StatementKind::update:
      return update_sql(*this);
    case StatementKind::erase:
      return "DELETE FROM " + quote_relation(table) + where_sql(where);
    case StatementKind::truncate:
      return truncate_sql(*this);
  }
  ASSERT(false, "every kind of statement has its SQL");
}

}  // namespace holdfast::sim::postgres
