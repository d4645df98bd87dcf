// ReplicationClient: the process that owns the replication session. It sets the session up in steps
// driven by ConnectionManager, decodes the stream, hands transactions to the collector, big ones in
// fragments, and tells Postgres what the collector confirms, never more (I-20).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/env/database.hpp"
#include "core/postgres/decoder.hpp"
#include "core/runtime/process.hpp"
#include "core/stack/context.hpp"
#include "core/stack/names.hpp"

namespace holdfast::stack {

class ReplicationClient : public runtime::Process {
 public:
  explicit ReplicationClient(Context context)
      : context_(std::move(context)), decoder_(context_->options.fragment_bytes) {}

  // -- handlers, in the order of a session's life -------------------------------------------------

  /// Connects and waits for the advisory lock; then ConnectionManager::lock_acquired.
  void connect();
  /// Publication and slot; then ConnectionManager::configured. A slot that is `useless` is made
  /// anew.
  void configure(bool slot_is_useless);
  /// Streams from the slot's confirmed position until the session breaks.
  void stream();
  /// One receive, and what came of it handed over.
  void pump();
  /// Nothing before this position is needed again: Postgres is told.
  void confirm(postgres::Lsn position);

 private:
  [[noreturn]] void fail(const env::DatabaseError& error);
  void note(const postgres::StreamEvent& event);
  void hand_over(std::vector<postgres::StreamEvent> events);
  /// Where the stream describes a table, its shapes are held against the catalogue first: not all
  /// that may have changed is in the description.
  void ask_catalogue(const std::vector<postgres::StreamEvent>& events);
  /// What these have done to the catalogue is there to be read: a commit may be streamed before
  /// others see it. SUSPENDS.
  void wait_until_visible(const std::vector<postgres::Xid>& transactions);
  void send_status();
  runtime::Ref<ReplicationClient> me() const { return {self()}; }

  Context context_;
  std::unique_ptr<env::ReplicationSession> session_;
  std::optional<runtime::Ref<ShapeLogCollector>> collector_;
  postgres::StreamDecoder decoder_;
  postgres::Lsn received_;
  bool slot_is_new_ = false;
  postgres::Lsn confirmed_;  ///< first byte not yet safe
  Instant status_sent_;
  bool status_due_ = false;
};

}  // namespace holdfast::stack
