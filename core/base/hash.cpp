#include "core/base/hash.hpp"

#include <cstdio>

namespace holdfast {
namespace {

/// Little-endian on every platform, so that a stored hash means the same everywhere.
std::uint64_t load64(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
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
  while (bytes.size() >= 8) {
    add(load64(bytes.substr(0, 8)));
    bytes.remove_prefix(8);
  }
  if (!bytes.empty()) add(load64(bytes));
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
