#include "core/where/condition.hpp"

#include <algorithm>
#include <utility>

#include "core/where/compiled_expression.hpp"
#include "core/where/compiler.hpp"

namespace holdfast::where {
namespace {

/// First bytes of the serialised form.
constexpr std::uint64_t k_version = 1;

std::vector<std::uint16_t> columns_read(const Expression& expression) {
  std::vector<std::uint16_t> columns;
  for (const Operand& operand : expression.operands)
    if (operand.source == Operand::Source::column) columns.push_back(operand.column);
  for (const Node& node : expression.nodes)
    if (node.operation == Operation::is_null)
      columns.push_back(static_cast<std::uint16_t>(node.first));
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

/// The key of `column = constant` if both sides are read exactly as comparison_key reads a cell.
std::optional<EqualityKey> equality_of(const Expression& expression, const Node& node,
                                       const postgres::RelationInfo& relation) {
  if (node.operation != Operation::compare ||
      static_cast<Comparison>(node.detail) != Comparison::equal)
    return std::nullopt;
  const Operand* column = &expression.operands[node.first];
  const Operand* constant = &expression.operands[node.first + 1];
  if (column->source != Operand::Source::column) std::swap(column, constant);
  if (column->source != Operand::Source::column || constant->source != Operand::Source::constant)
    return std::nullopt;
  if (own_loader(type_of_column(relation.columns[column->column])) != column->loader)
    return std::nullopt;
  EqualityKey found;
  found.column = column->column;
  append_key(found.key, node.value_class, constant->scalar);
  return found;
}

/// Any equality rather than one on a boolean, whose two values select little; the first of those.
std::optional<EqualityKey> best_equality(const Expression& expression,
                                         const postgres::RelationInfo& relation) {
  const Node& root = expression.nodes.back();
  std::optional<EqualityKey> on_boolean;
  const auto consider = [&](const Node& node) {
    auto found = equality_of(expression, node, relation);
    if (found && node.value_class == ValueClass::boolean) {
      if (!on_boolean) on_boolean = std::move(found);
      found.reset();
    }
    return found;
  };
  if (root.operation != Operation::all_of) {
    if (auto found = consider(root)) return found;
    return on_boolean;
  }
  for (std::uint32_t i = 0; i < root.count; ++i)
    if (auto found = consider(expression.nodes[expression.children[root.first + i]])) return found;
  return on_boolean;
}

}  // namespace

Result<Condition, WhereError> Condition::compile(std::string_view text,
                                                 const std::map<unsigned, std::string>& parameters,
                                                 const postgres::RelationInfo& relation) {
  const auto parsed = ParsedClause::parse(text);
  if (!parsed) return parsed.failure();
  unsigned expected = 0;
  for (const auto& [number, value] : parameters)
    if (number != ++expected)
      return Failure{
          WhereError{"Parameters must be numbered sequentially, starting from 1", "params"}};
  const auto expression = std::make_shared<Expression>();
  auto canonical = Compiler(relation, parameters, *expression).clause(parsed->root());
  if (!canonical) return canonical.failure();
  ASSERT(expression->bind(), "the compiler made constants that their loaders read");
  Condition condition;
  condition.canonical_sql_ = std::move(*canonical);
  condition.columns_ = columns_read(*expression);
  condition.equality_ = best_equality(*expression, relation);
  condition.root_ = expression;
  return condition;
}

std::string Condition::serialize() const {
  ByteWriter out;
  out.number(k_version);
  out.text(canonical_sql_);
  out.number(equality_ ? 1 : 0);
  if (equality_) {
    out.number(equality_->column);
    out.text(equality_->key);
  }
  root_->write(out);
  return out.take();
}

Result<Condition> Condition::deserialize(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.number() != k_version) return fail("a compiled condition of an unknown version");
  Condition condition;
  condition.canonical_sql_ = in.text();
  if (in.number_up_to(1) == 1) {
    EqualityKey key;
    key.column = static_cast<std::uint16_t>(in.number_up_to(0xffff));
    key.key = in.text();
    condition.equality_ = std::move(key);
  }
  const auto expression = std::make_shared<Expression>();
  if (!expression->read(in) || !in.finished()) return fail("a compiled condition is damaged");
  condition.columns_ = columns_read(*expression);
  condition.root_ = expression;
  return condition;
}

const std::string& Condition::canonical_sql() const {
  return canonical_sql_;
}
const std::vector<std::uint16_t>& Condition::columns() const {
  return columns_;
}
const std::optional<EqualityKey>& Condition::equality() const {
  return equality_;
}

Truth Condition::evaluate(const postgres::Tuple& row) const {
  return root_->evaluate(row);
}

bool append_comparison_key(std::string& out, postgres::Oid type, std::string_view cell) {
  const auto loader = own_loader(type_of_oid(type));
  Scalar value;
  if (!loader || !load(*loader, cell, value)) return false;
  append_key(out, class_of(*loader), value);
  return true;
}

std::optional<std::string> comparison_key(postgres::Oid type, std::string_view cell) {
  std::string key;
  if (!append_comparison_key(key, type, cell)) return std::nullopt;
  return key;
}

}  // namespace holdfast::where
