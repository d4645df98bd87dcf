#include "sim/postgres/values/array_literal.hpp"

namespace holdfast::sim::postgres {
namespace {

using Elements = std::vector<std::optional<std::string>>;

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

Failure<SqlError> malformed(std::string_view text) {
  return {SqlError{"22P02", "malformed array literal: \"" + std::string(text) + "\""}};
}

bool is_null_word(const std::string& word) {
  if (word.size() != 4) return false;
  std::string lower = word;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return lower == "null";
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() const { return at_ == text_.size(); }

  /// One element up to its delimiter; false: malformed.
  bool element(Elements& into) {
    skip_spaces();
    const bool quoted = take('"');
    std::string word;
    std::size_t kept = 0;  // an unquoted word loses its trailing spaces, but not escaped ones
    while (!at_end()) {
      char c = text_[at_];
      const bool escaped = c == '\\';
      if (escaped && ++at_ == text_.size()) return false;
      c = text_[at_];
      if (!escaped && quoted && c == '"') {
        ++at_;
        into.emplace_back(std::move(word));
        return true;
      }
      if (!escaped && !quoted && (c == ',' || c == '}')) {
        word.resize(kept);
        if (word.empty()) return false;
        into.push_back(is_null_word(word) ? std::nullopt : std::optional(word));
        return true;
      }
      if (!escaped && !quoted && (c == '"' || c == '{')) return false;
      word.push_back(c);
      ++at_;
      if (escaped || !is_space(c)) kept = word.size();
    }
    return false;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

SqlResult<Elements> read_array_literal(std::string_view text) {
  Reader in(text);
  Elements elements;
  if (!in.take('{')) return malformed(text);
  in.skip_spaces();
  if (in.peek() == '{')
    return Failure<SqlError>{{"0A000", "the model does not interpret arrays of arrays"}};
  if (!in.take('}')) {
    do {
      if (!in.element(elements)) return malformed(text);
    } while (in.take(','));
    if (!in.take('}')) return malformed(text);
  }
  in.skip_spaces();
  if (!in.at_end()) return malformed(text);
  return elements;
}

}  // namespace holdfast::sim::postgres
