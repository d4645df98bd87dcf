#include "sim/postgres/where/expression.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

const Value& get(const Expression& expression, const Scope& scope, Value& scratch) {
  if (const Value* value = expression.peek(scope)) return *value;
  scratch = expression.evaluate(scope);
  return scratch;
}

class Constant final : public Expression {
 public:
  explicit Constant(Value value) : Expression(value.type), value_(std::move(value)) {}
  Value evaluate(const Scope&) const override { return value_; }
  const Value* peek(const Scope&) const override { return &value_; }
  bool constant() const override { return true; }

 private:
  Value value_;
};

class ColumnValue final : public Expression {
 public:
  ColumnValue(TypeId type, std::uint16_t slot)
      : Expression(type), slot_(slot), null_(Value::null_of(type)) {}
  Value evaluate(const Scope& scope) const override { return *peek(scope); }
  const Value* peek(const Scope& scope) const override {
    return scope.row.is_null(slot_) ? &null_ : &scope.row.values[slot_];
  }

 private:
  std::uint16_t slot_;
  Value null_;
};

class Compare final : public TestExpression {
 public:
  Compare(Comparison op, ExpressionRef left, ExpressionRef right)
      : op_(op), left_(std::move(left)), right_(std::move(right)) {}
  Truth test(const Scope& scope) const override {
    Value left;
    Value right;
    const Value& a = get(*left_, scope, left);
    return compare(op_, a, get(*right_, scope, right));
  }

 private:
  Comparison op_;
  ExpressionRef left_;
  ExpressionRef right_;
};

/// AND and OR: `decisive` ends the evaluation.
class Junction final : public TestExpression {
 public:
  Junction(Truth decisive, std::vector<ExpressionRef> terms)
      : decisive_(decisive), terms_(std::move(terms)) {}
  Truth test(const Scope& scope) const override {
    Truth result = negate(decisive_);
    for (const ExpressionRef& term : terms_) {
      const Truth truth = term->test(scope);
      if (truth == decisive_) return truth;
      if (truth == Truth::unknown) result = Truth::unknown;
    }
    return result;
  }

 private:
  Truth decisive_;
  std::vector<ExpressionRef> terms_;
};

class Not final : public TestExpression {
 public:
  explicit Not(ExpressionRef term) : term_(std::move(term)) {}
  Truth test(const Scope& scope) const override { return negate(term_->test(scope)); }

 private:
  ExpressionRef term_;
};

/// A row IS NULL when all its fields are, and IS NOT NULL when none is.
class NullTest final : public TestExpression {
 public:
  NullTest(NullQuestion question, std::vector<ExpressionRef> terms)
      : question_(question), terms_(std::move(terms)) {}
  Truth test(const Scope& scope) const override {
    return truth_of(std::all_of(terms_.begin(), terms_.end(), [&](const ExpressionRef& term) {
      Value scratch;
      return get(*term, scope, scratch).null == (question_ == NullQuestion::is_null);
    }));
  }

 private:
  NullQuestion question_;
  std::vector<ExpressionRef> terms_;
};

class TruthTest final : public TestExpression {
 public:
  TruthTest(Truth wanted, ExpressionRef term) : wanted_(wanted), term_(std::move(term)) {}
  Truth test(const Scope& scope) const override { return truth_of(term_->test(scope) == wanted_); }

 private:
  Truth wanted_;
  ExpressionRef term_;
};

class Distinct final : public TestExpression {
 public:
  Distinct(ExpressionRef left, ExpressionRef right)
      : left_(std::move(left)), right_(std::move(right)) {}
  Truth test(const Scope& scope) const override {
    Value left;
    Value right;
    const Value& a = get(*left_, scope, left);
    const Value& b = get(*right_, scope, right);
    if (a.null || b.null) return truth_of(a.null != b.null);
    return compare(Comparison::not_equal, a, b);
  }

 private:
  ExpressionRef left_;
  ExpressionRef right_;
};

}  // namespace

Truth Expression::test(const Scope& scope) const {
  ASSERT(type_ == TypeId::boolean, "only a boolean is a condition");
  Value scratch;
  const Value& value = get(*this, scope, scratch);
  return value.null ? Truth::unknown : truth_of(value.integer != 0);
}

Value TestExpression::evaluate(const Scope& scope) const {
  const Truth truth = test(scope);
  if (truth == Truth::unknown) return Value::null_of(TypeId::boolean);
  return Value::of_boolean(truth == Truth::yes);
}

Truth truth_of(bool b) {
  return b ? Truth::yes : Truth::no;
}

Truth negate(Truth truth) {
  switch (truth) {
    case Truth::no:
      return Truth::yes;
    case Truth::yes:
      return Truth::no;
    case Truth::unknown:
      return Truth::unknown;
  }
  ASSERT(false, "there are three truths");
}

std::optional<Comparison> comparison_of(std::string_view name) {
  if (name == "=") return Comparison::equal;
  if (name == "<>" || name == "!=") return Comparison::not_equal;
  if (name == "<") return Comparison::less;
  if (name == "<=") return Comparison::less_equal;
  if (name == ">") return Comparison::greater;
  if (name == ">=") return Comparison::greater_equal;
  return std::nullopt;
}

Truth compare(Comparison op, const Value& a, const Value& b) {
  if (a.null || b.null) return Truth::unknown;
  const int order = compare_values(a, b);
  switch (op) {
    case Comparison::equal:
      return truth_of(order == 0);
    case Comparison::not_equal:
      return truth_of(order != 0);
    case Comparison::less:
      return truth_of(order < 0);
    case Comparison::less_equal:
      return truth_of(order <= 0);
    case Comparison::greater:
      return truth_of(order > 0);
    case Comparison::greater_equal:
      return truth_of(order >= 0);
  }
  ASSERT(false, "there are six comparisons");
}

ExpressionRef make_constant(Value value) {
  return std::make_unique<Constant>(std::move(value));
}

Value constant_value(const Expression& expression) {
  ASSERT(expression.constant(), "only a constant has a value without a row");
  const Row no_row;
  const std::vector<RowSet> no_results;
  return expression.evaluate({no_row, no_results});
}

ExpressionRef make_column(TypeId type, std::uint16_t slot) {
  return std::make_unique<ColumnValue>(type, slot);
}

ExpressionRef make_comparison(Comparison op, ExpressionRef left, ExpressionRef right) {
  return std::make_unique<Compare>(op, std::move(left), std::move(right));
}

ExpressionRef make_and(std::vector<ExpressionRef> terms) {
  return std::make_unique<Junction>(Truth::no, std::move(terms));
}

ExpressionRef make_or(std::vector<ExpressionRef> terms) {
  return std::make_unique<Junction>(Truth::yes, std::move(terms));
}

ExpressionRef make_not(ExpressionRef term) {
  return std::make_unique<Not>(std::move(term));
}

ExpressionRef make_null_test(NullQuestion question, std::vector<ExpressionRef> terms) {
  return std::make_unique<NullTest>(question, std::move(terms));
}

ExpressionRef make_truth_test(Truth wanted, ExpressionRef term) {
  return std::make_unique<TruthTest>(wanted, std::move(term));
}

ExpressionRef make_distinct(ExpressionRef left, ExpressionRef right) {
  return std::make_unique<Distinct>(std::move(left), std::move(right));
}

}  // namespace holdfast::sim::postgres
