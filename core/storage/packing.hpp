// Packed encodings of the durable formats (formats.md): little-endian fixed integers, LEB128
// variable integers, CRC-32, and the 16-byte key whose byte order is the order of offsets.
// Pure functions over strings; an Unpacker never reads past its end and remembers that it failed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/protocol/offset.hpp"

namespace holdfast::storage {

/// CRC-32 (the polynomial of zlib and Ethernet).
std::uint32_t checksum(std::string_view bytes);

void put_u32(std::string& out, std::uint32_t value);
void put_u64(std::string& out, std::uint64_t value);

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

/// Small distances of either sign become small numbers: 0, -1, 1, -2, … -> 0, 1, 2, 3, …
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// 16 bytes, big-endian tx then op: memcmp orders them as LogOffset does. REQUIRES: started.
std::string offset_key(const protocol::LogOffset& offset);
/// REQUIRES: 16 bytes.
protocol::LogOffset offset_from_key(std::string_view key);

/// Takes values off the front. After the first failure every answer is zero or empty.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes), size_(bytes.size()) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t varint();
  std::string_view bytes(std::uint64_t count);

  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }
  /// How many bytes were taken so far.
  std::size_t position() const { return size_ - rest_.size(); }

 private:
  void fail();

  std::string_view rest_;
  std::size_t size_;
  bool failed_ = false;
};

}  // namespace holdfast::storage
