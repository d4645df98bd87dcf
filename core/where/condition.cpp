#include "core/where/condition.hpp"

#include <algorithm>
#include <utility>

#include "core/where/compiled_expression.hpp"
#include "core/where/compiler.hpp"
#include "core/where/plan.hpp"

namespace holdfast::where {
namespace {

/// First bytes of the serialised form.
constexpr std::uint64_t k_version_plain = 1;
constexpr std::uint64_t k_version_with_subqueries = 2;

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

std::vector<std::string> split_at_marks(const std::string& marked) {
  std::vector<std::string> pieces(1);
  for (const char c : marked) {
    if (c == Compiler::k_membership_mark)
      pieces.emplace_back();
    else
      pieces.back() += c;
  }
  return pieces;
}

void write_subqueries(ByteWriter& out, const std::vector<Subquery>& subqueries,
                      const std::vector<std::string>& pieces) {
  out.number(subqueries.size());
  for (const Subquery& subquery : subqueries) {
    out.text(subquery.table.schema);
    out.text(subquery.table.table);
    out.number(subquery.link.size());
    for (const std::string& column : subquery.link) out.text(column);
    out.text(subquery.where);
    out.text(subquery.canonical_sql);
  }
  out.number(pieces.size());
  for (const std::string& piece : pieces) out.text(piece);
}

void read_subqueries(ByteReader& in, std::vector<Subquery>& subqueries,
                     std::vector<std::string>& pieces) {
  subqueries.resize(in.count());
  for (Subquery& subquery : subqueries) {
    subquery.table.schema = in.text();
    subquery.table.table = in.text();
    subquery.link.resize(in.count());
    for (std::string& column : subquery.link) column = in.text();
    subquery.where = in.text();
    subquery.canonical_sql = in.text();
  }
  pieces.resize(in.count());
  for (std::string& piece : pieces) piece = in.text();
}

/// Whether each membership test asks a subquery that there is, with as many columns.
bool tests_fit(const Expression& expression, const std::vector<Subquery>& subqueries) {
  return std::all_of(expression.nodes.begin(), expression.nodes.end(), [&](const Node& node) {
    return node.operation != Operation::in_subquery ||
           (node.detail < subqueries.size() && node.count == subqueries[node.detail].link.size());
  });
}

std::size_t memberships(const Plan& plan) {
  return static_cast<std::size_t>(
      std::count_if(plan.positions.begin(), plan.positions.end(),
                    [](const Position& p) { return p.dependency.has_value(); }));
}

}  // namespace

Result<Condition, WhereError> Condition::compile(std::string_view text,
                                                 const std::map<unsigned, std::string>& parameters,
                                                 const postgres::RelationInfo& relation,
                                                 const Relations* subquery_relations) {
  const auto parsed = ParsedClause::parse(text);
  if (!parsed) return parsed.failure();
  unsigned expected = 0;
  for (const auto& [number, value] : parameters)
    if (number != ++expected)
      return Failure{
          WhereError{"Parameters must be numbered sequentially, starting from 1", "params"}};
  const auto expression = std::make_shared<Expression>();
  Compiler compiler(relation, parameters, subquery_relations, *expression);
  auto canonical = compiler.clause(parsed->root());
  if (!canonical) return canonical.failure();
  ASSERT(expression->bind(), "the compiler made constants that their loaders read");
  Condition condition;
  if (compiler.subqueries().empty()) {
    condition.canonical_sql_ = std::move(*canonical);
  } else {
    auto plan = Plan::make(*expression, compiler.subqueries().size());
    if (!plan) return plan.failure();
    condition.subqueries_ = compiler.subqueries();
    condition.canonical_sql_ = compiler.spelled_out(*canonical);
    condition.pieces_ = split_at_marks(*canonical);
    condition.plan_ = std::make_shared<const Plan>(std::move(*plan));
    ASSERT(condition.pieces_.size() == memberships(*condition.plan_) + 1,
           "each membership test has its place in the text");
  }
  condition.columns_ = columns_read(*expression);
  condition.equality_ = best_equality(*expression, relation);
  condition.root_ = expression;
  return condition;
}

std::string Condition::serialize() const {
  ByteWriter out;
  out.number(subqueries_.empty() ? k_version_plain : k_version_with_subqueries);
  out.text(canonical_sql_);
  out.number(equality_ ? 1 : 0);
  if (equality_) {
    out.number(equality_->column);
    out.text(equality_->key);
  }
  if (!subqueries_.empty()) write_subqueries(out, subqueries_, pieces_);
  root_->write(out);
  return out.take();
}

Result<Condition> Condition::deserialize(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint64_t version = in.number();
  if (version != k_version_plain && version != k_version_with_subqueries)
    return fail("a compiled condition of an unknown version");
  Condition condition;
  condition.canonical_sql_ = in.text();
  if (in.number_up_to(1) == 1) {
    EqualityKey key;
    key.column = static_cast<std::uint16_t>(in.number_up_to(0xffff));
    key.key = in.text();
    condition.equality_ = std::move(key);
  }
  if (version == k_version_with_subqueries)
    read_subqueries(in, condition.subqueries_, condition.pieces_);
  const auto expression = std::make_shared<Expression>();
  if (!expression->read(in) || !in.finished() || !tests_fit(*expression, condition.subqueries_))
    return fail("a compiled condition is damaged");
  if (version == k_version_with_subqueries) {
    auto plan = Plan::make(*expression, condition.subqueries_.size());
    if (!plan || condition.pieces_.size() != memberships(*plan) + 1)
      return fail("a compiled condition is damaged");
    condition.plan_ = std::make_shared<const Plan>(std::move(*plan));
  }
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
Truth Condition::evaluate(const postgres::Tuple& row, const Memberships& views) const {
  return root_->evaluate(row, &views);
}

Truth Condition::evaluate_position(std::size_t position, const postgres::Tuple& row,
                                   const Memberships& views) const {
  const Position& literal = plan_->positions.at(position);
  const Truth truth = root_->evaluate_node(literal.node, row, views);
  return literal.negated ? negated(truth) : truth;
}

std::string Condition::sql_with(const std::function<std::string(std::size_t)>& print) const {
  if (plan_ == nullptr) return canonical_sql_;
  std::string out;
  std::size_t piece = 0;
  for (std::size_t p = 0; p < plan_->positions.size(); ++p)
    if (plan_->positions[p].dependency) out += pieces_[piece++] + print(p);
  return out + pieces_[piece];
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
