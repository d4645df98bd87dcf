#include "sim/postgres/values/datetime.hpp"

#include <cstdio>

namespace holdfast::sim::postgres {
namespace {

constexpr std::int64_t k_days_1970_to_2000 = 10957;

/// Days since 2000-01-01 of a proleptic Gregorian date; `year` 0 is 1 BC.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + static_cast<std::int64_t>(day_of_era) - 719468 - k_days_1970_to_2000;
}

struct Civil {
  std::int64_t year = 0;
  unsigned month = 1;
  unsigned day = 1;
};

Civil civil_from_days(std::int64_t days) {
  const std::int64_t shifted = days + k_days_1970_to_2000 + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(shifted - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  civil.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  civil.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (civil.month <= 2 ? 1 : 0);
  return civil;
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  if (month == 2) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return leap ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Reads a date or timestamp text from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (take(' ')) {
    }
  }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  /// Between `least` and `most` digits as a number.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
    std::int64_t value = 0;
    std::size_t digits = 0;
    while (digits < most && peek() >= '0' && peek() <= '9') {
      value = value * 10 + (text_[at_++] - '0');
      ++digits;
    }
    if (digits < least) return std::nullopt;
    return value;
  }
  /// "BC" or "AD" at the end, any case.
  std::optional<bool> era_is_bc() {
    skip_spaces();
    if (at_end()) return false;
    const auto rest = text_.substr(at_);
    if (rest.size() != 2 || (rest[1] | 0x20) != (rest[0] == 'B' || rest[0] == 'b' ? 'c' : 'd'))
      return std::nullopt;
    at_ = text_.size();
    return (rest[0] | 0x20) == 'b';
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::string trimmed_lower(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<std::int64_t> special_time(std::string_view lower) {
  if (lower == "infinity" || lower == "+infinity") return k_time_infinity;
  if (lower == "-infinity") return k_time_minus_infinity;
  return std::nullopt;
}

struct DatePart {
  std::int64_t year = 0;
  unsigned month = 1;
  unsigned day = 1;
};

std::optional<DatePart> read_date(Reader& in) {
  const auto year = in.number(4, 7);
  if (!year || *year == 0 || !in.take('-')) return std::nullopt;
  const auto month = in.number(1, 2);
  if (!month || *month < 1 || *month > 12 || !in.take('-')) return std::nullopt;
  const auto day = in.number(1, 2);
  if (!day || *day < 1) return std::nullopt;
  return DatePart{*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day)};
}

std::optional<std::int64_t> to_days(const DatePart& date, bool bc) {
  const std::int64_t year = bc ? 1 - date.year : date.year;
  if (date.day > days_in_month(year, date.month)) return std::nullopt;
  return days_from_civil(year, date.month, date.day);
}

/// "HH:MM[:SS[.ffffff]]" in microseconds.
std::optional<std::int64_t> read_time(Reader& in) {
  const auto hour = in.number(1, 2);
  if (!hour || *hour > 24 || !in.take(':')) return std::nullopt;
  const auto minute = in.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t second = 0;
  std::int64_t fraction = 0;
  if (in.take(':')) {
    const auto read = in.number(2, 2);
    if (!read || *read > 60) return std::nullopt;
    second = *read;
    if (in.take('.')) {
      for (std::int64_t unit = 100'000; unit > 0 && in.peek() >= '0' && in.peek() <= '9';
           unit /= 10)
        fraction += unit * *in.number(1, 1);
      if (in.peek() >= '0' && in.peek() <= '9') return std::nullopt;  // the model does not round
    }
  }
  const std::int64_t us = ((*hour * 60 + *minute) * 60 + second) * 1'000'000 + fraction;
  if (us > k_us_per_day) return std::nullopt;
  return us;
}

/// "Z", "+HH[:MM]" or nothing, in microseconds east of UTC.
std::optional<std::int64_t> read_offset(Reader& in) {
  if (in.take('Z') || in.take('z')) return 0;
  const bool west = in.peek() == '-';
  if (!west && in.peek() != '+') return 0;
  in.take(in.peek());
  const auto hours = in.number(1, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::int64_t minutes = 0;
  in.take(':');
  if (in.peek() >= '0' && in.peek() <= '9') {
    const auto read = in.number(2, 2);
    if (!read || *read > 59) return std::nullopt;
    minutes = *read;
  }
  const std::int64_t us = (*hours * 60 + minutes) * 60'000'000;
  return west ? -us : us;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

/// "YYYY-MM-DD" and whether " BC" follows whatever comes after it.
struct PrintedDate {
  std::string text;
  bool bc = false;
};

PrintedDate date_text(std::int64_t days) {
  const Civil civil = civil_from_days(days);
  const bool bc = civil.year <= 0;
  char text[40];
  std::snprintf(text, sizeof text, "%04lld-%02u-%02u",
                static_cast<long long>(bc ? 1 - civil.year : civil.year), civil.month, civil.day);
  return {text, bc};
}

}  // namespace

std::optional<std::int64_t> parse_date(std::string_view text) {
  const std::string lower = trimmed_lower(text);
  if (const auto special = special_time(lower)) return special;
  if (lower == "epoch") return -k_days_1970_to_2000;
  Reader in(lower);
  const auto date = read_date(in);
  if (!date) return std::nullopt;
  if (in.peek() == 't' || (in.peek() == ' ' && lower.find(':') != std::string::npos)) {
    const auto us = parse_timestamp(text, Offset::ignore);  // a time after the date is dropped
    return us ? std::optional(timestamp_to_date(*us)) : std::nullopt;
  }
  const auto bc = in.era_is_bc();
  if (!bc) return std::nullopt;
  return to_days(*date, *bc);
}

std::optional<std::int64_t> parse_timestamp(std::string_view text, Offset use_offset) {
  const std::string lower = trimmed_lower(text);
  if (const auto special = special_time(lower)) return special;
  if (lower == "epoch") return -k_days_1970_to_2000 * k_us_per_day;
  Reader in(lower);
  const auto date = read_date(in);
  if (!date) return std::nullopt;
  std::int64_t time = 0;
  std::int64_t offset = 0;
  const bool separator = in.take('t');
  if (!separator) in.skip_spaces();
  if (in.peek() >= '0' && in.peek() <= '9') {
    const auto read = read_time(in);
    if (!read) return std::nullopt;
    time = *read;
    in.skip_spaces();
    const auto east = read_offset(in);
    if (!east) return std::nullopt;
    if (use_offset == Offset::apply) offset = *east;
  } else if (separator) {
    return std::nullopt;
  }
  const auto bc = in.era_is_bc();
  if (!bc) return std::nullopt;
  const auto days = to_days(*date, *bc);
  if (!days || *days > k_first_day_past_timestamps) return std::nullopt;
  const std::int64_t us = *days * k_us_per_day + time - offset;
  if (us < k_first_timestamp || us >= k_first_day_past_timestamps * k_us_per_day)
    return std::nullopt;
  return us;
}

std::string print_date(std::int64_t days) {
  if (days == k_time_infinity) return "infinity";
  if (days == k_time_minus_infinity) return "-infinity";
  const PrintedDate date = date_text(days);
  return date.bc ? date.text + " BC" : date.text;
}

std::string print_timestamp(std::int64_t us, std::string_view zone) {
  if (us == k_time_infinity) return "infinity";
  if (us == k_time_minus_infinity) return "-infinity";
  const std::int64_t days = floor_divide(us, k_us_per_day);
  const std::int64_t of_day = us - days * k_us_per_day;
  const PrintedDate date = date_text(days);
  char time[64];
  const auto seconds = of_day / 1'000'000;
  const auto fraction = static_cast<long long>(of_day % 1'000'000);
  std::snprintf(time, sizeof time, " %02lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  std::string out = date.text + time;
  if (fraction != 0) {
    std::snprintf(time, sizeof time, ".%06lld", fraction);
    std::string digits = time;
    while (digits.back() == '0') digits.pop_back();
    out += digits;
  }
  out += zone;
  return date.bc ? out + " BC" : out;
}

std::int64_t date_to_timestamp(std::int64_t days) {
  if (days == k_time_infinity || days == k_time_minus_infinity) return days;
  if (days >= k_first_day_past_timestamps) return k_time_infinity - 1;
  return days * k_us_per_day;
}

std::int64_t timestamp_to_date(std::int64_t us) {
  if (us == k_time_infinity || us == k_time_minus_infinity) return us;
  return floor_divide(us, k_us_per_day);
}

}  // namespace holdfast::sim::postgres
