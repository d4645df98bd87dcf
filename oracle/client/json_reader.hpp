// A strict reader of JSON text, pulled value by value: no tree is built, and nothing that RFC 8259
// or UTF-8 forbids is let through. Owns nothing; the text must outlive it. Whatever is not what the
// caller asks for throws Malformed with a sentence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::oracle {

/// The text is no JSON, or not the value that was asked for.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class JsonReader {
 public:
  /// Deepest nesting that skip() follows.
  static constexpr unsigned k_most_nesting = 64;

  explicit JsonReader(std::string_view text) : text_(text) {}

  /// The first byte of the next value, or of the punctuation in its place; 0 at the end.
  char peek() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  /// Bytes read so far, white space before the next value included once peek() was called.
  std::size_t position() const { return at_; }

  /// `{` and `[`. The members or items follow, each after a call of next_member() or next_item().
  void open_object() { expect('{'); }
  void open_array() { expect('['); }
  /// Reads the name of the next member, up to its colon; false: the object has ended. `first` says
  /// that none was read yet, and is false afterwards.
  /// The name is valid until the next text or name is read.
  bool next_member(std::string_view& name, bool& first);
  bool next_item(bool& first);

  /// A text, its escapes resolved. Valid until the next text or name is read.
  std::string_view read_text();
  /// A whole number without sign, fraction and exponent.
  std::uint64_t read_unsigned();
  /// `null`, `true` or `false`, if it is next.
  bool take_word(std::string_view word);
  /// Any value at all, which must be legal.
  void skip() { skip_value(0); }
  /// Only white space is left.
  void expect_end();

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
  void expect(char wanted) {
    if (peek() != wanted || at_ >= text_.size()) missing(wanted);
    ++at_;
  }
  void skip_value(unsigned depth);
  void skip_number();
  bool digits();
  void read_escape();
  std::uint32_t read_code_unit();
  void pass_multibyte();
  std::string_view read_unplain_text(std::size_t start);
  [[noreturn]] void missing(char wanted) const;
  [[noreturn]] void malformed(const char* what) const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::string scratch_;  ///< the last text that does not stand in text_ as it is
};

}  // namespace holdfast::oracle
