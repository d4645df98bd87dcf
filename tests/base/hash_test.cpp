// Hashes are stored and compared between builds, so their values are part of the format.
#include "core/base/hash.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace holdfast {
namespace {

TEST(Hash, equal_bytes_have_equal_hashes_and_others_differ) {
  std::set<std::string> seen;
  const std::string text = "the quick brown fox";
  for (std::size_t size = 0; size <= text.size(); ++size)
    seen.insert(hash128(std::string_view(text).substr(0, size)).to_hex());
  EXPECT_EQ(seen.size(), text.size() + 1);
  EXPECT_EQ(hash128("abc"), hash128(std::string("abc")));
}

TEST(Hash, bytes_are_not_confused_with_their_padding) {
  using std::string_literals::operator""s;
  EXPECT_NE(hash128("a"), hash128("a\0"s));
  EXPECT_NE(hash128(""), hash128("\0"s));
}

TEST(Hash, a_rolling_hash_depends_on_the_order_and_the_borders) {
  const auto of = [](std::initializer_list<std::string_view> parts) {
    RollingHash hash;
    for (const std::string_view part : parts) hash.add(part);
    return hash.value();
  };
  EXPECT_NE(of({"ab", "c"}), of({"a", "bc"}));
  EXPECT_NE(of({"a", "b"}), of({"b", "a"}));
  EXPECT_EQ(of({"a", "b"}), of({"a", "b"}));
}

TEST(Hash, every_bit_of_a_word_reaches_the_mixed_word) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t difference = mix64(12345) ^ mix64(12345 ^ (std::uint64_t{1} << bit));
    EXPECT_GT(__builtin_popcountll(difference), 10) << bit;
  }
}

TEST(Hash, hexadecimal_text_has_32_digits_high_word_first) {
  EXPECT_EQ((Hash128{0x1, 0xab}.to_hex()), "000000000000000100000000000000ab");
}

}  // namespace
}  // namespace holdfast
