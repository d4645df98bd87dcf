// `left [NOT] IN (SELECT link FROM table [WHERE …])` (where-clauses.md §12).
#include <algorithm>
#include <utility>

#include "core/where/compiler.hpp"

namespace holdfast::where {
namespace {

/// A row expression's fields: {…, 2: args}. A SelectStmt's: 3 targets, 4 FROM, 5 WHERE.
constexpr std::uint32_t k_row_arguments = 2;

std::string readable(const std::vector<std::string>& types) {
  if (types.size() == 1) return types.front();
  std::string out = "row of (";
  for (std::size_t i = 0; i < types.size(); ++i) out += (i == 0 ? "" : ", ") + types[i];
  return out + ')';
}

std::string readable_type(const postgres::ColumnInfo& column) {
  return column.type_name + (column.dimensions > 0 ? "[]" : "");
}

/// Whether a SELECT has anything besides targets, tables and a WHERE.
bool has_clauses(const Message& select) {
  constexpr std::uint32_t k_clauses[] = {1, 2, 6, 7, 8, 9, 11, 12, 13, 15, 16};
  return std::any_of(std::begin(k_clauses), std::end(k_clauses),
                     [&](std::uint32_t field) { return select.has(field); }) ||
         select.number(17) > 1;  // UNION and its kin
}

/// The name of a plain unqualified column; empty: it is something else.
std::string plain_column(const Message& target) {
  const Message value = target.message(3);
  if (!value || value.kind() != static_cast<std::uint32_t>(NodeKind::column_ref)) return {};
  const std::vector<Message> fields = value.node().messages(1);
  if (fields.size() != 1 || fields.front().kind() != static_cast<std::uint32_t>(NodeKind::string))
    return {};
  return std::string(fields.front().node().text(1));
}

const postgres::ColumnInfo* find_column(const postgres::RelationInfo& relation,
                                        const std::string& name) {
  for (const postgres::ColumnInfo& column : relation.columns)
    if (column.name == name) return &column;
  return nullptr;
}

std::string join_quoted(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quote_identifier(name);
  return out;
}

}  // namespace

Compiler::Compiled<Typed> Compiler::in_subquery(const Message& node) {
  const int location = location_of(node, 7);
  if (subquery_relations_ == nullptr)
    return at(location, "SubLink is not supported in this context");
  auto left = left_side(node.message(4), location);
  if (!left) return left.failure();
  auto made = subquery(node.message(6).node(), location, *left);
  if (!made) return made.failure();
  const auto known = std::find(subqueries_.begin(), subqueries_.end(), *made);
  const auto number = static_cast<std::size_t>(known - subqueries_.begin());
  if (number == k_max_dependencies)
    return at(location, "more than " + std::to_string(k_max_dependencies) + " subqueries");
  if (known == subqueries_.end()) subqueries_.push_back(*made);

  const auto first = static_cast<std::uint32_t>(into_.operands.size());
  std::string sql;
  for (Typed& part : *left) {
    auto read = operand(part, part.type);
    if (!read) return read.failure();
    into_.operands.push_back(std::move(*read));
    sql += (sql.empty() ? "" : ", ") + part.sql;
  }
  if (left->size() > 1) sql = '(' + sql + ')';
  membership_sql_.push_back(sql + " IN (" + made->canonical_sql + ')');
  return truth_of(add(Operation::in_subquery, static_cast<std::uint8_t>(number),
                      ValueClass::boolean, first, static_cast<std::uint32_t>(left->size())),
                  std::string(1, k_membership_mark), Precedence::pattern, location);
}

Compiler::Compiled<std::vector<Typed>> Compiler::left_side(const Message& node, int location) {
  std::vector<Message> parts = {node};
  if (node.kind() == static_cast<std::uint32_t>(NodeKind::row_expr))
    parts = node.node().messages(k_row_arguments);
  std::vector<Typed> columns;
  for (const Message& part : parts) {
    if (part.kind() != static_cast<std::uint32_t>(NodeKind::column_ref))
      return at(location,
                "currently, left side of `IN (SELECT ...)` can only be a column reference or a "
                "list of column references");
    auto typed = expression(part);
    if (!typed) return typed.failure();
    columns.push_back(std::move(*typed));
  }
  return columns;
}

Compiler::Compiled<const postgres::RelationInfo*> Compiler::subquery_relation(const Message& select,
                                                                              int location) {
  const std::vector<Message> tables = select.messages(4);
  if (tables.size() != 1 || select.has(10) ||
      tables.front().kind() != static_cast<std::uint32_t>(NodeKind::range_var))
    return at(location, "Expected a single table reference");
  const Message range = tables.front().node();
  postgres::RelationName name{std::string(range.text(2)), std::string(range.text(3))};
  if (name.schema.empty()) name.schema = "public";
  const auto found =
      std::find_if(subquery_relations_->begin(), subquery_relations_->end(),
                   [&](const postgres::RelationInfo& known) { return known.name == name; });
  if (found != subquery_relations_->end() && !found->columns.empty()) return &*found;
  WhereError error{"Table " + quote_identifier(name.schema) + "." + quote_identifier(name.table) +
                       " does not exist. If the table name contains capitals or special "
                       "characters you must quote it.",
                   "table"};
  if (found == subquery_relations_->end()) error.missing = std::move(name);
  return Failure{std::move(error)};
}

Compiler::Compiled<Subquery> Compiler::subquery(const Message& select, int location,
                                                std::vector<Typed>& left) {
  if (has_clauses(select)) return at(location, "SELECT statement must not contain any clauses");
  const auto relation = subquery_relation(select, location);
  if (!relation) return relation.failure();
  Subquery made;
  made.table = (*relation)->name;
  std::vector<std::string> types;
  std::string unknown;
  bool identical = true;
  for (const Message& node : select.messages(3)) {
    const Message target = node.node();
    made.link.push_back(plain_column(target));
    if (made.link.back().empty())  // the one location that upstream does not adjust (§5)
      return at(static_cast<int>(target.number(4)), "Expected a plain column reference");
    const postgres::ColumnInfo* column = find_column(**relation, made.link.back());
    if (column == nullptr) {
      unknown += (unknown.empty() ? "" : ", ") + made.link.back();
      continue;
    }
    const std::size_t i = types.size();
    types.push_back(readable_type(*column));
    identical = identical && i < left.size() &&
                readable_type(relation_.columns[left[i].column]) == types.back() &&
                relation_.columns[left[i].column].type == column->type;
  }
  if (!unknown.empty())
    return Failure{
        WhereError{"The following columns are not found on the table: " + unknown, "columns"}};
  if (!identical || types.size() != left.size()) {
    std::vector<std::string> left_types;
    for (const Typed& part : left)
      left_types.push_back(readable_type(relation_.columns[part.column]));
    return at(location, "left side of `IN (SELECT ...)` has type " + readable(left_types) +
                            " but subquery returns " + readable(types) + "[]");
  }
  made.canonical_sql = "SELECT " + join_quoted(made.link) + " FROM " +
                       quote_identifier(made.table.schema) + '.' +
                       quote_identifier(made.table.table);
  if (const Message where = select.message(5)) {
    // A level of its own: parameters take their types anew, and no outer column is visible.
    Expression expression;
    Compiler inner(**relation, parameters_, subquery_relations_, expression);
    const auto clause = inner.clause(where);
    if (!clause) return clause.failure();
    made.where = inner.spelled_out(*clause);
    made.canonical_sql += " WHERE " + made.where;
  }
  return made;
}

std::string Compiler::spelled_out(std::string_view marked) const {
  std::string out;
  std::size_t next = 0;
  for (const char c : marked) {
    if (c != k_membership_mark) {
      out += c;
      continue;
    }
    ASSERT(next < membership_sql_.size(), "each mark stands for one membership test");
    out += membership_sql_[next++];
  }
  return out;
}

}  // namespace holdfast::where
