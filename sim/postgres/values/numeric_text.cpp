#include "sim/postgres/values/numeric_text.hpp"

#include <algorithm>
#include <charconv>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {
namespace {

/// Largest exponent that the model reads: far beyond what a workload writes, far below memory.
constexpr int k_max_exponent = 10000;

enum class Special { none, nan, plus_infinity, minus_infinity };

struct Decimal {
  Special special = Special::none;
  bool negative = false;
  std::string whole;     // without leading zeros; empty for zero
  std::string fraction;  // all digits of the scale
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string lower_trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<Special> special_of(std::string_view lower) {
  if (lower == "nan") return Special::nan;
  const bool minus = !lower.empty() && lower.front() == '-';
  if (minus || (!lower.empty() && lower.front() == '+')) lower.remove_prefix(1);
  if (lower == "infinity" || lower == "inf")
    return minus ? Special::minus_infinity : Special::plus_infinity;
  return std::nullopt;
}

void apply_exponent(Decimal& number, int exponent) {
  while (exponent > 0) {
    const char digit = number.fraction.empty() ? '0' : number.fraction.front();
    if (!number.fraction.empty()) number.fraction.erase(0, 1);
    number.whole.push_back(digit);
    --exponent;
  }
  while (exponent < 0) {
    const char digit = number.whole.empty() ? '0' : number.whole.back();
    if (!number.whole.empty()) number.whole.pop_back();
    number.fraction.insert(number.fraction.begin(), digit);
    ++exponent;
  }
}

void drop_leading_zeros(std::string& digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
}

std::optional<Decimal> parse(std::string_view text) {
  const std::string lower = lower_trimmed(text);
  Decimal number;
  if (const auto special = special_of(lower)) {
    number.special = *special;
    return number;
  }
  std::size_t at = 0;
  if (at < lower.size() && (lower[at] == '-' || lower[at] == '+'))
    number.negative = lower[at++] == '-';
  const std::size_t digits_begin = at;
  while (at < lower.size() && is_digit(lower[at])) number.whole.push_back(lower[at++]);
  std::size_t digits = at - digits_begin;
  if (at < lower.size() && lower[at] == '.') {
    ++at;
    while (at < lower.size() && is_digit(lower[at])) {
      number.fraction.push_back(lower[at++]);
      ++digits;
    }
  }
  if (digits == 0) return std::nullopt;
  if (at < lower.size() && lower[at] == 'e') {
    ++at;
    if (at < lower.size() && lower[at] == '+') ++at;
    int exponent = 0;
    const auto read = std::from_chars(lower.data() + at, lower.data() + lower.size(), exponent);
    if (read.ec != std::errc{} || read.ptr != lower.data() + lower.size()) return std::nullopt;
    if (exponent > k_max_exponent || exponent < -k_max_exponent) return std::nullopt;
    apply_exponent(number, exponent);
  } else if (at != lower.size()) {
    return std::nullopt;
  }
  drop_leading_zeros(number.whole);
  return number;
}

Decimal parse_canonical(std::string_view text) {
  auto number = parse(text);
  ASSERT(number.has_value(), "a stored numeric is a number");
  return std::move(*number);
}

bool is_zero(const Decimal& n) {
  return n.special == Special::none && n.whole.empty() &&
         n.fraction.find_first_not_of('0') == std::string::npos;
}

std::string print(const Decimal& n) {
  switch (n.special) {
    case Special::nan:
      return "NaN";
    case Special::plus_infinity:
      return "Infinity";
    case Special::minus_infinity:
      return "-Infinity";
    case Special::none:
      break;
  }
  std::string out = n.negative && !is_zero(n) ? "-" : "";
  out += n.whole.empty() ? "0" : n.whole;
  if (!n.fraction.empty()) out += "." + n.fraction;
  return out;
}

int sign_of(int x) {
  return (x > 0) - (x < 0);
}

int compare_magnitudes(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  if (const int whole = a.whole.compare(b.whole); whole != 0) return sign_of(whole);
  const std::size_t scale = std::max(a.fraction.size(), b.fraction.size());
  for (std::size_t i = 0; i < scale; ++i) {
    const char left = i < a.fraction.size() ? a.fraction[i] : '0';
    const char right = i < b.fraction.size() ? b.fraction[i] : '0';
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

/// Where a special stands in the order: -infinity, finite, infinity, NaN.
int rank(const Decimal& n) {
  switch (n.special) {
    case Special::minus_infinity:
      return 0;
    case Special::none:
      return 1;
    case Special::plus_infinity:
      return 2;
    case Special::nan:
      return 3;
  }
  return 1;
}

/// All digits without the point, at a common scale.
std::string scaled_digits(const Decimal& n, std::size_t scale) {
  std::string digits = n.whole + n.fraction;
  digits.append(scale - n.fraction.size(), '0');
  return digits;
}

std::string add_digits(const std::string& a, const std::string& b) {
  std::string out;
  int carry = 0;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()) || carry != 0; ++i) {
    const int left = i < a.size() ? a[a.size() - 1 - i] - '0' : 0;
    const int right = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    const int sum = left + right + carry;
    out.push_back(static_cast<char>('0' + sum % 10));
    carry = sum / 10;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// REQUIRES: a >= b as numbers.
std::string subtract_digits(const std::string& a, const std::string& b) {
  std::string out;
  int borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int right = i < b.size() ? b[b.size() - 1 - i] - '0' : 0;
    int difference = a[a.size() - 1 - i] - '0' - right - borrow;
    borrow = difference < 0 ? 1 : 0;
    if (borrow != 0) difference += 10;
    out.push_back(static_cast<char>('0' + difference));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Decimal from_digits(std::string digits, std::size_t scale, bool negative) {
  if (digits.size() < scale) digits.insert(0, scale - digits.size(), '0');
  Decimal out;
  out.negative = negative;
  out.whole = digits.substr(0, digits.size() - scale);
  out.fraction = digits.substr(digits.size() - scale);
  drop_leading_zeros(out.whole);
  return out;
}

std::string special_sum(const Decimal& x, const Decimal& y) {
  const bool nan =
      x.special == Special::nan || y.special == Special::nan ||
      (x.special != Special::none && y.special != Special::none && x.special != y.special);
  if (nan) return "NaN";
  return print(x.special != Special::none ? x : y);
}

}  // namespace

std::optional<std::string> canonical_decimal(std::string_view text) {
  const auto number = parse(text);
  if (!number) return std::nullopt;
  return print(*number);
}

int compare_decimals(std::string_view a, std::string_view b) {
  const Decimal x = parse_canonical(a);
  const Decimal y = parse_canonical(b);
  if (rank(x) != rank(y)) return rank(x) < rank(y) ? -1 : 1;
  if (x.special != Special::none) return 0;
  const bool x_negative = x.negative && !is_zero(x);
  const bool y_negative = y.negative && !is_zero(y);
  if (x_negative != y_negative) return x_negative ? -1 : 1;
  return x_negative ? -compare_magnitudes(x, y) : compare_magnitudes(x, y);
}

std::string add_decimals(std::string_view a, std::string_view b) {
  const Decimal x = parse_canonical(a);
  const Decimal y = parse_canonical(b);
  if (x.special != Special::none || y.special != Special::none) return special_sum(x, y);
  const std::size_t scale = std::max(x.fraction.size(), y.fraction.size());
  const std::string left = scaled_digits(x, scale);
  const std::string right = scaled_digits(y, scale);
  if (x.negative == y.negative)
    return print(from_digits(add_digits(left, right), scale, x.negative));
  if (compare_magnitudes(x, y) >= 0)
    return print(from_digits(subtract_digits(left, right), scale, x.negative));
  return print(from_digits(subtract_digits(right, left), scale, y.negative));
}

std::string multiply_decimals(std::string_view a, std::string_view b) {
  const Decimal x = parse_canonical(a);
  const Decimal y = parse_canonical(b);
  if (x.special != Special::none || y.special != Special::none) {
    if (x.special == Special::nan || y.special == Special::nan || is_zero(x) || is_zero(y))
      return "NaN";
    const auto minus = [](const Decimal& n) {
      return n.special == Special::minus_infinity || (n.special == Special::none && n.negative);
    };
    return minus(x) == minus(y) ? "Infinity" : "-Infinity";
  }
  const std::string left = x.whole + x.fraction;
  const std::string right = y.whole + y.fraction;
  std::string product = "0";
  for (std::size_t i = 0; i < right.size(); ++i) {
    product.push_back('0');
    for (char times = right[i]; times > '0'; --times) product = add_digits(product, left);
  }
  return print(
      from_digits(product, x.fraction.size() + y.fraction.size(), x.negative != y.negative));
}

std::string negate_decimal(std::string_view a) {
  Decimal x = parse_canonical(a);
  if (x.special == Special::plus_infinity)
    x.special = Special::minus_infinity;
  else if (x.special == Special::minus_infinity)
    x.special = Special::plus_infinity;
  x.negative = !x.negative;
  return print(x);
}

}  // namespace holdfast::sim::postgres
