// StatusMonitor: which parts of the stack are ready. Each condition is bound to a live process
// whose death clears it. Owns the table `status`, one row that says what follows from them, read by
// requests without a message (engine.md §1.6).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "core/runtime/message.hpp"
#include "core/runtime/owned_table.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

enum class Condition : std::uint8_t {
  asks_for_lock,  ///< Postgres was asked for it; also where it has been given
  lock_acquired,
  replication_client_ready,
  connection_pool_ready,
  integrity_checked,
  shape_metadata_ready,
  catalogue_current,  ///< the read models show what the store holds, and nobody else writes it
  collector_ready,
  processes_ready,
};

/// What a stack can do for a request, worst first.
enum class Readiness : std::uint8_t { starting, read_only, active };

/// The service status of the health endpoint (http-api.md §3).
enum class ServiceStatus : std::uint8_t { starting, waiting, active };

struct StackStatus {
  Readiness readiness = Readiness::starting;
  ServiceStatus service = ServiceStatus::starting;
  /// Whether the read models may be believed. While another instance may write the store, or has
  /// until just now, they are only what was there when this one started.
  bool catalogue_current = false;
  bool has_led = false;  ///< the read models are of this stack's own time as the leader, or newer
  std::string waits_for = {};  ///< for people, while it is not active; empty: nothing is known
};

/// Reads the table; a missing owner reads as `starting`. Does not suspend.
StackStatus read_status(runtime::Runtime& runtime);

class StatusMonitor : public runtime::Process {
 public:
  // -- handlers -----------------------------------------------------------------------------------

  /// The condition holds for as long as `process` lives.
  void set(Condition condition, runtime::ProcessId process);
  void clear(Condition condition);
  /// What keeps the stack from being active, for whoever asks for its health. Forgotten once it is.
  void explain(std::string waits_for);
  /// Answers once the stack is at least that ready. Forgotten at the deadline, by which the caller
  /// no longer waits.
  void wait_until(runtime::Reply<Readiness> reply, Readiness wanted, Instant deadline);

 protected:
  void init() override;
  void on_down(runtime::MonitorRef, runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  struct Waiting {
    runtime::Reply<Readiness> reply;
    Readiness wanted;
    Instant deadline;
  };
  void conditions_changed();

  std::string waits_for_;
  std::map<Condition, runtime::ProcessId> conditions_;
  std::unique_ptr<runtime::OwnedTable<std::uint8_t, StackStatus>> status_;
  std::map<runtime::MonitorRef, Condition> monitors_;
  std::deque<Waiting> waiting_;  ///< in order of arrival, so roughly of deadline
};

}  // namespace holdfast::stack
