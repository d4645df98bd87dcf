// What the collector confirms to Postgres: positions that are durable, that every later snapshot
// sees all of (F-28), and that the store holds, so that the next start knows whether the slot it
// finds is the one that was confirmed to (F-114). While nothing passes, nothing is asked.
#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/replication_client.hpp"
#include "core/stack/connection/visibility_probe.hpp"
#include "core/stack/log/shape_log_collector.hpp"

namespace holdfast::stack {
namespace {

/// What became confirmable is confirmed within about this time: one small question to Postgres
/// each.
constexpr Duration k_confirmation_interval = std::chrono::seconds(5);

}  // namespace

void ShapeLogCollector::durable(postgres::Lsn confirmable) {
  confirmable_ = std::max(confirmable_, confirmable);
  if (server_shuts_down_) confirm();
  tell_client();
  expect_confirmation();
}

void ShapeLogCollector::expect_confirmation() {
  if (confirmation_expected_ || confirmable_ <= confirmed_) return;
  confirmation_expected_ = true;
  send_after<&ShapeLogCollector::confirm_due>(k_confirmation_interval);
}

void ShapeLogCollector::confirm_due() {
  confirmation_expected_ = false;
  if (visibility_.unseen() == 0)
    confirm();
  else
    ask_visibility();
  expect_confirmation();
}

void ShapeLogCollector::ask_visibility() {
  if (probe_) return;
  try {
    auto started = call<&runtime::Supervisor::start_child>(
        names::snapshotters,
        visibility_probe_child(context_, {self()}, ++probes_, std::move(probe_session_)));
    probe_session_.reset();
    if (started.ok()) probe_ = monitor(*started);
  } catch (const runtime::ProcessExit&) {
    // No supervisor now, for whatever reason: asked again when it is time.
  }
}

void ShapeLogCollector::visible(postgres::Snapshot snapshot, SharedSession session) {
  if (probe_) demonitor(*probe_);
  probe_.reset();
  probe_session_ = std::move(session);
  visibility_is_old_ = false;
  if (std::exchange(slot_begins_, false)) visibility_.slot_begins(snapshot);
  visibility_.learned(std::move(snapshot));
  if (visibility_.unseen() > 0) context_->reached(Mark::confirmation_held_back);
  confirm();
  answer_client_if_room();
}

void ShapeLogCollector::server_shuts_down() {
  if (probe_) demonitor(*probe_);
  probe_.reset();
  server_shuts_down_ = true;
  confirm();
}

void ShapeLogCollector::confirm() {
  wanted_ = confirmable_;
  if (!server_shuts_down_ && context_->guards.on(Guard::confirm_only_what_is_visible)) {
    // What an earlier collector stored may still be invisible: of that this one knows nothing until
    // it has passed here, too.
    wanted_ = std::min(wanted_, passed_);
    if (const auto unseen = visibility_.first_unseen()) wanted_ = std::min(wanted_, *unseen);
  }
  if (wanted_ > stored_) {
    CommitPipeline::Extent position;
    position.confirmable = wanted_;
    position.must_write = true;
    position.left_open = left_open();
    pipeline_.open(position, {});
    advance();
  }
  tell_client();
}

void ShapeLogCollector::tell_client() {
  if (wanted_ <= confirmed_ || wanted_ > stored_) return;
  confirmed_ = wanted_;
  if (client_) cast<&ReplicationClient::confirm>(*client_, confirmed_);
}

}  // namespace holdfast::stack
