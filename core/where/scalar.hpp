// One value inside an evaluation: read from a cell's text without allocating, compared with another
// of its class. The class says how two values compare, the loader how a cell becomes a value.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/where/decimal.hpp"
#include "core/where/value_types.hpp"

namespace holdfast::where {

/// How two values compare. Stored in compiled conditions: never renumber.
enum class ValueClass : std::uint8_t {
  boolean = 0,
  integer = 1,
  real = 2,     ///< double; NaN equals itself and is greater than everything
  decimal = 3,  ///< exact, on text
  text = 4,     ///< bytes
  uuid = 5,
  instant = 6,  ///< date (days) or timestamp (microseconds): both sides count in the same unit
};

/// How a cell becomes a value of a class. Stored in compiled conditions: never renumber.
enum class Loader : std::uint8_t {
  boolean = 0,
  integer = 1,
  decimal = 2,  ///< numeric or an integer, as text
  real8 = 3,    ///< float8, numeric or an integer
  real4 = 4,    ///< float4, widened
  text = 5,
  text_trimmed = 6,  ///< bpchar where Postgres ignores trailing blanks
  uuid = 7,
  days = 8,
  date_as_timestamp = 9,
  timestamp = 10,
  timestamptz = 11,
  boolean_as_text = 12,  ///< 'true' and 'false'
};
inline constexpr std::uint8_t k_last_loader = 12;
inline constexpr std::uint8_t k_last_class = 6;

struct Scalar {
  std::int64_t integer = 0;  ///< boolean, integer, instant; the high half of a uuid
  std::uint64_t low = 0;     ///< the low half of a uuid
  double real = 0;
  std::string_view text;
  Decimal decimal;
};

ValueClass class_of(Loader loader);
/// The loader under which a type compares with itself; nullopt for types without comparison.
std::optional<Loader> own_loader(Type type);

/// False: the cell is not what the type prints. `into` views into the cell.
bool load(Loader loader, std::string_view cell, Scalar& into);

/// REQUIRES: both were loaded by loaders of this class.
std::strong_ordering compare(ValueClass value_class, const Scalar& a, const Scalar& b);

/// Appends text that is equal for equal values of a class.
void append_key(std::string& out, ValueClass value_class, const Scalar& value);

}  // namespace holdfast::where
