// Exact comparison of decimal numbers on their text, without arithmetic and without allocation:
// what `numeric` columns need. Values beyond double's precision compare as Postgres compares them.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::where {

/// A view into a number's text: sign, digits before and after the point without padding zeros.
/// Ordered as Postgres orders numeric: -Infinity, finite, Infinity, NaN (equal to itself).
struct Decimal {
  enum class Kind : std::uint8_t { negative_infinity, finite, infinity, nan };
  Kind kind = Kind::finite;
  bool negative = false;  ///< never for zero
  std::string_view whole;
  std::string_view fraction;
};

/// Reads what numeric's and the integers' output functions print: no exponent, no blanks.
std::optional<Decimal> read_decimal(std::string_view text);
std::strong_ordering compare(const Decimal& a, const Decimal& b);

/// Reads any spelling numeric's input function takes ("1e3", ".5", " +7. ", "NaN") and writes it in
/// the form read_decimal takes, without padding zeros. nullopt: not a number, or beyond numeric's
/// 131,072 digits before and 16,383 after the point.
std::optional<std::string> normalize_decimal(std::string_view text);

/// The same value, the same text: what read_decimal saw, printed without padding zeros.
void append_decimal(std::string& out, const Decimal& value);

}  // namespace holdfast::where
