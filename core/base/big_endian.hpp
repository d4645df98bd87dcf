// Numbers as eight bytes whose order is that of the numbers: keys of positions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

inline void append_big_endian(std::string& bytes, std::uint64_t number) {
  for (unsigned shift = 64; shift > 0; shift -= 8)
    bytes += static_cast<char>(number >> (shift - 8) & 0xffU);
}

/// Of all bytes given. REQUIRES: eight at most.
inline std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace holdfast
