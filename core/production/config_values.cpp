#include "core/production/config_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace holdfast::production {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// A positive decimal number and what follows it, blanks between them skipped.
std::optional<std::pair<double, std::string_view>> number_and_unit(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !(number > 0) || !std::isfinite(number)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::pair(number, unit);
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return fail("must be one of true, 1, false, 0");
}

Result<std::uint64_t> parse_integer(std::string_view text, std::uint64_t least,
                                    std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end && !text.empty() && number >= least && number <= most)
    return number;
  return fail("must be a whole number from " + std::to_string(least) + " to " +
              std::to_string(most));
}

Result<std::chrono::milliseconds> parse_time(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> k_units = {
      {{"", 1}, {"ms", 1}, {"msec", 1}, {"s", 1e3}, {"sec", 1e3}, {"m", 6e4}, {"min", 6e4}}};
  const auto parts = number_and_unit(text);
  if (parts)
    for (const auto& [unit, factor] : k_units)
      if (parts->second == unit && parts->first * factor >= 1 && parts->first * factor < 1e12)
        return std::chrono::milliseconds(std::llround(parts->first * factor));
  return fail(
      "must be a positive number with one of the units ms, msec, s, sec, m, min, such as \"30s\"; "
      "a number without a unit is milliseconds");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> k_units = {{{"", 1},
                                                                           {"KB", 1e3},
                                                                           {"KiB", 1024},
                                                                           {"MB", 1e6},
                                                                           {"MiB", 1048576},
                                                                           {"GB", 1e9},
                                                                           {"GiB", 1073741824}}};
  const auto parts = number_and_unit(text);
  if (parts)
    for (const auto& [unit, factor] : k_units)
      if (parts->second == unit && parts->first * factor >= 1 && parts->first * factor < 1e15)
        return static_cast<std::uint64_t>(parts->first * factor);
  return fail(
      "must be a positive number with one of the units KB, KiB, MB, MiB, GB, GiB, such as "
      "\"10MiB\"; a number without a unit is bytes");
}

Result<std::string> parse_identifier(std::string_view text, std::size_t longest) {
  const std::string folded = lower(text);
  bool valid = !folded.empty() && folded.size() <= longest;
  for (std::size_t i = 0; i < folded.size() && valid; ++i) {
    const char c = folded[i];
    const bool digit = c >= '0' && c <= '9';
    valid = (c >= 'a' && c <= 'z') || c == '_' || (digit && i > 0);
  }
  if (valid) return folded;
  return fail("must be letters, digits and underscores, not beginning with a digit, at most " +
              std::to_string(longest) + " characters");
}

Result<std::pair<std::uint32_t, std::uint32_t>> parse_concurrency(
    std::string_view json, std::pair<std::uint32_t, std::uint32_t> standard) {
  const auto failure =
      fail(R"(must be a JSON object with the numbers "initial" and "existing", each from 1 to )"
           R"(10000000, such as {"initial": 300, "existing": 10000})");
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return failure;
  for (const auto& [key, value] : parsed.items()) {
    if (!value.is_number_unsigned()) return failure;
    const auto number = value.get<std::uint64_t>();
    if (number < 1 || number > 10'000'000) return failure;
    if (key == "initial")
      standard.first = value.get<std::uint32_t>();
    else if (key == "existing")
      standard.second = value.get<std::uint32_t>();
    else
      return failure;
  }
  return standard;
}

}  // namespace holdfast::production
