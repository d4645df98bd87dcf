#include "core/api/identifiers.hpp"

#include <cstddef>
#include <cstdint>

namespace holdfast::api {
namespace {

constexpr std::size_t k_max_identifier_bytes = 63;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<std::uint8_t>(c) >= 0x80;
}

bool continues_identifier(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '$';
}

bool is_plain(std::string_view text) {
  if (!is_letter(text.front())) return false;
  for (const char c : text) {
    if (!continues_identifier(c)) return false;
  }
  return true;
}

Result<std::string> unquote(std::string_view inner) {
  std::string name;
  name.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') {
      const bool doubled = i + 1 < inner.size() && inner[i + 1] == '"';
      if (!doubled) return fail("Invalid identifier with unescaped quote: " + std::string(inner));
      ++i;
    }
    name += inner[i];
  }
  return name;
}

std::string fold(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

/// Pieces between separators that stand outside double quotes.
std::vector<std::string_view> split_outside_quotes(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != separator || quoted) continue;
    pieces.push_back(text.substr(start, i - start));
    start = i + 1;
  }
  pieces.push_back(text.substr(start));
  return pieces;
}

}  // namespace

Result<std::string> parse_identifier(std::string_view text) {
  const bool quoted = !text.empty() && text.front() == '"' && text.back() == '"';
  const std::string_view inner =
      quoted ? text.substr(1, text.size() < 2 ? 0 : text.size() - 2) : text;
  if (inner.empty()) return fail("Invalid zero-length delimited identifier");
  if (!quoted && !is_plain(text)) {
    return fail("Invalid unquoted identifier contains special characters: " + std::string(text));
  }
  Result<std::string> name = quoted ? unquote(inner) : Result<std::string>(fold(text));
  if (name.ok() && name->size() > k_max_identifier_bytes) {
    return fail("Identifier is too long (max length is 63)");
  }
  return name;
}

Result<postgres::RelationName> parse_relation_name(std::string_view text) {
  const std::vector<std::string_view> pieces = split_outside_quotes(text, '.');
  if (pieces.size() > 2) {
    return fail("Invalid relation identifier, too many delimiters: " + std::string(text));
  }
  std::vector<std::string> names;
  for (const std::string_view piece : pieces) {
    Result<std::string> name = parse_identifier(piece);
    if (!name.ok()) return name.failure();
    names.push_back(std::move(name).value());
  }
  if (names.size() == 1) return postgres::RelationName{"public", names[0]};
  return postgres::RelationName{names[0], names[1]};
}

Result<std::vector<std::string>> parse_identifier_list(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view piece : split_outside_quotes(text, ',')) {
    Result<std::string> name = parse_identifier(piece);
    if (!name.ok()) return name.failure();
    names.push_back(std::move(name).value());
  }
  return names;
}

}  // namespace holdfast::api
