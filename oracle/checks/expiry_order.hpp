// Who expires (LC-2): never a shape that a request waits for, while one that nobody asked for in
// the meantime stays. Judged only where nothing was done to the engine since the other was read
// last: after a restart, or the death of whoever remembers, all shapes count as read at once.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/protocol/offset.hpp"
#include "oracle/client/client_view.hpp"

namespace holdfast::oracle {

class ExpiryOrder {
 public:
  /// `spec` is asked for. Each request is answered, or given up, by the same client.
  void asked(const std::string& spec, const std::string& client);
  /// The client's request has ended, whatever came of it.
  void ended(const std::string& spec, const std::string& client, Instant at);
  /// Something is done to the engine, whose consequences are over by then.
  void disturbed(Instant until) { disturbed_until_ = std::max(disturbed_until_, until); }
  /// The same for what begins now and ends later.
  void disturbance_begins() { disturbances_++; }
  void disturbance_ends(Instant until) {
    disturbances_--;
    disturbed(until);
  }

  /// To be called after ended().
  void served(const std::string& spec, const protocol::ShapeHandle& handle, Instant sent,
              const Object& object);
  /// A request, sent then, was told that its shape expired.
  void expired(const std::string& spec, Instant sent, Instant answered);

 private:
  struct Reads {
    std::map<std::string, unsigned> open;  ///< by client
    Instant last_end;
    std::optional<protocol::ShapeHandle> handle;  ///< that served last
    /// If that handle serves a request which is sent later, it has stayed although it was due.
    std::optional<Instant> due_at;
    std::string instead_of;
  };

  std::map<std::string, Reads> reads_;  ///< by the name of the spec
  Instant disturbed_until_;
  unsigned disturbances_ = 0;  ///< under way
};

}  // namespace holdfast::oracle
