// Everything one process can do to another crosses between shards as a Signal. On one shard the
// same functions are called directly.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/runtime/exit_reason.hpp"
#include "core/runtime/message.hpp"
#include "core/runtime/process_id.hpp"
#include "core/runtime/spawn_options.hpp"

namespace holdfast::runtime {

using EndObserver = std::function<void(const ExitReason&)>;

/// A process that is to be: everything but its shard was decided where it was asked for.
struct SpawnRequest {
  ProcessId id;
  ProcessId parent;  ///< invalid: started from outside
  std::string path;
  SpawnOptions options;
  ProcessFactory make;
  CallHandle started;  ///< answered when init() returned; empty: nobody waits
};

enum class SignalKind : std::uint8_t {
  message,       ///< envelope
  reply,         ///< reference = call id; reply, or reason if there is none
  exit_request,  ///< reason
  linked_exit,   ///< reason; from ended
  down,          ///< reference = monitor; reason; from ended
  monitor,       ///< reference = monitor; to is watched by from
  demonitor,     ///< reference = monitor
  link,
  unlink,
  spawn,    ///< request
  observe,  ///< observer is told of the end of to
};

struct Signal {
  SignalKind kind = SignalKind::message;
  ProcessId to;
  ProcessId from;
  std::uint64_t reference = 0;
  ExitReason reason;
  std::unique_ptr<Envelope> envelope;
  std::unique_ptr<ReplyBox> reply;
  std::unique_ptr<SpawnRequest> request;
  EndObserver observer;
};

}  // namespace holdfast::runtime
