#include "core/postgres/lsn.hpp"

#include <cstdio>

namespace holdfast::postgres {

std::string Lsn::to_string() const {
  char text[24];
  std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(value >> 32),
                static_cast<unsigned>(value & 0xffffffffU));
  return text;
}

FullXid Snapshot::extend(Xid stream_xid) const {
  // The distance as a signed 32-bit number picks the epoch in which the id is nearest to xmax.
  const auto distance = static_cast<std::int32_t>(stream_xid.value - xmax.truncated().value);
  return {xmax.value + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance))};
}

bool Snapshot::includes(const Snapshot& other) const {
  if (xmax < other.xmax) return false;
  const auto end = std::lower_bound(xip.begin(), xip.end(), other.xmax);
  return std::includes(other.xip.begin(), other.xip.end(), xip.begin(), end);
}

bool Snapshot::sees(Xid stream_xid) const {
  const FullXid full = extend(stream_xid);
  if (full < xmin) return true;
  if (full >= xmax) return false;
  return !std::binary_search(xip.begin(), xip.end(), full);
}

}  // namespace holdfast::postgres
