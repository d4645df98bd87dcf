#include "oracle/client/json_reader.hpp"

#include <array>
#include <limits>

namespace holdfast::oracle {
namespace {

/// Bytes that stand for themselves in a text: neither quote, backslash, control character, nor part
/// of a longer UTF-8 sequence.
constexpr std::array<bool, 256> k_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& into, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { into.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace

void JsonReader::malformed(const char* what) const {
  throw Malformed("byte " + std::to_string(at_) + ": " + what);
}

void JsonReader::missing(char wanted) const {
  malformed((std::string("a '") + wanted + "' is missing").c_str());
}

bool JsonReader::next_member(std::string_view& name, bool& first) {
  if (peek() == '}') {
    ++at_;
    return false;
  }
  if (!first) expect(',');
  first = false;
  name = read_text();
  expect(':');
  return true;
}

bool JsonReader::next_item(bool& first) {
  if (peek() == ']') {
    ++at_;
    return false;
  }
  if (!first) expect(',');
  first = false;
  return true;
}

std::string_view JsonReader::read_text() {
  if (peek() != '"') malformed("a text is expected");
  const std::size_t start = ++at_;
  while (at_ < text_.size() && k_plain[static_cast<unsigned char>(text_[at_])]) ++at_;
  if (at_ < text_.size() && text_[at_] == '"') return {text_.data() + start, at_++ - start};
  return read_unplain_text(start);
}

std::string_view JsonReader::read_unplain_text(std::size_t start) {
  scratch_.assign(text_.data() + start, at_ - start);
  while (true) {
    if (at_ >= text_.size()) malformed("the body ends inside a text");
    start = at_;
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte == '"') {
      ++at_;
      return scratch_;
    }
    if (byte == '\\') {
      ++at_;
      read_escape();
      continue;
    }
    if (byte < 0x20) malformed("a control character in a text");
    if (byte >= 0x80) pass_multibyte();
    while (at_ < text_.size() && k_plain[static_cast<unsigned char>(text_[at_])]) ++at_;
    scratch_.append(text_.data() + start, at_ - start);
  }
}

void JsonReader::pass_multibyte() {
  const auto byte_at = [this](std::size_t at) {
    return at < text_.size() ? static_cast<unsigned char>(text_[at]) : 0U;
  };
  const unsigned lead = byte_at(at_);
  const unsigned second = byte_at(at_ + 1);
  // The second byte's range excludes over-long forms, surrogates and what is beyond U+10FFFF.
  unsigned low = 0x80;
  unsigned high = 0xBF;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  bool legal = length != 0 && second >= low && second <= high;
  for (std::size_t i = 2; i < length; ++i) legal = legal && (byte_at(at_ + i) & 0xC0U) == 0x80;
  if (!legal) malformed("a text is not UTF-8");
  at_ += length;
}

std::uint32_t JsonReader::read_code_unit() {
  std::uint32_t unit = 0;
  for (unsigned i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : ' ';
    unit <<= 4;
    if (is_digit(c))
      unit |= static_cast<std::uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f')
      unit |= static_cast<std::uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      unit |= static_cast<std::uint32_t>(c - 'A' + 10);
    else
      malformed("an escape without four hexadecimal digits");
  }
  return unit;
}

void JsonReader::read_escape() {
  constexpr std::string_view k_names = "\"\\/bfnrt";
  constexpr std::string_view k_meanings = "\"\\/\b\f\n\r\t";
  if (at_ >= text_.size()) malformed("the body ends inside an escape");
  const char name = text_[at_++];
  if (const std::size_t known = k_names.find(name); known != std::string_view::npos) {
    scratch_.push_back(k_meanings[known]);
    return;
  }
  if (name != 'u') malformed("an unknown escape");
  std::uint32_t code = read_code_unit();
  if (code >= 0xDC00 && code <= 0xDFFF) malformed("half of a surrogate pair");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") malformed("half of a surrogate pair");
    at_ += 2;
    const std::uint32_t low = read_code_unit();
    if (low < 0xDC00 || low > 0xDFFF) malformed("half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(scratch_, code);
}

bool JsonReader::digits() {
  const std::size_t start = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  return at_ > start;
}

std::uint64_t JsonReader::read_unsigned() {
  constexpr std::uint64_t k_most = std::numeric_limits<std::uint64_t>::max();
  peek();
  const std::size_t start = at_;
  if (!digits()) malformed("a whole number is expected");
  if (text_[start] == '0' && at_ - start > 1) malformed("a number with a leading zero");
  if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E'))
    malformed("a whole number is expected");
  std::uint64_t number = 0;
  for (const char c : text_.substr(start, at_ - start)) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (k_most - digit) / 10) malformed("a number beyond 64 bits");
    number = number * 10 + digit;
  }
  return number;
}

void JsonReader::skip_number() {
  const auto at = [this](char c) { return at_ < text_.size() && text_[at_] == c; };
  if (at('-')) ++at_;
  if (at('0'))
    ++at_;
  else if (!digits())
    malformed("no value");
  if (at('.')) {
    ++at_;
    if (!digits()) malformed("a fraction without digits");
  }
  if (at('e') || at('E')) {
    ++at_;
    if (at('+') || at('-')) ++at_;
    if (!digits()) malformed("an exponent without digits");
  }
}

bool JsonReader::take_word(std::string_view word) {
  peek();
  if (text_.substr(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

void JsonReader::skip_value(unsigned depth) {
  if (depth > k_most_nesting) malformed("values are nested too deeply");
  bool first = true;
  std::string_view name;
  switch (peek()) {
    case '{':
      open_object();
      while (next_member(name, first)) skip_value(depth + 1);
      return;
    case '[':
      open_array();
      while (next_item(first)) skip_value(depth + 1);
      return;
    case '"':
      read_text();
      return;
    default:
      if (!take_word("null") && !take_word("true") && !take_word("false")) skip_number();
  }
}

void JsonReader::expect_end() {
  if (peek() != 0 || at_ < text_.size()) malformed("something follows the end");
}

}  // namespace holdfast::oracle
