// Whoever looks on while processes run: a recorder of runs. An observer never suspends, sends,
// draws or decides anything, so that a run with one takes the same steps as a run without.
// Called on the shard's thread. Without one, each point costs a comparison with nullptr.
#pragma once

#include <cstdint>
#include <string>

#include "core/runtime/exit_reason.hpp"

namespace holdfast::runtime {

class Envelope;
struct ProcessRecord;

enum class TableUse : std::uint8_t { made, made_hidden, opened, ended, written, read };

class RuntimeObserver {
 public:
  virtual ~RuntimeObserver() = default;
  /// It exists; its init() runs in its first step.
  virtual void started(const ProcessRecord& process) = 0;
  /// Its end is told to nobody else yet. Its tables have ended with it.
  virtual void ended(const ProcessRecord& process, const ExitReason& reason) = 0;
  /// Put into a mailbox: a cast, a call, a fired timer, a Down or an exit that is trapped.
  virtual void queued(const ProcessRecord& receiver, const Envelope& message) = 0;
  /// Taken out, and about to be handled.
  virtual void taken(const ProcessRecord& receiver, const Envelope& message) = 0;
  /// The wait of `caller` for a call or a start is over; `failure` is nullptr for a reply.
  virtual void answered(const ProcessRecord& caller, const ExitReason* failure) = 0;
  /// An exit that interrupts: a kill, or any other of a process that does not trap exits.
  virtual void interrupted(const ProcessRecord& process, const ExitReason& reason) = 0;
  /// On the fiber of its owner, or of whoever reads it. Of an end with its owner nothing is told.
  virtual void table_used(const std::string& name, TableUse use) = 0;
};

}  // namespace holdfast::runtime
