#include "sim/postgres/values/float_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace holdfast::sim::postgres {
namespace {

template <class Float>
FloatRead read(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  std::string_view in = lower;
  const bool negative = !in.empty() && in.front() == '-';
  if (negative || (!in.empty() && in.front() == '+')) in.remove_prefix(1);
  if (in == "nan") return {FloatStatus::ok, std::numeric_limits<double>::quiet_NaN()};
  if (in == "infinity" || in == "inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    return {FloatStatus::ok, negative ? -infinity : infinity};
  }
  if (in.empty() || !((in.front() >= '0' && in.front() <= '9') || in.front() == '.'))
    return {FloatStatus::bad_syntax, 0};
  Float value = 0;
  const auto result = std::from_chars(in.data(), in.data() + in.size(), value);
  if (result.ptr != in.data() + in.size()) return {FloatStatus::bad_syntax, 0};
  if (result.ec == std::errc::result_out_of_range) return {FloatStatus::out_of_range, 0};
  if (result.ec != std::errc{}) return {FloatStatus::bad_syntax, 0};
  return {FloatStatus::ok, static_cast<double>(negative ? -value : value)};
}

/// Fixed notation for exponents in [-4, fixed_below), else d.ddde+XX.
template <class Float>
std::string print(Float value, int fixed_below) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  const std::string scientific(buffer.data(), end.ptr);
  const auto e = scientific.find('e');
  int exponent = 0;
  const char* exponent_text = scientific.data() + e + 1;
  if (*exponent_text == '+') ++exponent_text;
  std::from_chars(exponent_text, scientific.data() + scientific.size(), exponent);
  if (value == 0) return std::signbit(value) ? "-0" : "0";
  if (exponent < -4 || exponent >= fixed_below) return scientific;

  const bool negative = scientific.front() == '-';
  std::string digits;
  for (std::size_t i = negative ? 1 : 0; i < e; ++i)
    if (scientific[i] != '.') digits.push_back(scientific[i]);
  std::string out = negative ? "-" : "";
  if (exponent < 0) {
    out += "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
    return out;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

FloatRead read_float4(std::string_view text) {
  return read<float>(text);
}
FloatRead read_float8(std::string_view text) {
  return read<double>(text);
}
std::string print_float4(double value) {
  return print(static_cast<float>(value), 6);
}
std::string print_float8(double value) {
  return print(value, 15);
}

}  // namespace holdfast::sim::postgres
