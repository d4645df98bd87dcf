// Dates and timestamps as Postgres keeps and prints them under DateStyle ISO and TimeZone UTC: days
// and microseconds since 2000-01-01. Pure functions of the model; never used by the engine.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::sim::postgres {

inline constexpr std::int64_t k_time_infinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t k_time_minus_infinity = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t k_us_per_day = 86'400'000'000;
/// 294277-01-01: dates go on for millions of years after it, timestamps do not.
inline constexpr std::int64_t k_first_day_past_timestamps = 106'751'983;
/// 4714-11-24 BC in microseconds.
inline constexpr std::int64_t k_first_timestamp = -211'813'488'000'000'000;
/// 2000-01-01 in microseconds of Unix time: Postgres' epoch.
inline constexpr std::int64_t k_postgres_epoch_unix_us = 946'684'800'000'000;

/// Days since 2000-01-01 of "YYYY-MM-DD[ BC]", "infinity", "-infinity" or "epoch".
std::optional<std::int64_t> parse_date(std::string_view text);
/// Microseconds since 2000-01-01 UTC of a date, optionally followed by a time and an offset.
/// `use_offset`: timestamptz subtracts the offset, timestamp ignores it.
enum class Offset : std::uint8_t { apply, ignore };
std::optional<std::int64_t> parse_timestamp(std::string_view text, Offset use_offset);

std::string print_date(std::int64_t days);
/// `zone` is "+00" for timestamptz, empty for timestamp.
std::string print_timestamp(std::int64_t us, std::string_view zone);

/// A date as a timestamp at its midnight, to compare it; infinities stay infinite. A date past all
/// timestamps is later than each of them, and before infinity.
std::int64_t date_to_timestamp(std::int64_t days);
/// The day a timestamp falls on.
std::int64_t timestamp_to_date(std::int64_t us);

}  // namespace holdfast::sim::postgres
