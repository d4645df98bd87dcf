// A digest of a set of rows: the sum of a 128-bit hash of each cell with its row's key and its
// column. Independent of order, and kept up to date by adding and removing cells, so that a view
// and the truth are compared without being walked. Equal sets have equal digests; that different
// ones have too would need 128 bits to agree by chance.
#pragma once

#include <string_view>

#include "core/base/hash.hpp"
#include "oracle/shape_spec.hpp"

namespace holdfast::oracle {

class RowsDigest {
 public:
  RowsDigest() = default;
  /// `sum`: of hashes of cells, each half by itself, modulo 2^64.
  explicit RowsDigest(const Hash128& sum) : sum_(sum) {}

  void add(const Hash128& cell) {
    sum_.high += cell.high;
    sum_.low += cell.low;
  }
  void remove(const Hash128& cell) {
    sum_.high -= cell.high;
    sum_.low -= cell.low;
  }
  const Hash128& sum() const { return sum_; }
  bool operator==(const RowsDigest&) const = default;

 private:
  Hash128 sum_;
};

/// `key`: hash128 of the row's key as the wire writes it.
Hash128 hash_cell(const Hash128& key, std::string_view column,
                  const std::optional<std::string>& text);
RowsDigest digest_of(const Rows& rows);

}  // namespace holdfast::oracle
