// ConnectionManager: brings the connection to Postgres up in order, and again after each loss, with
// backoff: session and lock, take-over of the store, timeline check, publication and slot, the
// shapes subsystem, the stream (engine.md §1.7, L-1, L-2, L-20). The shapes subsystem outlives it.
#pragma once

#include <optional>
#include <string>

#include "core/env/database.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/connection/replication_client.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {

class ConnectionManager : public runtime::Process {
 public:
  explicit ConnectionManager(Context context) : context_(std::move(context)) {}

  // -- handlers -----------------------------------------------------------------------------------

  void connect();
  void lock_acquired(runtime::Ref<ReplicationClient> client, env::SystemIdentity identity);
  void configured(runtime::Ref<ReplicationClient> client, env::SlotState slot);
  /// A collector is ready for events. A session that serves an earlier one ends: what that one had
  /// accepted and not committed, Postgres must send again.
  void collector_started(runtime::Ref<ShapeLogCollector> collector);
  void attached(runtime::Ref<ReplicationClient> client, runtime::Ref<ShapeLogCollector> collector);
  /// A reconciler has started: it is told of the session that streams, if there is one.
  void reconciler_started();
  /// What the session streams by is gone, and it cannot tell before somebody writes: the next one
  /// makes it, and its slot, anew.
  void publication_missing();
  /// Says why the client is about to end; its exit follows.
  void client_failed(env::DatabaseError error);
  /// The session has streamed for a while: the next failure is a first one again.
  void settled(runtime::Ref<ReplicationClient> client);
  /// While the lock is waited for: ends backends that hold it without using the slot.
  void break_lock();

 protected:
  void init() override;
  void on_linked_exit(runtime::ProcessId, const runtime::ExitReason&) override;

 private:
  bool is_current(runtime::Ref<ReplicationClient> client) const { return client == client_; }
  void take_over();
  /// Removes every shape if the database is not the one they were made from (LC-8, LC-9, LC-10).
  void check_origin(const env::SlotState& slot);
  /// Not the one whose position the store knows.
  bool another_slot(const env::SlotState& slot) const;
  void start_shapes();
  void retry_later();
  void end_stale_session();

  Context context_;
  runtime::Ref<ReplicationClient> client_;
  std::string identity_;  ///< of the database now connected to: "<system id>/<timeline>"
  std::optional<StoreOrigin> origin_;                         ///< of the shapes in the store
  std::optional<runtime::Ref<ShapeLogCollector>> collector_;  ///< the latest one
  std::optional<runtime::Ref<ShapeLogCollector>> attached_;   ///< the one that client_ serves
  bool waiting_for_lock_ = false;
  unsigned failures_ = 0;        ///< since a session was settled
  bool needs_a_person_ = false;  ///< the last failure does not go away by itself
  /// It stands before changes that were written without the publication, whoever has made that
  /// again since: no session gets past them.
  bool slot_is_useless_ = false;
};

}  // namespace holdfast::stack
