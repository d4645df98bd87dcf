// Reads big-endian integers, strings and byte runs from a buffer without ever leaving it. A read
// that would is refused: it gives zero or an empty view, and the reader stays failed at that place,
// so a parser may read a whole message and ask once. Values only; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast::postgres {

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  /// Where the next byte is read; after a failure, where the refused read began.
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(integer<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(integer<2>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(integer<4>()); }
  std::uint64_t u64() { return integer<8>(); }
  char tag() { return static_cast<char>(u8()); }

  std::string_view bytes(std::size_t size) {
    if (failed_ || remaining() < size) [[unlikely]] {
      failed_ = true;
      return {};
    }
    const std::string_view found(at_, size);
    at_ += size;
    return found;
  }

  /// Up to the next NUL, which is consumed and not part of the result.
  std::string_view c_string() {
    const void* nul = failed_ || at_end() ? nullptr : std::memchr(at_, 0, remaining());
    if (nul == nullptr) {
      failed_ = true;
      return {};
    }
    const std::string_view found(at_,
                                 static_cast<std::size_t>(static_cast<const char*>(nul) - at_));
    at_ += found.size() + 1;
    return found;
  }

 private:
  template <std::size_t Size>
  std::uint64_t integer() {
    if (failed_ || remaining() < Size) [[unlikely]] {
      failed_ = true;
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < Size; ++i)
      value = (value << 8) | static_cast<unsigned char>(at_[i]);
    at_ += Size;
    return value;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace holdfast::postgres
