#include "oracle/rows_digest.hpp"

#include <limits>

namespace holdfast::oracle {

Hash128 hash_cell(const Hash128& key, std::string_view column,
                  const std::optional<std::string>& text) {
  constexpr std::uint64_t k_null = std::numeric_limits<std::uint64_t>::max();  // no text's length
  RollingHash hash;
  hash.add(key.high);
  hash.add(key.low);
  hash.add(column);
  if (text)
    hash.add(std::string_view(*text));
  else
    hash.add(k_null);
  return hash.value();
}

RowsDigest digest_of(const Rows& rows) {
  RowsDigest digest;
  for (const auto& [key, row] : rows) {
    const Hash128 key_hash = hash128(key);
    for (const auto& [column, text] : row) digest.add(hash_cell(key_hash, column, text));
  }
  return digest;
}

}  // namespace holdfast::oracle
