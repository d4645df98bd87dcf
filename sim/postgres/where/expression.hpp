// Nodes of a compiled condition. Values are typed at compile time, so that evaluating only
// computes. Internal to the model's condition interpreter.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/postgres/where/where_clause.hpp"

namespace holdfast::sim::postgres {

/// An SQL error on its way out of the interpreter; caught at WhereClause's edge.
struct Raised {
  SqlError error;
};
[[noreturn]] inline void raise(std::string sqlstate, std::string message) {
  throw Raised{{std::move(sqlstate), std::move(message)}};
}

struct Scope {
  const Row& row;
  const std::vector<RowSet>& results;
  /// What each membership test says whatever the rows of its sub-select; nullptr: they decide.
  const std::vector<Truth>* forced = nullptr;
};

class Expression {
 public:
  explicit Expression(TypeId type) : type_(type) {}
  virtual ~Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  TypeId type() const { return type_; }
  virtual Value evaluate(const Scope& scope) const = 0;
  /// As a condition. REQUIRES: of type boolean.
  virtual Truth test(const Scope& scope) const;
  /// The value without a copy, where it lies somewhere already.
  virtual const Value* peek(const Scope&) const { return nullptr; }
  /// Whether the value is the same for every row.
  virtual bool constant() const { return false; }

 private:
  TypeId type_;
};

using ExpressionRef = std::unique_ptr<const Expression>;

/// What can be tested: computes a Truth; its value follows.
class TestExpression : public Expression {
 public:
  TestExpression() : Expression(TypeId::boolean) {}
  Value evaluate(const Scope& scope) const final;
  Truth test(const Scope& scope) const override = 0;
};

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
/// nullopt: not the name of a comparison.
std::optional<Comparison> comparison_of(std::string_view name);
Truth compare(Comparison op, const Value& a, const Value& b);
Truth truth_of(bool b);
Truth negate(Truth truth);

ExpressionRef make_constant(Value value);
/// The value of a constant expression. REQUIRES: constant().
Value constant_value(const Expression& expression);
ExpressionRef make_column(TypeId type, std::uint16_t slot);
ExpressionRef make_comparison(Comparison op, ExpressionRef left, ExpressionRef right);
ExpressionRef make_and(std::vector<ExpressionRef> terms);
ExpressionRef make_or(std::vector<ExpressionRef> terms);
ExpressionRef make_not(ExpressionRef term);
enum class NullQuestion : std::uint8_t { is_null, is_not_null };
ExpressionRef make_null_test(NullQuestion question, std::vector<ExpressionRef> terms);
/// IS TRUE, IS FALSE or IS UNKNOWN; the negated forms wrap it in make_not.
ExpressionRef make_truth_test(Truth wanted, ExpressionRef term);
ExpressionRef make_distinct(ExpressionRef left, ExpressionRef right);
enum class LikeCase : std::uint8_t { exact, ignore };
ExpressionRef make_like(LikeCase like_case, ExpressionRef text, ExpressionRef pattern);
ExpressionRef make_cast(ExpressionRef term, TypeId to);
/// One of + - * / %. REQUIRES: both numbers.
ExpressionRef make_arithmetic(char op, ExpressionRef left, ExpressionRef right);
ExpressionRef make_concatenation(ExpressionRef left, ExpressionRef right);
enum class TextFunction : std::uint8_t { lower, upper, length };
ExpressionRef make_text_function(TextFunction function, ExpressionRef text);
enum class Choice : std::uint8_t { first_not_null, greatest, least };
/// COALESCE, GREATEST, LEAST. REQUIRES: all of one type.
ExpressionRef make_choice(Choice choice, TypeId type, std::vector<ExpressionRef> terms);
/// left IN (the sub-select's rows).
ExpressionRef make_membership(std::vector<ExpressionRef> left, std::size_t subselect);
/// The values on the left side of a membership test. REQUIRES: `membership` is make_membership()'s.
std::vector<Value> left_of(const Expression& membership, const Row& row);
/// left IN (rows that are the same for each row of the table).
ExpressionRef make_constant_membership(std::vector<ExpressionRef> left, RowSet rows);

/// LIKE on UTF-8: % any sequence, _ one code point, \ escapes. Raises 22025 for a trailing \.
bool like_matches(std::string_view text, std::string_view pattern);
/// The type two numbers are brought to before they are added or compared.
TypeId common_number_type(TypeId a, TypeId b);
Value compute(char op, const Value& a, const Value& b, TypeId type);

}  // namespace holdfast::sim::postgres
