// The question of ValueSet::holds(), for many values of one set: where a NULL is compared, looking
// through the set takes O(n) each time, asking this index O(2^columns). Made for one change of a
// view and thrown away. A value; no process, no I/O.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/subquery/value_set.hpp"

namespace holdfast::subquery {

class SetIndex {
 public:
  /// O(n * 2^columns), in time and memory.
  explicit SetIndex(const ValueSet& set);

  /// As ValueSet::holds().
  where::Truth holds(std::string_view value) const;

 private:
  const ValueSet& set_;
  std::set<unsigned> masks_;  ///< which columns are NULL, of all values: a bit a column
  /// Of each value its mask, and what is left of it with these and any further columns NULL.
  std::unordered_set<std::string> parts_;
};

}  // namespace holdfast::subquery
