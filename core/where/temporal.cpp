#include "core/where/temporal.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

namespace holdfast::where {
namespace {

constexpr std::int64_t k_us_per_second = 1'000'000;
constexpr std::int64_t k_us_per_day = 86'400 * k_us_per_second;
// Ranges of Postgres' types: dates 4713-01-01 BC (Julian day 0 is 4714-11-24 BC) .. 5874897-12-31,
// timestamps from the same start to the end of the year 294276.
constexpr std::int64_t k_first_day = -2'451'545;
constexpr std::int64_t k_last_day = 2'145'031'948;
constexpr std::int64_t k_last_timestamp_day = 106'751'983 - 1;  // exclusive end minus one

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Consumes text from the front; every reader leaves it alone on failure.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  char front() const { return text_.empty() ? '\0' : text_.front(); }
  void skip_blanks() {
    while (!text_.empty() &&
           (text_.front() == ' ' || (text_.front() >= '\t' && text_.front() <= '\r')))
      text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool take_word(std::string_view lower) {
    if (text_.size() < lower.size()) return false;
    for (std::size_t i = 0; i < lower.size(); ++i) {
      const char c = text_[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
    }
    text_.remove_prefix(lower.size());
    return true;
  }
  std::string_view digits() {
    std::size_t n = 0;
    while (n < text_.size() && is_digit(text_[n])) ++n;
    const std::string_view found = text_.substr(0, n);
    text_.remove_prefix(n);
    return found;
  }
  /// A number of `least` to `most` digits.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
    const std::string_view found = digits();
    if (found.size() < least || found.size() > most) return std::nullopt;
    std::int64_t value = 0;
    for (const char c : found) value = value * 10 + (c - '0');
    return value;
  }

 private:
  std::string_view text_;
};

struct CivilDate {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
};

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Days since 2000-01-01, counting in years that begin in March so that leap days come last.
std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 730'425;
}

std::optional<CivilDate> take_civil(Cursor& cursor) {
  CivilDate date;
  const auto year = cursor.number(4, 7);
  if (!year || !cursor.take('-')) return std::nullopt;
  const auto month = cursor.number(1, 2);
  if (!month || !cursor.take('-')) return std::nullopt;
  const auto day = cursor.number(1, 2);
  if (!day) return std::nullopt;
  date = {*year, *month, *day};
  if (date.year == 0 || date.month < 1 || date.month > 12) return std::nullopt;
  return date;
}

bool take_era(Cursor& cursor, CivilDate& date) {
  cursor.skip_blanks();
  if (cursor.take_word("bc"))
    date.year = 1 - date.year;
  else
    (void)cursor.take_word("ad");
  cursor.skip_blanks();
  return cursor.at_end() && date.day >= 1 && date.day <= days_in_month(date.year, date.month);
}

/// The words that stand for a whole value. The outer optional says whether there was one.
std::optional<std::int64_t> take_special(std::string_view text, std::int64_t epoch) {
  if (!text.empty() && is_digit(text.front())) return std::nullopt;
  Cursor cursor(text);
  cursor.skip_blanks();
  std::int64_t value = 0;
  if (cursor.take_word("infinity") || cursor.take_word("+infinity"))
    value = k_time_infinity;
  else if (cursor.take_word("-infinity"))
    value = k_time_minus_infinity;
  else if (cursor.take_word("epoch"))
    value = epoch;
  else
    return std::nullopt;
  cursor.skip_blanks();
  return cursor.at_end() ? std::optional(value) : std::nullopt;
}

/// "HH:MM[:SS[.ffffff…]]" in microseconds. 24:00:00 is the end of the day, second 60 the next
/// minute.
std::optional<std::int64_t> take_time(Cursor& cursor) {
  const auto hour = cursor.number(1, 2);
  if (!hour || !cursor.take(':')) return std::nullopt;
  const auto minute = cursor.number(2, 2);
  if (!minute) return std::nullopt;
  std::int64_t second = 0;
  std::int64_t fraction_us = 0;
  if (cursor.take(':')) {
    const auto read = cursor.number(2, 2);
    if (!read) return std::nullopt;
    second = *read;
    if (cursor.take('.')) {
      // Rounded through a double, which is what Postgres does with more than six digits.
      const std::string text = "0." + std::string(cursor.digits());
      fraction_us = static_cast<std::int64_t>(std::rint(std::strtod(text.c_str(), nullptr) * 1e6));
    }
  }
  if (*hour > 24 || *minute > 59 || second > 60) return std::nullopt;
  const std::int64_t total = ((*hour * 60 + *minute) * 60 + second) * k_us_per_second + fraction_us;
  if (total > k_us_per_day) return std::nullopt;
  return total;
}

/// An offset east of UTC in seconds: "Z", "UTC", "+02", "-05:30", "+0530", "+01:02:03".
std::optional<std::int64_t> take_zone(Cursor& cursor) {
  if (cursor.take_word("utc") || cursor.take_word("gmt") || cursor.take_word("z")) return 0;
  const bool west = cursor.front() == '-';
  if (!cursor.take('+') && !cursor.take('-')) return std::nullopt;
  const std::string_view digits = cursor.digits();
  if (digits.size() != 1 && digits.size() != 2 && digits.size() != 4) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  std::int64_t hours = digits.size() == 4 ? value / 100 : value;
  std::int64_t minutes = digits.size() == 4 ? value % 100 : 0;
  std::int64_t seconds = 0;
  if (digits.size() < 4 && cursor.take(':')) {
    const auto read = cursor.number(2, 2);
    if (!read) return std::nullopt;
    minutes = *read;
    if (cursor.take(':')) {
      const auto more = cursor.number(2, 2);
      if (!more) return std::nullopt;
      seconds = *more;
    }
  }
  if (hours > 15 || minutes > 59 || seconds > 59) return std::nullopt;
  const std::int64_t total = (hours * 60 + minutes) * 60 + seconds;
  return west ? -total : total;
}

/// The number in two digits; out of every range if they are none.
unsigned two_digits(const char* at) {
  const auto high = static_cast<unsigned>(at[0] - '0');
  const auto low = static_cast<unsigned>(at[1] - '0');
  return high > 9 || low > 9 ? 1000 : high * 10 + low;
}

/// "2020-01-31" with a year of four digits after the first, by far the most frequent form. nullopt:
/// something else, which may still be a date.
std::optional<std::int64_t> read_plain_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const unsigned century = two_digits(text.data());
  const unsigned year = two_digits(text.data() + 2);
  const CivilDate date{century * 100 + year, two_digits(text.data() + 5),
                       two_digits(text.data() + 8)};
  if (century > 99 || year > 99 || date.year == 0 || date.month < 1 || date.month > 12 ||
      date.day < 1 || date.day > days_in_month(date.year, date.month))
    return std::nullopt;
  return days_from_civil(date);
}

