#include "sim/postgres/values/value.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "core/base/assert.hpp"
#include "sim/postgres/values/datetime.hpp"
#include "sim/postgres/values/float_text.hpp"
#include "sim/postgres/values/numeric_text.hpp"

namespace holdfast::sim::postgres {
namespace {

struct TypeFacts {
  TypeId type;
  std::uint32_t oid;
  std::string_view name;
  std::string_view sql_name;
  TypeFamily family;
};

constexpr std::array<TypeFacts, 14> k_types{{
    {TypeId::boolean, 16, "bool", "boolean", TypeFamily::boolean},
    {TypeId::int2, 21, "int2", "smallint", TypeFamily::number},
    {TypeId::int4, 23, "int4", "integer", TypeFamily::number},
    {TypeId::int8, 20, "int8", "bigint", TypeFamily::number},
    {TypeId::float4, 700, "float4", "real", TypeFamily::number},
    {TypeId::float8, 701, "float8", "double precision", TypeFamily::number},
    {TypeId::numeric, 1700, "numeric", "decimal", TypeFamily::number},
    {TypeId::text, 25, "text", "text", TypeFamily::string},
    {TypeId::varchar, 1043, "varchar", "character varying", TypeFamily::string},
    {TypeId::bpchar, 1042, "bpchar", "character", TypeFamily::string},
    {TypeId::uuid, 2950, "uuid", "uuid", TypeFamily::uuid},
    {TypeId::date, 1082, "date", "date", TypeFamily::time},
    {TypeId::timestamp, 1114, "timestamp", "timestamp without time zone", TypeFamily::time},
    {TypeId::timestamptz, 1184, "timestamptz", "timestamp with time zone", TypeFamily::time},
}};

const TypeFacts& facts(TypeId type) {
  for (const TypeFacts& one : k_types)
    if (one.type == type) return one;
  ASSERT(false, "only typed values have a catalogue entry");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_space = " \t\n\r\v\f";
  const auto first = text.find_first_not_of(k_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_space) - first + 1);
}

Failure<SqlError> bad_syntax(TypeId type, std::string_view text) {
  const bool datetime = family(type) == TypeFamily::time;
  return {SqlError{datetime ? "22007" : "22P02", "invalid input syntax for type " +
                                                     std::string(facts(type).sql_name) + ": \"" +
                                                     std::string(text) + "\""}};
}

Failure<SqlError> out_of_range(TypeId type, std::string_view text) {
  return {SqlError{"22003", "value \"" + std::string(text) + "\" is out of range for type " +
                                std::string(facts(type).sql_name)}};
}

std::int64_t largest(TypeId type) {
  if (type == TypeId::int2) return INT16_MAX;
  if (type == TypeId::int4) return INT32_MAX;
  return INT64_MAX;
}

bool fits(TypeId type, std::int64_t i) {
  return i <= largest(type) && i >= -largest(type) - 1;
}

SqlResult<Value> read_integer(TypeId type, std::string_view text) {
  std::string_view digits = trimmed(text);
  if (!digits.empty() && digits.front() == '+') {
    digits.remove_prefix(1);
    if (!digits.empty() && digits.front() == '-') return bad_syntax(type, text);
  }
  std::int64_t i = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), i);
  if (read.ptr != digits.data() + digits.size() || digits.empty()) return bad_syntax(type, text);
  if (read.ec == std::errc::result_out_of_range || !fits(type, i)) return out_of_range(type, text);
  if (read.ec != std::errc{}) return bad_syntax(type, text);
  return Value::of_integer(type, i);
}

SqlResult<Value> read_boolean(std::string_view text) {
  std::string lower(trimmed(text));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const auto abbreviates = [&](std::string_view word, std::size_t least) {
    return lower.size() >= least && word.substr(0, lower.size()) == lower;
  };
  if (abbreviates("true", 1) || abbreviates("yes", 1) || lower == "on" || lower == "1")
    return Value::of_boolean(true);
  if (abbreviates("false", 1) || abbreviates("no", 1) || abbreviates("off", 2) || lower == "0")
    return Value::of_boolean(false);
  return bad_syntax(TypeId::boolean, text);
}

