#include "core/protocol/json_text.hpp"

#include <cstddef>

namespace holdfast::protocol {
namespace {

constexpr char k_hex[] = "0123456789abcdef";

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

void append_unit(std::string& out, std::uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += k_hex[(unit >> shift) & 0xfU];
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      append_unit(out, static_cast<unsigned char>(c));
  }
}

/// Decodes one character of UTF-8 at the front; a broken one is one byte and U+FFFD.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  std::uint32_t point = lead < 0x80 ? lead : lead & (0xffU >> (size + 1));
  bool valid = lead < 0x80 || (lead >= 0xc2 && lead < 0xf5 && size <= text.size());
  for (std::size_t i = 1; valid && i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    valid = (next & 0xc0U) == 0x80;
    point = point << 6 | (next & 0x3fU);
  }
  text.remove_prefix(valid ? size : 1);
  return valid ? point : 0xfffd;
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) [[likely]]
      continue;
    out.append(text, begin, i - begin);
    append_escaped(out, text[i]);
    begin = i + 1;
  }
  out.append(text, begin, text.size() - begin);
}

void append_json_key_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_plain(c)) [[likely]]
      out += c;
    else
      append_escaped(out, c);
    if (c == '/') out += c;
  }
}

void append_json_ascii(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x80) {
      append_json_text(out, text.substr(0, 1));
      text.remove_prefix(1);
      continue;
    }
    const std::uint32_t point = take_code_point(text);
    if (point < 0x10000) {
      append_unit(out, point);
    } else {
      append_unit(out, 0xd800 + ((point - 0x10000) >> 10));
      append_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ffU));
    }
  }
}

}  // namespace holdfast::protocol
