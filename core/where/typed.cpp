#include "core/where/typed.hpp"

namespace holdfast::where {

std::string inside(const Typed& part, Precedence outer) {
  return part.precedence > outer ? part.sql : '(' + part.sql + ')';
}

std::string quote_literal(std::string_view text) {
  // E'' reads the same whatever standard_conforming_strings says; needed only for backslashes.
  std::string out = text.find('\\') == std::string_view::npos ? "'" : "E'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out + '\'';
}

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

std::optional<Type> comparison_type(Type left, Type right) {
  if (left == Type::opaque || right == Type::opaque) return std::nullopt;
  if (left == Type::unknown && right == Type::unknown) return Type::text;
  if (left == Type::unknown) return right;
  if (right == Type::unknown || left == right) return left;
  if (category(left) != category(right)) return std::nullopt;
  switch (category(left)) {
    case Category::numeric:
      if (is_float(left) || is_float(right)) return Type::float8;
      return is_integer(left) && is_integer(right) ? Type::int8 : Type::numeric;
    case Category::string:
      // text is the preferred type and wins over bpchar; varchar has no operators of its own and
      // gives way to bpchar's.
      if (left == Type::text || right == Type::text) return Type::text;
      return Type::bpchar;
    case Category::datetime:
      // Without casts that need a session's time zone (where-clauses.md §7.2).
      if (left == Type::timestamptz || right == Type::timestamptz) return std::nullopt;
      return Type::timestamp;
    case Category::none:
    case Category::boolean:
    case Category::user:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Type> common_type(const std::vector<Type>& types) {
  Type chosen = Type::unknown;
  for (const Type next : types) {
    if (next == Type::unknown || next == chosen) continue;
    if (chosen == Type::unknown) {
      chosen = next;
      continue;
    }
    if (category(next) != category(chosen) || category(next) == Category::none) return std::nullopt;
    const bool preferred = chosen == Type::float8 || chosen == Type::text ||
                           chosen == Type::boolean || chosen == Type::timestamptz;
    if (!preferred && casts_implicitly(chosen, next) && !casts_implicitly(next, chosen))
      chosen = next;
  }
  return chosen == Type::unknown ? Type::text : chosen;
}

std::optional<Loader> column_loader(const Typed& column, Type target) {
  const Type source = column.column_type;
  const bool narrow = column.through_float4 || source == Type::float4 || target == Type::float4;
  switch (target) {
    case Type::int2:
    case Type::int4:
    case Type::int8:
      return is_integer(source) ? std::optional(Loader::integer) : std::nullopt;
    case Type::numeric:
      return is_integer(source) || source == Type::numeric ? std::optional(Loader::decimal)
                                                           : std::nullopt;
    case Type::float4:
    case Type::float8:
      if (category(source) != Category::numeric) return std::nullopt;
      return narrow ? Loader::real4 : Loader::real8;
    case Type::text:
    case Type::varchar:
      if (source == Type::bpchar || column.through_bpchar) return Loader::text_trimmed;
      if (source == Type::boolean) return Loader::boolean_as_text;
      return Loader::text;
    case Type::bpchar:
      return is_string(source) ? std::optional(Loader::text_trimmed) : std::nullopt;
    case Type::timestamp:
      if (source == Type::date) return Loader::date_as_timestamp;
      return source == target ? own_loader(target) : std::nullopt;
    case Type::boolean:
    case Type::uuid:
    case Type::date:
    case Type::timestamptz:
      return source == target ? own_loader(target) : std::nullopt;
    case Type::unknown:
    case Type::opaque:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace holdfast::where