SqlResult<Value> read_uuid(std::string_view text) {
  std::string_view in = text;
  if (in.size() >= 2 && in.front() == '{' && in.back() == '}') in = in.substr(1, in.size() - 2);
  std::string digits;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const char c = in[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (hex) {
      digits.push_back(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (c != '-' || digits.empty() || digits.size() % 4 != 0 || in[i - 1] == '-' ||
               i + 1 == in.size()) {
      return bad_syntax(TypeId::uuid, text);
    }
  }
  if (digits.size() != 32) return bad_syntax(TypeId::uuid, text);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) digits.insert(at, "-");
  return Value::of_text(TypeId::uuid, digits);
}

SqlResult<Value> read_real(TypeId type, std::string_view text) {
  const auto real =
      type == TypeId::float4 ? read_float4(trimmed(text)) : read_float8(trimmed(text));
  if (real.status == FloatStatus::bad_syntax) return bad_syntax(type, text);
  if (real.status == FloatStatus::out_of_range)
    return Failure<SqlError>{{"22003", "\"" + std::string(text) + "\" is out of range for type " +
                                           std::string(facts(type).sql_name)}};
  Value value = Value::null_of(type);
  value.null = false;
  value.real = real.value;
  return value;
}

SqlResult<Value> read_time(TypeId type, std::string_view text) {
  const auto read = type == TypeId::date        ? parse_date(text)
                    : type == TypeId::timestamp ? parse_timestamp(text, Offset::ignore)
                                                : parse_timestamp(text, Offset::apply);
  if (!read) return bad_syntax(type, text);
  return Value::of_integer(type, *read);
}

/// Microseconds since 2000 of any value of the time family.
std::int64_t moment(const Value& value) {
  return value.type == TypeId::date ? date_to_timestamp(value.integer) : value.integer;
}

bool is_float(TypeId type) {
  return type == TypeId::float4 || type == TypeId::float8;
}

std::string decimal_text(const Value& value) {
  return value.type == TypeId::numeric ? value.text : std::to_string(value.integer);
}

double as_double(const Value& value) {
  if (is_float(value.type)) return value.real;
  if (value.type == TypeId::numeric) return read_float8(value.text).value;
  return static_cast<double>(value.integer);
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return three_way(std::isnan(a), std::isnan(b));
  return three_way(a, b);
}

int compare_numbers(const Value& a, const Value& b) {
  if (is_float(a.type) || is_float(b.type)) return compare_doubles(as_double(a), as_double(b));
  if (a.type == TypeId::numeric || b.type == TypeId::numeric)
    return compare_decimals(decimal_text(a), decimal_text(b));
  return three_way(a.integer, b.integer);
}

/// With another string type, a bpchar is compared as text.
std::string_view compared_text(const Value& value) {
  return value.type == TypeId::bpchar ? without_padding(value.text) : std::string_view(value.text);
}

Failure<SqlError> no_cast(TypeId from, TypeId to) {
  return {SqlError{"42846", "cannot cast type " + std::string(facts(from).sql_name) + " to " +
                                std::string(facts(to).sql_name)}};
}

SqlResult<Value> cast_real_to_real(const Value& value, TypeId to) {
  Value result = value;
  result.type = to;
  if (to == TypeId::float4) result.real = static_cast<double>(static_cast<float>(value.real));
  if ((std::isinf(result.real) && !std::isinf(value.real)) || (result.real == 0 && value.real != 0))
    return out_of_range(to, print_value(value));
  return result;
}

/// With as many digits as the type always keeps, not with those that print it exactly.
std::string decimal_of_real(const Value& value) {
  if (!std::isfinite(value.real)) return print_value(value);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*g", value.type == TypeId::float4 ? 6 : 15,
                value.real);
  return text.data();
}

SqlResult<Value> cast_number(const Value& value, TypeId to) {
  if (to == TypeId::boolean) {
    if (value.type != TypeId::int4) return no_cast(value.type, to);
    return Value::of_boolean(value.integer != 0);
  }
  if (family(to) != TypeFamily::number) return no_cast(value.type, to);
  if (is_float(value.type) && is_float(to)) return cast_real_to_real(value, to);
  if (is_float(value.type) && to == TypeId::numeric) return read_value(to, decimal_of_real(value));
  if (is_float(to) || to == TypeId::numeric) return read_value(to, print_value(value));
  if (is_float(value.type)) {
    const double rounded = std::nearbyint(value.real);
    if (!(rounded >= -9.2e18 && rounded <= 9.2e18) || !fits(to, static_cast<std::int64_t>(rounded)))
      return Failure<SqlError>{{"22003", std::string(facts(to).sql_name) + " out of range"}};
    return Value::of_integer(to, static_cast<std::int64_t>(rounded));
  }
  if (value.type == TypeId::numeric) {
    const auto point = value.text.find('.');
    if (point == std::string::npos) return read_value(to, value.text);
    return Failure<SqlError>{{"0A000", "the model does not round numeric to an integer"}};
  }
  if (!fits(to, value.integer))
    return Failure<SqlError>{{"22003", std::string(facts(to).sql_name) + " out of range"}};
  return Value::of_integer(to, value.integer);
}

}  // namespace

TypeFamily family(TypeId type) {
  return type == TypeId::unknown ? TypeFamily::unknown : facts(type).family;
}

holdfast::postgres::Oid oid_of(TypeId type) {
  return {facts(type).oid};
}

std::string_view name_of(TypeId type) {
  return type == TypeId::unknown ? std::string_view("unknown") : facts(type).name;
}

