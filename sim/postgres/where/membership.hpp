// The rows on the right side of IN, and the test whether others are among them: SQL's three-valued
// `=` on rows. Rows without NULL are looked up, so that a test costs the same for large sets.
// Values; internal to the model's condition interpreter.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "sim/postgres/values/value.hpp"

namespace holdfast::sim::postgres {

enum class Truth : std::uint8_t { no, yes, unknown };

class RowSet {
 public:
  void add(std::vector<Value> row);
  /// `left` IN (these rows). REQUIRES: as many columns, each of a family with the rows'.
  Truth contains(const std::vector<Value>& left) const;
  const std::vector<std::vector<Value>>& rows() const { return rows_; }

 private:
  std::vector<std::vector<Value>> rows_;
  std::vector<std::size_t> with_null_;      ///< rows that have one
  std::unordered_set<std::string> lookup_;  ///< keys of the others; never iterated
};

}  // namespace holdfast::sim::postgres
