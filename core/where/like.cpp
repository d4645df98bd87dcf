#include "core/where/like.hpp"

#include <cstddef>

namespace holdfast::where {
namespace {

char fold(char c, LetterCase letter_case) {
  return letter_case == LetterCase::ascii_folded && c >= 'A' && c <= 'Z'
             ? static_cast<char>(c - 'A' + 'a')
             : c;
}

/// Bytes of the UTF-8 character that starts at `at`; broken sequences count byte by byte.
std::size_t character_size(std::string_view text, std::size_t at) {
  std::size_t size = 1;
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0xc0) return 1;
  while (at + size < text.size() && size < 4 &&
         (static_cast<unsigned char>(text[at + size]) & 0xc0U) == 0x80)
    ++size;
  return size;
}

}  // namespace

bool ends_with_escape(std::string_view pattern) {
  std::size_t count = 0;
  while (count < pattern.size() && pattern[pattern.size() - 1 - count] == '\\') ++count;
  return count % 2 == 1;
}

// Greedy with one point of return: a later '%' makes the earlier ones irrelevant. O(text ·
// pattern).
std::optional<bool> like(std::string_view text, std::string_view pattern, LetterCase letter_case) {
  if (ends_with_escape(pattern)) return std::nullopt;
  constexpr std::size_t k_none = std::string_view::npos;
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t return_pattern = k_none;
  std::size_t return_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      return_pattern = ++p;
      return_text = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      t += character_size(text, t);
      ++p;
      continue;
    }
    const std::size_t literal = p < pattern.size() && pattern[p] == '\\' ? p + 1 : p;
    if (literal < pattern.size() &&
        fold(pattern[literal], letter_case) == fold(text[t], letter_case)) {
      p = literal + 1;
      ++t;
      continue;
    }
    if (return_pattern == k_none) return false;
    return_text += character_size(text, return_text);
    t = return_text;
    p = return_pattern;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

}  // namespace holdfast::where
