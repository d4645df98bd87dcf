#include "core/subquery/set_index.hpp"

namespace holdfast::subquery {
namespace {

using where::LinkColumns;
using where::Truth;

unsigned null_mask(const LinkColumns& columns) {
  unsigned mask = 0;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!columns[i]) mask |= 1U << i;
  return mask;
}

/// Of a value with NULLs in `own`, or of who may be its equal: what is compared once columns that
/// are NULL on either side are left out.
std::string part(unsigned own, const LinkColumns& columns, unsigned left_out) {
  std::string text(1, static_cast<char>(own));
  for (std::size_t i = 0; i < columns.size(); ++i)
    where::append_packed(text, (left_out >> i & 1U) != 0 ? std::nullopt : columns[i]);
  return text;
}

}  // namespace

SetIndex::SetIndex(const ValueSet& set) : set_(set) {
  for (const std::string& value : set.values()) {
    const LinkColumns columns = where::unpack_link_value(value);
    const unsigned own = null_mask(columns);
    masks_.insert(own);
    for (unsigned left_out = own; left_out < 1U << columns.size(); ++left_out)
      if ((left_out & own) == own) parts_.insert(part(own, columns, left_out));
  }
}

Truth SetIndex::holds(std::string_view value) const {
  const LinkColumns columns = where::unpack_link_value(value);
  const unsigned mine = null_mask(columns);
  if (mine == 0 && set_.contains(value)) return Truth::yes;
  for (const unsigned own : masks_)
    if ((own | mine) != 0 && parts_.contains(part(own, columns, own | mine))) return Truth::unknown;
  return Truth::no;
}

}  // namespace holdfast::subquery
