// Dates and timestamps as integers, from the text Postgres prints under the engine's session
// settings (DateStyle ISO, TimeZone UTC) and from literals in ISO form. Proleptic Gregorian, as
// Postgres.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace holdfast::where {

inline constexpr std::int64_t k_time_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t k_time_minus_infinity = std::numeric_limits<std::int64_t>::min();

/// Days since 2000-01-01; the two infinities above. "2020-01-31", "0044-03-15 BC", "infinity",
/// "epoch". Relative words ("today") are refused: their value would change with time.
std::optional<std::int64_t> read_date(std::string_view text);

enum class Zone : std::uint8_t {
  ignored,  ///< timestamp: Postgres reads an offset and drops it
  applied,  ///< timestamptz: converted to UTC; without an offset it is UTC
};

/// Microseconds since 2000-01-01 00:00; the two infinities above. "2020-01-02 03:04:05.6+02 BC",
/// also with 'T', without seconds, without time.
std::optional<std::int64_t> read_timestamp(std::string_view text, Zone zone);

/// Midnight of a date as microseconds. A date beyond timestamp's range gives a value that orders
/// between every finite timestamp and infinity, as Postgres compares the two types.
std::int64_t date_to_timestamp(std::int64_t days);

}  // namespace holdfast::where
