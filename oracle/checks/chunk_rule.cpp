#include "oracle/checks/chunk_rule.hpp"

namespace holdfast::oracle {

void ChunkRule::answer(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
                       const protocol::LogOffset& to, bool up_to_date,
                       const std::vector<Message>& messages, const Object& object) {
  if (threshold_ == 0) return;
  std::set<protocol::LogOffset>& ends = ends_[handle];
  const bool begins_chunk = from == protocol::LogOffset::snapshot_end() || ends.contains(from);
  if (!up_to_date && to.is_real()) ends.insert(to);
  if (!begins_chunk) return;
  std::uint64_t bytes = 0;
  std::uint64_t last = 0;
  for (const Message& message : messages) {
    if (message.kind == MessageKind::up_to_date) continue;
    last = message.bytes;
    bytes += last;
  }
  const auto wrong = [&](const char* what) {
    object(property::chunk_rule, "the chunk of " + handle.text + " from " + from.to_string() +
                                     " to " + to.to_string() + ", of " + std::to_string(bytes) +
                                     " bytes, " + what + " of " + std::to_string(threshold_));
  };
  if (!up_to_date && bytes < threshold_) wrong("ends before it has reached the size");
  if (bytes - last >= threshold_) wrong("goes on although it had reached the size");
}

}  // namespace holdfast::oracle
