// Where the log's chunks end (http-api.md §13.2): after the item that makes them as big as the
// threshold, and nowhere else. The oracle counts the items' bytes itself. Snapshot chunks follow
// another count and are not looked at.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "core/protocol/offset.hpp"
#include "oracle/client/messages.hpp"
#include "oracle/client/tag_tracker.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

class ChunkRule {
 public:
  /// 0, as at first: not known, nothing is objected to.
  void set_threshold(std::uint64_t bytes) { threshold_ = bytes; }
  /// An answer with what is in (from, to]; `up_to_date`: no chunk's end ended it.
  void answer(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
              const protocol::LogOffset& to, bool up_to_date, const std::vector<Message>& messages,
              const Object& object);

 private:
  std::uint64_t threshold_ = 0;
  std::map<protocol::ShapeHandle, std::set<protocol::LogOffset>> ends_;  ///< that were served
};

}  // namespace holdfast::oracle
