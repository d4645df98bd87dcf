#include "core/where/scalar.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/assert.hpp"
#include "core/where/decimal.hpp"
#include "core/where/temporal.hpp"

namespace holdfast::where {
namespace {

bool load_integer(std::string_view cell, Scalar& into) {
  const char* const end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, into.integer);
  return error == std::errc{} && stop == end;
}

bool load_boolean(std::string_view cell, Scalar& into) {
  into.integer = cell == "t" || cell == "true" ? 1 : 0;
  return into.integer == 1 || cell == "f" || cell == "false";
}

template <class Float>
bool load_real(std::string_view cell, Scalar& into) {
  if (!cell.empty() && (cell.back() == 'N' || cell.back() == 'y')) {
    if (cell == "NaN")
      into.real = std::numeric_limits<double>::quiet_NaN();
    else if (cell == "Infinity")
      into.real = std::numeric_limits<double>::infinity();
    else if (cell == "-Infinity")
      into.real = -std::numeric_limits<double>::infinity();
    else
      return false;
    return true;
  }
  Float value = 0;
  const char* const end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  into.real = static_cast<double>(value);
  return error == std::errc{} && stop == end && !cell.empty() && std::isfinite(value);
}

bool load_decimal(std::string_view cell, Scalar& into) {
  const auto decimal = read_decimal(cell);
  if (decimal) into.decimal = *decimal;
  return decimal.has_value();
}

/// The value of each hexadecimal digit; 16 for every other byte.
constexpr std::array<std::uint8_t, 256> k_hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(16);
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i)
    values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

/// The hyphenated form that Postgres prints.
bool load_uuid(std::string_view cell, Scalar& into) {
  if (cell.size() != 36 || cell[8] != '-' || cell[13] != '-' || cell[18] != '-' || cell[23] != '-')
    return false;
  unsigned wrong = 0;
  const auto digits = [&](std::size_t from, std::size_t to, std::uint64_t value) {
    for (std::size_t i = from; i < to; ++i) {
      const unsigned digit = k_hex_values[static_cast<unsigned char>(cell[i])];
      wrong |= digit;
      value = value << 4 | (digit & 15U);
    }
    return value;
  };
  into.integer = std::bit_cast<std::int64_t>(digits(14, 18, digits(9, 13, digits(0, 8, 0))));
  into.low = digits(24, 36, digits(19, 23, 0));
  return (wrong & 16U) == 0;
}

bool load_instant(std::optional<std::int64_t> value, Scalar& into) {
  if (!value) return false;
  into.integer = *value;
  return true;
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::strong_ordering compare_real(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) <=> std::isnan(b);
  return a < b ? std::strong_ordering::less
               : (a > b ? std::strong_ordering::greater : std::strong_ordering::equal);
}

}  // namespace

ValueClass class_of(Loader loader) {
  switch (loader) {
    case Loader::boolean:
      return ValueClass::boolean;
    case Loader::integer:
      return ValueClass::integer;
    case Loader::decimal:
      return ValueClass::decimal;
    case Loader::real8:
    case Loader::real4:
      return ValueClass::real;
    case Loader::text:
    case Loader::text_trimmed:
    case Loader::boolean_as_text:
      return ValueClass::text;
    case Loader::uuid:
      return ValueClass::uuid;
    case Loader::days:
    case Loader::date_as_timestamp:
    case Loader::timestamp:
    case Loader::timestamptz:
      return ValueClass::instant;
  }
  return ValueClass::text;
}

std::optional<Loader> own_loader(Type type) {
  switch (type) {
    case Type::boolean:
      return Loader::boolean;
    case Type::int2:
    case Type::int4:
    case Type::int8:
      return Loader::integer;
    case Type::float4:
      return Loader::real4;
    case Type::float8:
      return Loader::real8;
    case Type::numeric:
      return Loader::decimal;
    case Type::text:
    case Type::varchar:
      return Loader::text;
    case Type::bpchar:
      return Loader::text_trimmed;
    case Type::uuid:
      return Loader::uuid;
    case Type::date:
      return Loader::days;
    case Type::timestamp:
      return Loader::timestamp;
    case Type::timestamptz:
      return Loader::timestamptz;
    case Type::unknown:
    case Type::opaque:
      return std::nullopt;
  }
  return std::nullopt;
}

bool load(Loader loader, std::string_view cell, Scalar& into) {
  switch (loader) {
    case Loader::boolean:
      return load_boolean(cell, into);
    case Loader::integer:
      return load_integer(cell, into);
    case Loader::decimal:
      return load_decimal(cell, into);
    case Loader::real8:
      return load_real<double>(cell, into);
    case Loader::real4:
      return load_real<float>(cell, into);
    case Loader::text:
      into.text = cell;
      return true;
    case Loader::text_trimmed:
      into.text = without_trailing_blanks(cell);
      return true;
    case Loader::uuid:
      return load_uuid(cell, into);
    case Loader::days:
      return load_instant(read_date(cell), into);
    case Loader::date_as_timestamp:
      if (!load_instant(read_date(cell), into)) return false;
      into.integer = date_to_timestamp(into.integer);
      return true;
    case Loader::timestamp:
      return load_instant(read_timestamp(cell, Zone::ignored), into);
    case Loader::timestamptz:
      return load_instant(read_timestamp(cell, Zone::applied), into);
    case Loader::boolean_as_text:
      if (!load_boolean(cell, into)) return false;
      into.text = into.integer == 1 ? "true" : "false";
      return true;
  }
  return false;
}

std::strong_ordering compare(ValueClass value_class, const Scalar& a, const Scalar& b) {
  switch (value_class) {
    case ValueClass::boolean:
    case ValueClass::integer:
    case ValueClass::instant:
      return a.integer <=> b.integer;
    case ValueClass::real:
      return compare_real(a.real, b.real);
    case ValueClass::decimal:
      return compare(a.decimal, b.decimal);
    case ValueClass::text:
      return a.text.compare(b.text) <=> 0;
    case ValueClass::uuid: {
      const auto high =
          std::bit_cast<std::uint64_t>(a.integer) <=> std::bit_cast<std::uint64_t>(b.integer);
      return high != 0 ? high : a.low <=> b.low;
    }
  }
  return std::strong_ordering::equal;
}

void append_key(std::string& out, ValueClass value_class, const Scalar& value) {
  char digits[40];
  const auto append_number = [&](auto number, int base) {
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, base);
    ASSERT(error == std::errc{}, "40 characters hold any 64-bit number");
    out.append(digits, end);
  };
  switch (value_class) {
    case ValueClass::boolean:
      out += value.integer == 1 ? 't' : 'f';
      return;
    case ValueClass::integer:
    case ValueClass::instant:
      append_number(value.integer, 10);
      return;
    case ValueClass::real:
      // One key for both zeros and one for every NaN, as equality has it.
      if (std::isnan(value.real))
        out += "NaN";
      else
        append_number(std::bit_cast<std::uint64_t>(value.real == 0 ? 0.0 : value.real), 16);
      return;
    case ValueClass::decimal:
      append_decimal(out, value.decimal);
      return;
    case ValueClass::text:
      out += value.text;
      return;
    case ValueClass::uuid:
      append_number(std::bit_cast<std::uint64_t>(value.integer), 16);
      out += '-';
      append_number(value.low, 16);
      return;
  }
}

}  // namespace holdfast::where