std::optional<TypeId> type_of_oid(holdfast::postgres::Oid oid) {
  for (const TypeFacts& one : k_types)
    if (one.oid == oid.value) return one.type;
  return std::nullopt;
}

std::optional<TypeId> type_of_name(std::string_view name) {
  for (const TypeFacts& one : k_types)
    if (one.name == name || one.sql_name == name) return one.type;
  return std::nullopt;
}

Value Value::of_boolean(bool b) {
  return of_integer(TypeId::boolean, b ? 1 : 0);
}

Value Value::of_integer(TypeId type, std::int64_t i) {
  Value value = null_of(type);
  value.null = false;
  value.integer = i;
  return value;
}

Value Value::of_text(TypeId type, std::string text) {
  Value value = null_of(type);
  value.null = false;
  value.text = std::move(text);
  return value;
}

SqlResult<Value> read_value(TypeId type, std::string_view text) {
  switch (type) {
    case TypeId::boolean:
      return read_boolean(text);
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
      return read_integer(type, text);
    case TypeId::float4:
    case TypeId::float8:
      return read_real(type, text);
    case TypeId::numeric: {
      auto canonical = canonical_decimal(text);
      if (!canonical) return bad_syntax(type, text);
      return Value::of_text(type, std::move(*canonical));
    }
    case TypeId::text:
    case TypeId::varchar:
    case TypeId::bpchar:
    case TypeId::unknown:
      return Value::of_text(type, std::string(text));
    case TypeId::uuid:
      return read_uuid(text);
    case TypeId::date:
    case TypeId::timestamp:
    case TypeId::timestamptz:
      return read_time(type, text);
  }
  ASSERT(false, "every type has an input function");
}

std::string print_value(const Value& value) {
  ASSERT(!value.null, "NULL has no text");
  switch (value.type) {
    case TypeId::boolean:
      return value.integer != 0 ? "t" : "f";
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
      return std::to_string(value.integer);
    case TypeId::float4:
      return print_float4(value.real);
    case TypeId::float8:
      return print_float8(value.real);
    case TypeId::numeric:
    case TypeId::text:
    case TypeId::varchar:
    case TypeId::bpchar:
    case TypeId::uuid:
    case TypeId::unknown:
      return value.text;
    case TypeId::date:
      return print_date(value.integer);
    case TypeId::timestamp:
      return print_timestamp(value.integer, "");
    case TypeId::timestamptz:
      return print_timestamp(value.integer, "+00");
  }
  ASSERT(false, "every type has an output function");
}

std::string_view without_padding(std::string_view text) {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

int compare_values(const Value& a, const Value& b) {
  ASSERT(!a.null && !b.null, "NULL is compared by nobody");
  ASSERT(family(a.type) == family(b.type), "only values of one family compare");
  switch (family(a.type)) {
    case TypeFamily::boolean:
      return three_way(a.integer, b.integer);
    case TypeFamily::number:
      return compare_numbers(a, b);
    case TypeFamily::time:
      return three_way(moment(a), moment(b));
    case TypeFamily::string:
      return three_way(compared_text(a).compare(compared_text(b)), 0);
    case TypeFamily::uuid:
    case TypeFamily::unknown:
      return three_way(a.text.compare(b.text), 0);
  }
  ASSERT(false, "every family has an order");
}

SqlResult<Value> cast_value(const Value& value, TypeId to) {
  if (value.null) return Value::null_of(to);
  if (value.type == to) return value;
  if (value.type == TypeId::bpchar && family(to) == TypeFamily::string)
    return Value::of_text(to, std::string(without_padding(value.text)));
  if (family(value.type) == TypeFamily::unknown || family(value.type) == TypeFamily::string)
    return read_value(to, value.text);
  if (family(to) == TypeFamily::string) {
    // bool::text is a cast function of its own, unlike bool's output function.
    if (value.type == TypeId::boolean)
      return Value::of_text(to, value.integer != 0 ? "true" : "false");
    return Value::of_text(to, print_value(value));
  }
  switch (family(value.type)) {
    case TypeFamily::number:
      return cast_number(value, to);
    case TypeFamily::boolean:
      if (to != TypeId::int4) return no_cast(value.type, to);
      return Value::of_integer(to, value.integer);
    case TypeFamily::time:
      if (family(to) != TypeFamily::time) return no_cast(value.type, to);
      if (value.type == TypeId::date && value.integer >= k_first_day_past_timestamps &&
          value.integer != k_time_infinity)
        return Failure<SqlError>{{"22008", "date out of range for timestamp"}};
      return Value::of_integer(
          to, to == TypeId::date ? timestamp_to_date(value.integer) : moment(value));
    case TypeFamily::uuid:
    case TypeFamily::string:
    case TypeFamily::unknown:
      break;
  }
  return no_cast(value.type, to);
}

}  // namespace holdfast::sim::postgres
