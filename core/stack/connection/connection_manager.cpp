#include "core/stack/connection/connection_manager.hpp"

#include <algorithm>
#include <utility>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_pool.hpp"
#include "core/stack/connection/publication_manager.hpp"
#include "core/stack/connection/schema_reconciler.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/stack_supervisor.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

constexpr Duration k_break_lock_interval = std::chrono::seconds(10);
/// A session may be refused as late as by its stream, of a slot that somebody else uses. Were it
/// counted as a success before, such failures would follow each other at once (postgres.md §5.1).
constexpr Duration k_settles_after = std::chrono::seconds(5);
/// Bringing the store up reads the whole catalogue; no other call waits that long.
constexpr Duration k_take_over_timeout = std::chrono::minutes(10);

/// Whether trying again helps only once somebody has changed something.
bool needs_a_person(env::DatabaseFailure failure) {
  switch (failure) {
    case env::DatabaseFailure::authentication:
    case env::DatabaseFailure::privilege:
    case env::DatabaseFailure::configuration:
      return true;
    case env::DatabaseFailure::connection:
    case env::DatabaseFailure::timeout:
    case env::DatabaseFailure::slot_invalidated:
    case env::DatabaseFailure::slot_active:
    case env::DatabaseFailure::lock_timeout:
    case env::DatabaseFailure::undefined_object:
    case env::DatabaseFailure::no_publication:
    case env::DatabaseFailure::not_published:
    case env::DatabaseFailure::query:
      return false;
  }
  ASSERT(false, "every failure is of a class");
}

}  // namespace

void ConnectionManager::init() {
  trap_exits();
  cast<&ConnectionManager::connect>(runtime::Ref<ConnectionManager>{self()});
}

void ConnectionManager::connect() {
  if (client_.id.valid()) return;
  try {
    client_ = spawn<ReplicationClient>({.role = "replication_client",
                                        .registered_name = names::replication_client.text,
                                        .link_to_parent = true},
                                       context_);
  } catch (const runtime::ProcessExit&) {
    return retry_later();
  }
  if (!origin_ && !context_->guards.on(Guard::take_over_with_the_lock_only)) take_over();
  waiting_for_lock_ = true;
  cast<&ReplicationClient::connect>(client_);
  send_after<&ConnectionManager::break_lock>(k_break_lock_interval);
}

void ConnectionManager::break_lock() {
  if (!waiting_for_lock_ || !client_.id.valid()) return;
  cast<&StatusMonitor::explain>(names::status_monitor, "the advisory lock of replication slot " +
                                                           context_->options.slot +
                                                           ", which another session holds");
  // An error here is no news: the client's own connection reports what is wrong.
  (void)with_session(*this, *context_, [&](env::QuerySession& session) {
    return session.break_lock(context_->options.slot);
  });
  send_after<&ConnectionManager::break_lock>(k_break_lock_interval);
}

void ConnectionManager::lock_acquired(runtime::Ref<ReplicationClient> client,
                                      env::SystemIdentity identity) {
  if (!is_current(client)) return;
  waiting_for_lock_ = false;
  identity_ = identity.system_identifier + "/" + std::to_string(identity.timeline);
  origin_ = call<&StoreProcess::origin>(names::store);
  // Another instance may have led while this one was without the lock: then everything in memory
  // is of the past, and the store ends at this question, and this process with it.
  const bool led = origin_ && (!context_->guards.on(Guard::leader_looks_at_the_epoch) ||
                               call<&StoreProcess::still_leads>(names::store));
  if (!led) take_over();
  // Only now: until here the read models may show what another leader has changed since.
  cast<&StatusMonitor::set>(names::status_monitor, Condition::lock_acquired, client.id);
  cast<&ReplicationClient::configure>(client, slot_is_useless_);
}

void ConnectionManager::take_over() {
  const auto taken = call_within<&StoreProcess::take_over>(k_take_over_timeout, names::store);
  if (!taken.ok()) exit(runtime::ExitReason::crash("take-over: " + taken.error().message));
  origin_ = call<&StoreProcess::origin>(names::store);
  ASSERT(origin_.has_value(), "a store that was taken over knows where its shapes come from");
  yield_point("takeover.refreshed");
}

void ConnectionManager::configured(runtime::Ref<ReplicationClient> client, env::SlotState slot) {
  if (!is_current(client)) return;
  slot_is_useless_ = false;
  check_origin(slot);
  start_shapes();
  // A session of the pool proves that ordinary connections work, and warms the pool.
  auto probe = with_session(*this, *context_, [&](env::QuerySession& session) {
    return session.published(context_->options.publication);
  });
  if (!probe.ok()) {
    send_exit(client.id, runtime::ExitReason::shutdown());
    return;
  }
  cast<&StatusMonitor::set>(names::status_monitor, Condition::connection_pool_ready, client.id);
  cast<&StatusMonitor::set>(names::status_monitor, Condition::integrity_checked, client.id);
  cast<&ReplicationClient::stream>(client);
}

