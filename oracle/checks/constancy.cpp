#include "oracle/checks/constancy.hpp"

namespace holdfast::oracle {

void Constancy::records(const protocol::ShapeHandle& handle, const std::vector<Message>& messages,
                        const Object& object) {
  for (const Message& message : messages) {
    if (!message.lsn) continue;
    const auto at = protocol::LogOffset::at(*message.lsn, message.op);
    const auto [seen, fresh] = records_.try_emplace({handle, at}, message.content);
    if (!fresh && seen->second != message.content)
      object(property::record_constant,
             "record " + at.to_string() + " of " + handle.text + " has changed: " + message.key);
  }
}

void Constancy::chunk(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
                      const protocol::LogOffset& to, const std::string& body,
                      const Object& object) {
  const Hash128 content = hash128(to.to_string() + body);
  const auto [seen, fresh] = chunks_.try_emplace({handle, from}, content);
  if (!fresh && seen->second != content)
    object(property::chunk_constant,
           "the chunk of " + handle.text + " after " + from.to_string() + " has changed");
}

}  // namespace holdfast::oracle
