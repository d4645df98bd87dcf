// The half of log_item.hpp for shapes with subqueries that needs no change: rows, events, tags.
#include <charconv>

#include "core/protocol/json_text.hpp"
#include "core/shape/layout.hpp"
#include "core/shape/log_item.hpp"

namespace holdfast::shape {

std::vector<std::string> tags(const where::Plan& plan, const std::vector<std::string>& hashes) {
  std::vector<std::string> made;
  for (const auto& disjunct : plan.disjuncts) {
    std::string tag;
    auto next = disjunct.begin();
    for (std::size_t p = 0; p < plan.positions.size(); ++p) {
      if (p > 0) tag += '/';
      if (next == disjunct.end() || *next != p) continue;
      tag += hashes[p];
      ++next;
    }
    made.push_back(std::move(tag));
  }
  return made;
}

void append_move_event(std::string& out, MoveDirection direction,
                       const std::vector<MovePattern>& patterns,
                       const std::vector<std::uint64_t>& txids) {
  out += "{\"headers\":{\"event\":\"";
  out += direction == MoveDirection::in ? "move-in" : "move-out";
  out += "\",\"patterns\":[";
  bool first = true;
  for (const MovePattern& pattern : patterns) {
    out += first ? "{\"pos\":" : ",{\"pos\":";
    first = false;
    out += std::to_string(pattern.position);
    out += ",\"value\":\"" + pattern.hash + "\"}";
  }
  out += "],\"txids\":[";
  for (std::size_t i = 0; i < txids.size(); ++i)
    out += (i == 0 ? "" : ",") + std::to_string(txids[i]);
  out += "]}}";
}

protocol::LogOffset next_injected(protocol::LogOffset last) {
  ASSERT(last.started, "items are appended to a log that has begun");
  if (last.tx == 0) return protocol::LogOffset::at(1, 0);
  return protocol::LogOffset::at(last.tx, last.op + 1);
}

}  // namespace holdfast::shape