bool ConnectionManager::another_slot(const env::SlotState& slot) const {
  // A slot begins where the log ends, which is beyond whatever was confirmed to an earlier one. So
  // it shows even if whoever made it, this engine before it was killed perhaps, told nobody.
  return context_->guards.on(Guard::slot_position_tells_another_slot) &&
         slot.confirmed_flush > origin_->confirmable;
}

void ConnectionManager::check_origin(const env::SlotState& slot) {
  // As it is now, after the slot was looked at: shapes are born while the connection comes up.
  origin_ = call<&StoreProcess::origin>(names::store);
  if (!origin_) exit(runtime::ExitReason::crash("the store was lost while connecting"));
  const std::string& stored = origin_->system_identity;
  std::string reason;
  if (!stored.empty() && stored != identity_)
    reason = "database_identity_changed";
  else if (origin_->has_state && (slot.created || another_slot(slot)))
    reason = "replication_slot_recreated";
  if (!reason.empty()) {
    // Routing must not know shapes that are gone: the subsystem starts again with what is left, and
    // shows it.
    context_->emit({observe::Level::warning, "all_shapes_removed", {{"reason", reason}}});
    call<&runtime::Supervisor::terminate_child>(names::core, std::string("shapes"), std::string());
    auto reset = call<&StoreProcess::reset>(names::store, reason, identity_, slot.confirmed_flush);
    if (!reset.ok()) exit(runtime::ExitReason::crash("reset: " + reset.error().message));
    context_->reached(Mark::all_shapes_reset);
  } else if (stored != identity_ || another_slot(slot)) {
    auto set = call<&StoreProcess::set_origin>(names::store, identity_, slot.confirmed_flush);
    if (!set.ok()) exit(runtime::ExitReason::crash("identity: " + set.error().message));
  }
}

void ConnectionManager::start_shapes() {
  auto started = call<&runtime::Supervisor::start_child>(names::core, shapes_child(context_));
  if (!started.ok()) exit(runtime::ExitReason::crash("shapes: " + started.error().to_string()));
  cast<&PublicationManager::forget_all>(names::publication_manager);
}

void ConnectionManager::collector_started(runtime::Ref<ShapeLogCollector> collector) {
  collector_ = collector;
  end_stale_session();
}

void ConnectionManager::attached(runtime::Ref<ReplicationClient> client,
                                 runtime::Ref<ShapeLogCollector> collector) {
  if (!is_current(client)) return;
  attached_ = collector;
  send_after<&ConnectionManager::settled>(k_settles_after, client);
  cast<&SchemaReconciler::connected>(names::schema_reconciler, client.id);
  end_stale_session();
}

void ConnectionManager::reconciler_started() {
  if (attached_) cast<&SchemaReconciler::connected>(names::schema_reconciler, client_.id);
}

void ConnectionManager::end_stale_session() {
  const bool stale = attached_ && collector_ && attached_ != collector_;
  if (stale && context_->guards.on(Guard::session_ends_with_its_collector))
    send_exit(client_.id, runtime::ExitReason::shutdown());
}

void ConnectionManager::publication_missing() {
  if (attached_) send_exit(client_.id, runtime::ExitReason::shutdown());
}

void ConnectionManager::settled(runtime::Ref<ReplicationClient> client) {
  if (is_current(client)) failures_ = 0;
}

void ConnectionManager::client_failed(env::DatabaseError error) {
  needs_a_person_ = needs_a_person(error.kind);
  slot_is_useless_ = slot_is_useless_ || error.kind == env::DatabaseFailure::no_publication;
  cast<&StatusMonitor::explain>(names::status_monitor, error.message);
  context_->emit({needs_a_person_ ? observe::Level::error : observe::Level::warning,
                  "database_connection_failed",
                  {{"reason", error.message}, {"sqlstate", error.sqlstate}}});
}

void ConnectionManager::on_linked_exit(runtime::ProcessId process, const runtime::ExitReason&) {
  if (process != client_.id) return;
  client_ = {};
  attached_.reset();
  waiting_for_lock_ = false;
  cast<&ConnectionPool::drop_idle>(names::connection_pool);
  context_->reached(Mark::replication_reconnected);
  retry_later();
}

void ConnectionManager::retry_later() {
  const unsigned doublings = std::min(failures_++, 6U);
  Duration delay = std::min(context_->options.reconnect_backoff_min * (1 << doublings),
                            context_->options.reconnect_backoff_max);
  // The engine stays, since reads go on and a password may be changed meanwhile.
  if (std::exchange(needs_a_person_, false)) delay = context_->options.reconnect_backoff_max;
  send_after<&ConnectionManager::connect>(delay);
}

}  // namespace holdfast::stack