/// "2020-01-31 12:34:56[.123456]", and with "+00" if the zone is applied: what Postgres prints for
/// almost every timestamp. nullopt: something else, which may still be one.
std::optional<std::int64_t> read_plain_timestamp(std::string_view text, Zone zone) {
  if (zone == Zone::applied) {
    if (!text.ends_with("+00")) return std::nullopt;
    text.remove_suffix(3);
  }
  if (text.size() < 19 || text[10] != ' ' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto days = read_plain_date(text.substr(0, 10));
  const unsigned hour = two_digits(text.data() + 11);
  const unsigned minute = two_digits(text.data() + 14);
  const unsigned second = two_digits(text.data() + 17);
  if (!days || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  std::int64_t fraction_us = 0;
  if (text.size() > 19) {
    if (text[19] != '.' || text.size() == 20 || text.size() > 26) return std::nullopt;
    for (std::size_t i = 20; i < 26; ++i) {
      if (i < text.size() && !is_digit(text[i])) return std::nullopt;
      fraction_us = fraction_us * 10 + (i < text.size() ? text[i] - '0' : 0);
    }
  }
  return *days * k_us_per_day + ((hour * 60 + minute) * 60 + second) * k_us_per_second +
         fraction_us;
}

}  // namespace

std::optional<std::int64_t> read_date(std::string_view text) {
  if (const auto plain = read_plain_date(text)) return plain;
  if (const auto special = take_special(text, -10'957)) return special;
  Cursor cursor(text);
  cursor.skip_blanks();
  auto date = take_civil(cursor);
  if (!date || !take_era(cursor, *date)) return std::nullopt;
  const std::int64_t days = days_from_civil(*date);
  if (days < k_first_day || days > k_last_day) return std::nullopt;
  return days;
}

std::optional<std::int64_t> read_timestamp(std::string_view text, Zone zone) {
  if (const auto plain = read_plain_timestamp(text, zone)) return plain;
  if (const auto special = take_special(text, -10'957 * k_us_per_day)) return special;
  Cursor cursor(text);
  cursor.skip_blanks();
  auto date = take_civil(cursor);
  if (!date) return std::nullopt;
  std::int64_t time_us = 0;
  std::int64_t offset_s = 0;
  const bool separated = cursor.take('T') || cursor.take('t');
  cursor.skip_blanks();
  if (separated || is_digit(cursor.front())) {
    const auto time = take_time(cursor);
    if (!time) return std::nullopt;
    time_us = *time;
    cursor.skip_blanks();
    const char next = cursor.front();
    if (next != '\0' && next != 'B' && next != 'b' && next != 'A' && next != 'a') {
      const auto offset = take_zone(cursor);
      if (!offset) return std::nullopt;
      if (zone == Zone::applied) offset_s = *offset;
    }
  }
  if (!take_era(cursor, *date)) return std::nullopt;
  const std::int64_t days = days_from_civil(*date);
  if (days < k_first_day - 1 || days > k_last_timestamp_day + 1) return std::nullopt;
  // Two days of slack above cannot overflow: the range ends about 2^63 − 6·10^16.
  const std::int64_t value = days * k_us_per_day + time_us - offset_s * k_us_per_second;
  if (value < k_first_day * k_us_per_day || value >= (k_last_timestamp_day + 1) * k_us_per_day)
    return std::nullopt;
  return value;
}

std::int64_t date_to_timestamp(std::int64_t days) {
  if (days == k_time_infinity || days == k_time_minus_infinity) return days;
  if (days > k_last_timestamp_day) return k_time_infinity - 1;
  return days * k_us_per_day;
}

}  // namespace holdfast::where
