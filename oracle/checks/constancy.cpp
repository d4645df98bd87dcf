#include "oracle/checks/constancy.hpp"

#include <set>

namespace holdfast::oracle {

void Constancy::records(const protocol::ShapeHandle& handle, const std::vector<Message>& messages,
                        const Object& object) {
  std::map<protocol::LogOffset, Hash128>& records = served_[handle].records;
  for (const Message& message : messages) {
    if (!message.lsn) continue;
    const auto at = protocol::LogOffset::at(*message.lsn, message.op);
    const auto [seen, fresh] = records.try_emplace(at, message.content);
    if (!fresh && seen->second != message.content)
      object(property::record_constant,
             "record " + at.to_string() + " of " + handle.text + " has changed: " + message.key);
  }
}

void Constancy::whole(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
                      const protocol::LogOffset& to, const std::vector<Message>& messages,
                      const Object& object) const {
  const auto served = served_.find(handle);
  if (served == served_.end()) return;
  std::set<protocol::LogOffset> here;
  for (const Message& message : messages)
    if (message.lsn) here.insert(protocol::LogOffset::at(*message.lsn, message.op));
  const auto& records = served->second.records;
  for (auto it = records.upper_bound(from); it != records.end() && it->first <= to; ++it)
    if (!here.contains(it->first))
      object(property::record_constant, "an answer of " + handle.text + " after " +
                                            from.to_string() + " lacks record " +
                                            it->first.to_string());
}

void Constancy::chunk(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
                      const protocol::LogOffset& to, const std::string& body,
                      const Object& object) {
  RollingHash content;
  content.add(to.to_string());
  content.add(body);
  const auto [seen, fresh] = served_[handle].chunks.try_emplace(from, content.value());
  if (!fresh && seen->second != content.value())
    object(property::chunk_constant,
           "the chunk of " + handle.text + " after " + from.to_string() + " has changed");
}

}  // namespace holdfast::oracle
