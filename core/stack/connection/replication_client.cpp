#include "core/stack/connection/replication_client.hpp"

#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_manager.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/schema_reconciler.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/log/shape_log_collector.hpp"

namespace holdfast::stack {
namespace {

/// While something is not confirmed yet, the wait for the stream ends this often, to look whether
/// it may be.
constexpr Duration k_confirmation_look = std::chrono::seconds(2);

/// A commit that is streamed is visible soon, unless it waits for a standby.
constexpr Duration k_unseen_delay = std::chrono::milliseconds(5);
constexpr Duration k_unseen_delay_max = std::chrono::milliseconds(500);

}  // namespace

void ReplicationClient::fail(const env::DatabaseError& error) {
  cast<&ConnectionManager::client_failed>(names::connection_manager, error);
  exit(runtime::ExitReason::crash("replication: " + error.message));
}

void ReplicationClient::connect() {
  auto connected = context_->environment.database->connect_replication();
  if (!connected.ok()) fail(connected.error());
  session_ = std::move(*connected);
  auto identity = session_->identify_system();
  if (!identity.ok()) fail(identity.error());
  if (auto settings = session_->settings(); !settings.ok()) fail(settings.error());
  cast<&StatusMonitor::set>(names::status_monitor, Condition::asks_for_lock, self());
  if (auto locked = session_->acquire_lock(context_->options.slot); !locked.ok())
    fail(locked.error());
  cast<&ConnectionManager::lock_acquired>(names::connection_manager,
                                          runtime::Ref<ReplicationClient>{self()}, *identity);
}

void ReplicationClient::configure(bool slot_is_useless) {
  // Where there was none the slot is made anew as well: an older one would decode what was written
  // without it.
  auto created = session_->ensure_publication(context_->options.publication);
  if (!created.ok()) fail(created.error());
  if (slot_is_useless)
    if (auto dropped = session_->drop_slot(context_->options.slot); !dropped.ok())
      fail(dropped.error());
  auto slot = session_->ensure_slot(context_->options.slot);
  if (!slot.ok()) fail(slot.error());
  confirmed_ = received_ = slot->confirmed_flush;
  slot_is_new_ = slot->created;
  cast<&ConnectionManager::configured>(names::connection_manager, me(), *slot);
}

void ReplicationClient::stream() {
  auto started = session_->start_streaming(context_->options.slot, context_->options.publication);
  if (!started.ok()) fail(started.error());
  // By id, not by name: a successor of this collector does not have what this one had accepted and
  // not committed, so it must not get what comes next, but a new session that replays.
  collector_ =
      call<&ShapeLogCollector::attach>(names::shape_log_collector, me(), confirmed_, slot_is_new_);
  cast<&ConnectionManager::attached>(names::connection_manager, me(), *collector_);
  cast<&StatusMonitor::set>(names::status_monitor, Condition::replication_client_ready, self());
  status_sent_ = now();
  cast<&ReplicationClient::pump>(me());
}

void ReplicationClient::pump() {
  if (status_due_ || now() - status_sent_ >= context_->options.status_interval) send_status();
  Instant deadline = now() + context_->options.status_interval;
  if (confirmed_ < received_) deadline = std::min(deadline, now() + k_confirmation_look);
  auto payloads = session_->receive(deadline);
  if (!payloads.ok()) fail(payloads.error());
  std::vector<postgres::StreamEvent> events;
  std::size_t bytes = 0;
  for (std::string& payload : *payloads) {
    bytes += payload.size();
    auto event = decoder_.feed(std::move(payload));
    if (!event.ok())
      fail({env::DatabaseFailure::connection, "", "replication stream: " + event.error().message});
    if (!*event) continue;
    note(**event);
    events.push_back(std::move(**event));
    if (bytes >= context_->options.fragment_bytes) {
      hand_over(std::exchange(events, {}));
      bytes = 0;
    }
  }
  status_due_ = status_due_ || decoder_.take_reply_request();
  if (!events.empty()) hand_over(std::move(events));
  if (!context_->guards.on(Guard::confirm_only_committed)) confirm(received_);
  cast<&ReplicationClient::pump>(me());
}

void ReplicationClient::note(const postgres::StreamEvent& event) {
  if (const auto* keepalive = std::get_if<postgres::Keepalive>(&event)) {
    received_ = std::max(received_, keepalive->wal_end);
    status_due_ = status_due_ || keepalive->reply_requested;
  } else if (const auto* transaction = std::get_if<postgres::Transaction>(&event)) {
    received_ = std::max(received_, transaction->end_lsn);
  }
}

void ReplicationClient::ask_catalogue(const std::vector<postgres::StreamEvent>& events) {
  std::set<postgres::RelationName> described = decoder_.take_repeated_relations();
  bool altered = !described.empty();
  std::vector<postgres::Xid> transactions;
  for (const postgres::StreamEvent& event : events) {
    if (const auto* changed = std::get_if<postgres::RelationChanged>(&event)) {
      described.insert(changed->relation->name);
      altered = altered || changed->altered;
    }
    if (const auto* transaction = std::get_if<postgres::Transaction>(&event))
      transactions.push_back(transaction->xid);
  }
  if (described.empty()) return;
  if (!context_->guards.on(Guard::catalogue_asked_before_new_format)) return;
  if (const auto open = decoder_.open_transaction()) transactions.push_back(*open);
  if (altered) wait_until_visible(transactions);
  if (!call<&SchemaReconciler::look_at>(names::schema_reconciler, std::move(described)))
    fail({env::DatabaseFailure::connection, {}, "the catalogue could not be asked"});
}

void ReplicationClient::wait_until_visible(const std::vector<postgres::Xid>& transactions) {
  for (Duration delay = k_unseen_delay;; delay = std::min(delay * 2, k_unseen_delay_max)) {
    const auto snapshot = with_session(
        *this, *context_, [](env::QuerySession& session) { return session.current_snapshot(); });
    if (!snapshot.ok()) fail(snapshot.error());
    if (std::all_of(transactions.begin(), transactions.end(),
                    [&](postgres::Xid each) { return snapshot->sees(each); }))
      return;
    context_->reached(Mark::described_before_visible);
    if (now() - status_sent_ >= context_->options.status_interval) send_status();
    sleep(delay);
  }
}

void ReplicationClient::hand_over(std::vector<postgres::StreamEvent> events) {
  ask_catalogue(events);
  // Back-pressure: the answer comes when the collector has room, and nothing is read until then. An
  // exit, for whatever reason, ends this process; the next session replays from what was confirmed.
  if (context_->guards.on(Guard::session_ends_with_its_collector))
    call<&ShapeLogCollector::handle>(*collector_, std::move(events));
  else
    call<&ShapeLogCollector::handle>(names::shape_log_collector, std::move(events));
}

void ReplicationClient::confirm(postgres::Lsn position) {
  if (position <= confirmed_) return;
  confirmed_ = position;
  status_due_ = true;
}

void ReplicationClient::send_status() {
  status_due_ = false;
  status_sent_ = now();
  if (auto sent = session_->send_status(std::max(received_, confirmed_), confirmed_); !sent.ok())
    fail(sent.error());
}

}  // namespace holdfast::stack
