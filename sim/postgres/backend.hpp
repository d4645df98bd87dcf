// Server-side sessions of the simulated Postgres: what the engine's session objects stand for, the
// advisory locks and slots they hold. A backend may outlive its client (a half-open connection).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/runtime/suspend.hpp"
#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/stream/walsender.hpp"

namespace holdfast::sim::postgres {

struct Backend {
  std::uint32_t pid = 0;
  unsigned instance = 0;
  std::uint64_t path = 0;  ///< keys its draws: instance and ordinal of its connection
  std::uint64_t pauses = 0;
  std::uint64_t draws = 0;
  bool alive = true;
  std::string ended_because;           ///< set when not alive
  std::optional<Instant> client_gone;  ///< half-open since then
  /// Half-open without a reset: only now the client finds out, by its own time-outs.
  std::optional<Instant> client_finds_out;
  std::vector<Table*> reading;  ///< tables its snapshot transaction has read: shared locks
  Instant busy_at;              ///< its last command or answer
  bool makes_slot = false;      ///< a slot of that name is active, though not there yet

  // -- walsender ----------------------------------------------------------------------------------
  std::string slot;  ///< streaming from it
  std::unique_ptr<Walsender> walsender;
  Lsn client_flushed;
  std::optional<Lsn> last_keepalive;
  Instant last_reply;
  bool ping_pending = false;
  Instant next_flood;  ///< of keepalives
};

using BackendRef = std::shared_ptr<Backend>;

struct AdvisoryLock {
  Backend* holder = nullptr;
  std::deque<Backend*> waiting;  ///< granted in this order
};

struct Slot {
  std::string name;
  Lsn created_at;
  Lsn confirmed_flush;
  Lsn checkpointed_flush;  ///< what a crash brings back
  const Backend* active = nullptr;
  bool invalidated = false;
};

/// Fibers that wait for the same kind of change. All are woken; each looks again.
class WaitQueue {
 public:
  std::uint64_t add(runtime::Wakeup wakeup) {
    waiting_.emplace(++last_, std::move(wakeup));
    return last_;
  }
  void remove(std::uint64_t ticket) { waiting_.erase(ticket); }
  /// Firing may run other code at once or later; the queue is empty before the first.
  std::map<std::uint64_t, runtime::Wakeup> take() { return std::exchange(waiting_, {}); }

 private:
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, runtime::Wakeup> waiting_;
};

}  // namespace holdfast::sim::postgres
