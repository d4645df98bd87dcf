// Expressions that compute values: LIKE, casts, arithmetic, text functions, COALESCE and its kin.
#include <cmath>

#include "core/base/assert.hpp"
#include "sim/postgres/values/numeric_text.hpp"
#include "sim/postgres/where/expression.hpp"

namespace holdfast::sim::postgres {
namespace {

std::string fold(std::string text, TextFunction function) {
  // Collation C: only ASCII letters have another case.
  for (char& c : text) {
    if (function == TextFunction::lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (function == TextFunction::upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// Bytes of the code point at the start of a non-empty text.
std::size_t code_point_bytes(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < text.size() && continues(text[bytes])) ++bytes;
  return bytes;
}

std::int64_t length_of(std::string_view text) {
  std::int64_t length = 0;
  for (const char c : text) length += continues(c) ? 0 : 1;
  return length;
}

class Like final : public TestExpression {
 public:
  Like(LikeCase like_case, ExpressionRef text, ExpressionRef pattern)
      : case_(like_case), text_(std::move(text)), pattern_(std::move(pattern)) {}
  Truth test(const Scope& scope) const override {
    Value text = text_->evaluate(scope);
    Value pattern = pattern_->evaluate(scope);
    if (text.null || pattern.null) return Truth::unknown;
    if (case_ == LikeCase::ignore) {
      text.text = fold(std::move(text.text), TextFunction::lower);
      pattern.text = fold(std::move(pattern.text), TextFunction::lower);
    }
    return truth_of(like_matches(text.text, pattern.text));
  }

 private:
  LikeCase case_;
  ExpressionRef text_;
  ExpressionRef pattern_;
};

class Cast final : public Expression {
 public:
  Cast(ExpressionRef term, TypeId to) : Expression(to), term_(std::move(term)) {}
  Value evaluate(const Scope& scope) const override {
    auto value = cast_value(term_->evaluate(scope), type());
    if (!value) throw Raised{value.error()};
    return std::move(*value);
  }

 private:
  ExpressionRef term_;
};

class Arithmetic final : public Expression {
 public:
  Arithmetic(char op, TypeId type, ExpressionRef left, ExpressionRef right)
      : Expression(type), op_(op), left_(std::move(left)), right_(std::move(right)) {}
  Value evaluate(const Scope& scope) const override {
    const Value a = left_->evaluate(scope);
    const Value b = right_->evaluate(scope);
    if (a.null || b.null) return Value::null_of(type());
    return compute(op_, a, b, type());
  }

 private:
  char op_;
  ExpressionRef left_;
  ExpressionRef right_;
};

class Concatenation final : public Expression {
 public:
  Concatenation(ExpressionRef left, ExpressionRef right)
      : Expression(TypeId::text), left_(std::move(left)), right_(std::move(right)) {}
  Value evaluate(const Scope& scope) const override {
    const Value a = left_->evaluate(scope);
    const Value b = right_->evaluate(scope);
    if (a.null || b.null) return Value::null_of(TypeId::text);
    return Value::of_text(TypeId::text, a.text + b.text);
  }

 private:
  ExpressionRef left_;
  ExpressionRef right_;
};

class TextCall final : public Expression {
 public:
  TextCall(TextFunction function, ExpressionRef text)
      : Expression(function == TextFunction::length ? TypeId::int4 : TypeId::text),
        function_(function),
        text_(std::move(text)) {}
  Value evaluate(const Scope& scope) const override {
    Value text = text_->evaluate(scope);
    if (text.null) return Value::null_of(type());
    if (function_ == TextFunction::length)
      return Value::of_integer(TypeId::int4, length_of(text.text));
    return Value::of_text(TypeId::text, fold(std::move(text.text), function_));
  }

 private:
  TextFunction function_;
  ExpressionRef text_;
};

class ChoiceCall final : public Expression {
 public:
  ChoiceCall(Choice choice, TypeId type, std::vector<ExpressionRef> terms)
      : Expression(type), choice_(choice), terms_(std::move(terms)) {}
  Value evaluate(const Scope& scope) const override {
    Value best = Value::null_of(type());
    for (const ExpressionRef& term : terms_) {
      Value value = term->evaluate(scope);
      if (value.null) continue;
      if (choice_ == Choice::first_not_null) return value;
      const int order = best.null ? 0 : compare_values(value, best);
      if (best.null || (choice_ == Choice::greatest ? order > 0 : order < 0))
        best = std::move(value);
    }
    return best;
  }

 private:
  Choice choice_;
  std::vector<ExpressionRef> terms_;
};

std::int64_t compute_integer(char op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case '/':
    case '%':
      if (b == 0) raise("22012", "division by zero");
      if (b == -1) {
        if (op == '%') return 0;
        overflow = __builtin_sub_overflow(std::int64_t{0}, a, &result);
      } else {
        result = op == '/' ? a / b : a % b;
      }
      break;
    default:
      ASSERT(false, "there are five operators");
  }
  if (overflow) raise("22003", "bigint out of range");
  return result;
}

double compute_real(char op, double a, double b) {
  double result = 0;
  switch (op) {
    case '+':
      result = a + b;
      break;
    case '-':
      result = a - b;
      break;
    case '*':
      result = a * b;
      break;
    case '/':
      if (b == 0 && !std::isnan(a)) raise("22012", "division by zero");
      result = a / b;
      break;
    default:
      raise("42883", "operator does not exist: double precision % double precision");
  }
  if (std::isinf(result) && !std::isinf(a) && !std::isinf(b))
    raise("22003", "value out of range: overflow");
  const bool vanished = result == 0 && a != 0 && b != 0 && !std::isinf(b);
  if (vanished && (op == '*' || op == '/')) raise("22003", "value out of range: underflow");
  return result;
}

bool is_float(TypeId type) {
  return type == TypeId::float4 || type == TypeId::float8;
}

/// As in Postgres, an escape at the end is only an error if there is text to compare it with.
void raise_if_escape_ends(std::string_view pattern) {
  if (pattern == "\\") raise("22025", "LIKE pattern must not end with escape character");
}

/// `pattern` begins with %. REQUIRES: a text that is not empty.
bool matches_any_sequence(std::string_view text, std::string_view pattern) {
  while (!pattern.empty() && (pattern.front() == '%' || pattern.front() == '_')) {
    if (pattern.front() == '_') {
      if (text.empty()) return false;
      text.remove_prefix(code_point_bytes(text));
    }
    pattern.remove_prefix(1);
  }
  if (pattern.empty()) return true;
  raise_if_escape_ends(pattern);
  for (; !text.empty(); text.remove_prefix(code_point_bytes(text)))
    if (like_matches(text, pattern)) return true;
  return false;
}

}  // namespace

bool like_matches(std::string_view text, std::string_view pattern) {
  while (!text.empty() && !pattern.empty()) {
    const char c = pattern.front();
    if (c == '%') return matches_any_sequence(text, pattern);
    raise_if_escape_ends(pattern);
    if (c == '_') {
      text.remove_prefix(code_point_bytes(text));
      pattern.remove_prefix(1);
      continue;
    }
    if (c == '\\') pattern.remove_prefix(1);
    if (text.front() != pattern.front()) return false;
    text.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return text.empty() && pattern.find_first_not_of('%') == std::string_view::npos;
}

TypeId common_number_type(TypeId a, TypeId b) {
  if (a == b) return a;
  if (is_float(a) || is_float(b)) return TypeId::float8;
  if (a == TypeId::numeric || b == TypeId::numeric) return TypeId::numeric;
  if (a == TypeId::int8 || b == TypeId::int8) return TypeId::int8;
  return TypeId::int4;
}

Value compute(char op, const Value& a, const Value& b, TypeId type) {
  const auto left = cast_value(a, type);
  const auto right = cast_value(b, type);
  if (!left) throw Raised{left.error()};
  if (!right) throw Raised{right.error()};
  if (is_float(type)) {
    Value result = Value::null_of(type);
    result.null = false;
    result.real = compute_real(op, left->real, right->real);
    if (type == TypeId::float4) result.real = static_cast<double>(static_cast<float>(result.real));
    return result;
  }
  if (type == TypeId::numeric) {
    switch (op) {
      case '+':
        return Value::of_text(type, add_decimals(left->text, right->text));
      case '-':
        return Value::of_text(type, add_decimals(left->text, negate_decimal(right->text)));
      case '*':
        return Value::of_text(type, multiply_decimals(left->text, right->text));
      default:
        raise("0A000", "the model does not divide numerics");
    }
  }
  const auto narrowed = cast_value(
      Value::of_integer(TypeId::int8, compute_integer(op, left->integer, right->integer)), type);
  if (!narrowed) throw Raised{narrowed.error()};
  return *narrowed;
}

ExpressionRef make_like(LikeCase like_case, ExpressionRef text, ExpressionRef pattern) {
  return std::make_unique<Like>(like_case, std::move(text), std::move(pattern));
}

// Casts and sums of constants are computed at once, as the planner does: their errors come even if
// no row would have reached them.
ExpressionRef make_cast(ExpressionRef term, TypeId to) {
  const bool constant = term->constant();
  ExpressionRef cast = std::make_unique<Cast>(std::move(term), to);
  if (!constant) return cast;
  const Row no_row;
  const std::vector<RowSet> no_results;
  return make_constant(cast->evaluate({no_row, no_results}));
}

ExpressionRef make_arithmetic(char op, ExpressionRef left, ExpressionRef right) {
  const TypeId type = common_number_type(left->type(), right->type());
  if (left->constant() && right->constant()) {
    const Value a = constant_value(*left);
    const Value b = constant_value(*right);
    return make_constant(a.null || b.null ? Value::null_of(type) : compute(op, a, b, type));
  }
  return std::make_unique<Arithmetic>(op, type, std::move(left), std::move(right));
}

ExpressionRef make_concatenation(ExpressionRef left, ExpressionRef right) {
  return std::make_unique<Concatenation>(std::move(left), std::move(right));
}

ExpressionRef make_text_function(TextFunction function, ExpressionRef text) {
  return std::make_unique<TextCall>(function, std::move(text));
}

ExpressionRef make_choice(Choice choice, TypeId type, std::vector<ExpressionRef> terms) {
  return std::make_unique<ChoiceCall>(choice, type, std::move(terms));
}

}  // namespace holdfast::sim::postgres
