#include "sim/postgres/where/typing.hpp"

#include <utility>

namespace holdfast::sim::postgres {

void unsupported(const std::string& what) {
  raise("0A000", "the model does not interpret " + what);
}

std::string last_name(const std::vector<TreeMessage>& names) {
  if (names.empty()) return {};
  return TreeNode(names.back()).body.text(1);
}

namespace {

/// Within a family, casts go unasked to the types of a higher rank; string types all are one rank.
unsigned rank(TypeId type) {
  if (family(type) == TypeFamily::string) return 0;
  // Integers, then numeric, then floats.
  if (type == TypeId::numeric) return 2 * static_cast<unsigned>(TypeId::int8) + 1;
  return 2 * static_cast<unsigned>(type);
}

bool preferred(TypeId type) {
  return type == TypeId::boolean || type == TypeId::float8 || type == TypeId::text ||
         type == TypeId::timestamptz;
}

}  // namespace

std::optional<TypeId> common_type(const std::vector<TypeId>& types) {
  TypeId common = TypeId::unknown;
  for (const TypeId type : types) {
    if (type == TypeId::unknown) continue;
    if (common == TypeId::unknown) {
      common = type;
      continue;
    }
    if (family(type) != family(common)) return std::nullopt;
    if (!preferred(common) && rank(type) > rank(common)) common = type;
  }
  return common == TypeId::unknown ? TypeId::text : common;
}

ExpressionRef convert(ExpressionRef term, TypeId to) {
  term = coerce(std::move(term), to);
  return term->type() == to ? std::move(term) : make_cast(std::move(term), to);
}

TypeId unified(TypeId type) {
  return type == TypeId::varchar ? TypeId::text : type;
}

ExpressionRef coerce(ExpressionRef term, TypeId to) {
  if (term->type() != TypeId::unknown) return term;
  const Value literal = constant_value(*term);
  if (literal.null) return make_constant(Value::null_of(to));
  auto value = read_value(to, literal.text);
  if (!value) throw Raised{value.error()};
  return make_constant(std::move(*value));
}

void unify(ExpressionRef& left, ExpressionRef& right) {
  const TypeId known = left->type() != TypeId::unknown    ? left->type()
                       : right->type() != TypeId::unknown ? right->type()
                                                          : TypeId::text;
  left = coerce(std::move(left), unified(known));
  right = coerce(std::move(right), unified(known));
}

void no_operator(const std::string& name, TypeId left, TypeId right) {
  raise("42883", "operator does not exist: " + std::string(name_of(left)) + " " + name + " " +
                     std::string(name_of(right)));
}

ExpressionRef text_operand(ExpressionRef term, const std::string& where) {
  term = coerce(std::move(term), TypeId::text);
  if (family(term->type()) != TypeFamily::string)
    raise("42883", where + " is not defined for " + std::string(name_of(term->type())));
  return term->type() == TypeId::bpchar ? make_cast(std::move(term), TypeId::text)
                                        : std::move(term);
}

ExpressionRef like_operator(const std::string& name, ExpressionRef left, ExpressionRef right) {
  const LikeCase like_case = name.back() == '*' ? LikeCase::ignore : LikeCase::exact;
  // LIKE has an operator for bpchar, which sees the blanks; of the pattern there is only text.
  const bool padded = left->type() == TypeId::bpchar;
  ExpressionRef subject = padded ? std::move(left) : text_operand(std::move(left), "LIKE");
  ExpressionRef like =
      make_like(like_case, std::move(subject), text_operand(std::move(right), "LIKE"));
  return name.front() == '!' ? make_not(std::move(like)) : std::move(like);
}

}  // namespace holdfast::sim::postgres
