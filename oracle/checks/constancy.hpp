// What was once served stays what it is: a record under its handle and offset (I-2), a chunk under
// its handle and start (I-9), across clients, restarts, compaction and instances.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/protocol/offset.hpp"
#include "oracle/client/client_view.hpp"

namespace holdfast::oracle {

class Constancy {
 public:
  void records(const protocol::ShapeHandle& handle, const std::vector<Message>& messages,
               const Object& object);
  /// An answer that covers (from, to] has every record of it that was ever served.
  void whole(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
             const protocol::LogOffset& to, const std::vector<Message>& messages,
             const Object& object) const;
  /// An answer that a complete chunk ended: it has no up-to-date marker.
  void chunk(const protocol::ShapeHandle& handle, const protocol::LogOffset& from,
             const protocol::LogOffset& to, const std::string& body, const Object& object);

 private:
  /// What one handle has served, by offset.
  struct Served {
    std::map<protocol::LogOffset, Hash128> records;
    std::map<protocol::LogOffset, Hash128> chunks;  ///< by where they start
  };
  std::map<protocol::ShapeHandle, Served> served_;
};

}  // namespace holdfast::oracle
