#include "core/base/hash.hpp"

#include <bit>
#include <cstdio>
#include <cstring>

namespace holdfast {
namespace {

/// At most eight bytes as a number, little-endian on every platform, so that a stored hash means
/// the same everywhere.
std::uint64_t load64(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes, size);
  } else {
    for (std::size_t i = 0; i < size; ++i)
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return word;
}

}  // namespace

std::string Hash128::to_hex() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

void RollingHash::add(std::string_view bytes) {
  add(static_cast<std::uint64_t>(bytes.size()));
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) add(load64(bytes.data(), 8));
  if (!bytes.empty()) add(load64(bytes.data(), bytes.size()));
}

Hash128 hash128(std::string_view bytes) {
  RollingHash hash;
  hash.add(bytes);
  return hash.value();
}

std::uint64_t hash64(std::string_view bytes) {
  return hash128(bytes).low;
}

}  // namespace holdfast
