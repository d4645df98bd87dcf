// 128-bit hashing: identities of shapes, keys of draws, the rolling hash of a run's trace. The
// result depends on the bytes only, never on the platform, so it may be stored and compared.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Hash128&) const = default;
  /// 32 lower-case hexadecimal digits.
  std::string to_hex() const;
};

/// One round of SplitMix64's finaliser: every input bit reaches every output bit.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return x;
}

constexpr std::uint64_t combine64(std::uint64_t a, std::uint64_t b) {
  return mix64(a + 0x9e3779b97f4a7c15ULL + mix64(b + 0xd1b54a32d192ed03ULL));
}

/// A hash that grows with what is fed to it. Feeding is O(1) for a word, O(n) for bytes.
class RollingHash {
 public:
  void add(std::uint64_t word) {
    state_.high = combine64(state_.high, word);
    state_.low = mix64(state_.low ^ (word + 0xa0761d6478bd642fULL)) + (state_.low << 1);
  }
  void add(std::string_view bytes);
  Hash128 value() const { return {mix64(state_.high), mix64(state_.low)}; }

 private:
  Hash128 state_{0x243f6a8885a308d3ULL, 0x13198a2e03707344ULL};
};

Hash128 hash128(std::string_view bytes);
std::uint64_t hash64(std::string_view bytes);

}  // namespace holdfast
