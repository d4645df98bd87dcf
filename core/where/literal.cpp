#include "core/where/literal.hpp"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/where/decimal.hpp"
#include "core/where/scalar.hpp"
#include "core/where/temporal.hpp"

namespace holdfast::where {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(k_blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_blanks) - first + 1);
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<std::string> read_boolean(std::string_view text) {
  const std::string word = lower_ascii(trimmed(text));
  if (word.empty()) return std::nullopt;
  if (word == "1" || word == "on") return "t";
  if (word == "0" || word == "of" || word == "off") return "f";
  for (const std::string_view yes : {"true", "yes"})
    if (yes.starts_with(word)) return "t";
  for (const std::string_view no : {"false", "no"})
    if (no.starts_with(word)) return "f";
  return std::nullopt;
}

std::optional<std::string> read_integer(std::string_view text, std::int64_t least,
                                        std::int64_t most) {
  text = trimmed(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < least || value > most) return std::nullopt;
  return std::to_string(value);
}

template <class Float>
std::optional<std::string> read_real(std::string_view text) {
  text = trimmed(text);
  const std::string word = lower_ascii(text);
  if (word == "nan") return "NaN";
  if (word == "inf" || word == "infinity" || word == "+inf" || word == "+infinity")
    return "Infinity";
  if (word == "-inf" || word == "-infinity") return "-Infinity";
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  if (text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return std::nullopt;
  Float value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  char out[64];
  const auto printed = std::to_chars(out, out + sizeof out, value);
  return std::string(out, printed.ptr);
}

/// Postgres takes a hyphen after any group of four digits, and braces around the whole.
std::optional<std::string> read_uuid(std::string_view text) {
  if (text.starts_with('{')) {
    if (!text.ends_with('}')) return std::nullopt;
    text = text.substr(1, text.size() - 2);
  }
  std::string out;
  unsigned digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c =
        text[i] >= 'A' && text[i] <= 'F' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (!hex) {
      const bool hyphen =
          c == '-' && digits > 0 && digits % 4 == 0 && digits < 32 && text[i - 1] != '-';
      if (!hyphen) return std::nullopt;
      continue;
    }
    if (digits == 8 || digits == 12 || digits == 16 || digits == 20) out += '-';
    out += c;
    if (++digits > 32) return std::nullopt;
  }
  return digits == 32 ? std::optional(out) : std::nullopt;
}

template <class T>
std::optional<std::string> if_read(const std::optional<T>& value, std::string_view text) {
  return value ? std::optional(std::string(trimmed(text))) : std::nullopt;
}

/// The double that a float4 is, not the double that its shortest text would be.
std::optional<std::string> widen_float4(std::string_view text) {
  Scalar value;
  if (!load(Loader::real4, text, value)) return std::nullopt;
  if (!std::isfinite(value.real)) return std::string(text);
  char out[64];
  const auto printed = std::to_chars(out, out + sizeof out, value.real);
  return std::string(out, printed.ptr);
}

constexpr bool same_family(Type from, Type to) {
  return from == to || (is_string(from) && is_string(to));
}

std::optional<std::string> to_text(Type from, std::string_view text) {
  if (from == Type::boolean) return text == "t" ? "true" : "false";
  if (from == Type::bpchar) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    return std::string(text);
  }
  return std::string(text);
}

}  // namespace

std::optional<std::string> read_literal(Type type, std::string_view text) {
  switch (type) {
    case Type::boolean:
      return read_boolean(text);
    case Type::int2:
      return read_integer(text, -32'768, 32'767);
    case Type::int4:
      return read_integer(text, -2'147'483'648LL, 2'147'483'647LL);
    case Type::int8:
      return read_integer(text, std::numeric_limits<std::int64_t>::min(),
                          std::numeric_limits<std::int64_t>::max());
    case Type::float4:
      return read_real<float>(text);
    case Type::float8:
      return read_real<double>(text);
    case Type::numeric:
      return normalize_decimal(text);
    case Type::text:
    case Type::varchar:
    case Type::bpchar:
      return std::string(text);
    case Type::uuid:
      return read_uuid(text);
    case Type::date:
      return if_read(read_date(text), text);
    case Type::timestamp:
      return if_read(read_timestamp(text, Zone::ignored), text);
    case Type::timestamptz:
      return if_read(read_timestamp(text, Zone::applied), text);
    case Type::unknown:
    case Type::opaque:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::optional<std::string>> cast_constant(Type from, Type to, std::string_view text) {
  using Done = std::optional<std::string>;
  if (from == Type::unknown) return read_literal(to, text);
  if (from == Type::bpchar && (to == Type::text || to == Type::varchar)) return to_text(from, text);
  if (same_family(from, to)) return Done(std::string(text));
  if (category(from) == Category::numeric && category(to) == Category::numeric) {
    // Widening only: Postgres' narrowing casts round, and upstream refuses them (§11.1).
    if (!casts_implicitly(from, to)) return std::nullopt;
    return from == Type::float4 ? widen_float4(text) : read_literal(to, text);
  }
  if (is_string(from) && from != Type::text) return std::nullopt;
  if (from == Type::text) return read_literal(to, text);
  if (from == Type::date && to == Type::timestamp) {
    const auto days = read_date(text);
    const bool fits = days && date_to_timestamp(*days) != k_time_infinity - 1;
    return fits ? Done(std::string(text)) : Done();
  }
  if (from == Type::int4 && to == Type::boolean) return Done(text == "0" ? "f" : "t");
  if (from == Type::boolean && to == Type::int4) return Done(text == "t" ? "1" : "0");
  if (to == Type::text) {
    // Only types whose stored text is what Postgres prints: floats, numerics and times are kept as
    // they were written, which may differ ("1e3", "2020-1-1").
    if (is_integer(from) || from == Type::boolean || from == Type::uuid) return to_text(from, text);
  }
  return std::nullopt;
}

}  // namespace holdfast::where
