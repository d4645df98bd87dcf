// Writing and reading compiled conditions and definitions: little varints and counted strings. A
// reader never reads past its input; once something was malformed it stays failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::where {

class ByteWriter {
 public:
  void number(std::uint64_t value) {
    while (value >= 0x80) {
      bytes_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    bytes_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    failed_ = true;
    rest_ = {};
    return 0;
  }
  /// A number that must not exceed `most`; 0 after a failure.
  std::uint64_t number_up_to(std::uint64_t most) {
    const std::uint64_t value = number();
    if (value <= most) return value;
    failed_ = true;
    return 0;
  }
  /// How many things follow, each of at least one byte: bounded by what is left.
  std::size_t count() { return static_cast<std::size_t>(number_up_to(rest_.size())); }
  std::string_view text() { return bytes(count()); }
  /// The next `size` bytes; none after a failure.
  std::string_view bytes(std::size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  bool failed() const { return failed_; }
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace holdfast::where
