// The syntax of the values in environment variables (postgres.md §24), stricter than upstream's:
// what upstream reads as something else than it says ("no" as true, "12x" as 12) is an error here.
// Each function returns the value, or a failure whose sentence names the accepted values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.hpp"

namespace holdfast::production {

/// "true", "1", "false", "0", in any case.
Result<bool> parse_bool(std::string_view text);
/// Decimal digits only.
Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t least, std::uint64_t most);
/// "500", "1.5s", "10 min": a positive decimal with ms, msec, s, sec, m or min; bare: milliseconds.
Result<std::chrono::milliseconds> parse_time(std::string_view text);
/// "10485760", "10MiB", "1.5 GB": a positive decimal with KB, KiB, MB, MiB, GB, GiB; bare: bytes.
Result<std::uint64_t> parse_size(std::string_view text);
/// An unquoted SQL identifier, folded to lower case; at most `longest` bytes.
Result<std::string> parse_identifier(std::string_view text, std::size_t longest);
/// {"initial": 300, "existing": 10000}; a missing key keeps what is passed in.
Result<std::pair<std::uint32_t, std::uint32_t>> parse_concurrency(
    std::string_view json, std::pair<std::uint32_t, std::uint32_t> standard);

}  // namespace holdfast::production
