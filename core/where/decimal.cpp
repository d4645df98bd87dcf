#include "core/where/decimal.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::where {
namespace {

constexpr std::size_t k_max_whole_digits = 131'072;
constexpr std::size_t k_max_fraction_digits = 16'383;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::size_t count_digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                  text.begin());
}

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

std::strong_ordering compare_magnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() <=> b.whole.size();
  if (const int order = a.whole.compare(b.whole); order != 0) return order <=> 0;
  return a.fraction.compare(b.fraction) <=> 0;
}

void strip_padding(Decimal& value) {
  while (value.whole.starts_with('0')) value.whole.remove_prefix(1);
  while (value.fraction.ends_with('0')) value.fraction.remove_suffix(1);
  if (value.whole.empty() && value.fraction.empty()) value.negative = false;
}

}  // namespace

std::optional<Decimal> read_decimal(std::string_view text) {
  Decimal value;
  if (text.starts_with('-')) {
    value.negative = true;
    text.remove_prefix(1);
  }
  const std::size_t whole = count_digits(text);
  value.whole = text.substr(0, whole);
  std::string_view rest = text.substr(whole);
  if (rest.starts_with('.')) {
    value.fraction = rest.substr(1);
    if (count_digits(value.fraction) != value.fraction.size()) return std::nullopt;
    rest = {};
  }
  if (whole == 0 && value.fraction.empty()) {
    if (text == "NaN" && !value.negative) return Decimal{Decimal::Kind::nan, false, {}, {}};
    if (text != "Infinity") return std::nullopt;
    return Decimal{
        value.negative ? Decimal::Kind::negative_infinity : Decimal::Kind::infinity, false, {}, {}};
  }
  if (!rest.empty()) return std::nullopt;
  strip_padding(value);
  return value;
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  if (a.kind != Decimal::Kind::finite) return std::strong_ordering::equal;
  if (a.negative != b.negative) return b.negative <=> a.negative;
  return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

void append_decimal(std::string& out, const Decimal& value) {
  switch (value.kind) {
    case Decimal::Kind::negative_infinity:
      out += "-Infinity";
      return;
    case Decimal::Kind::infinity:
      out += "Infinity";
      return;
    case Decimal::Kind::nan:
      out += "NaN";
      return;
    case Decimal::Kind::finite:
      break;
  }
  if (value.negative) out += '-';
  out += value.whole.empty() ? std::string_view("0") : value.whole;
  if (value.fraction.empty()) return;
  out += '.';
  out += value.fraction;
}

std::optional<std::string> normalize_decimal(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (equals_ignoring_case(text, "nan")) return "NaN";
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "inf"))
    return negative ? "-Infinity" : "Infinity";
  const std::size_t whole = count_digits(text);
  std::string digits(text.substr(0, whole));
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t fraction = count_digits(text);
    digits += text.substr(0, fraction);
    text.remove_prefix(fraction);
  }
  if (digits.empty()) return std::nullopt;
  long point = static_cast<long>(whole);
  if (!text.empty()) {  // an exponent is all that may follow
    if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
    text.remove_prefix(1);
    if (text.starts_with('+')) {
      text.remove_prefix(1);
      if (text.empty() || !is_digit(text.front())) return std::nullopt;
    }
    int exponent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (exponent > 1'000'000 || exponent < -1'000'000) return std::nullopt;
    point += exponent;
  }
  // Place the point by padding the digits on the side where they do not reach it.
  if (point < 0) {
    if (static_cast<std::size_t>(-point) > k_max_fraction_digits) return std::nullopt;
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  const auto cut = static_cast<std::size_t>(point);
  if (digits.size() < cut) {
    if (cut > k_max_whole_digits + 1) {
      if (digits.find_first_not_of('0') != std::string::npos) return std::nullopt;
      return "0";
    }
    digits.append(cut - digits.size(), '0');
  }
  Decimal value{Decimal::Kind::finite, negative, std::string_view(digits).substr(0, cut),
                std::string_view(digits).substr(cut)};
  if (value.fraction.size() > k_max_fraction_digits) return std::nullopt;
  strip_padding(value);
  if (value.whole.size() > k_max_whole_digits) return std::nullopt;
  std::string out;
  append_decimal(out, value);
  return out;
}

}  // namespace holdfast::where
