#include "core/stack/shape_status_owner.hpp"

#include <set>

#include "core/base/guard_list.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/shape_changes.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::stack {

void ShapeStatusOwner::init() {
  auto boot = context_->readers->with_reader("store.load",
                                             [](storage::Reader& reader) { return reader.load(); });
  // Rows first, then visible: between the two a reader sees Gone, never a shape that is missing.
  using runtime::TableStart;
  meta_ = std::make_unique<runtime::OwnedTable<protocol::ShapeHandle, ShapeMeta>>(
      *this, tables::shape_meta, TableStart::hidden);
  by_identity_ = std::make_unique<runtime::OwnedTable<Hash128, protocol::ShapeHandle>>(
      *this, tables::shape_by_identity, TableStart::hidden);
  by_request_ = std::make_unique<runtime::OwnedTable<std::string, protocol::ShapeHandle>>(
      *this, tables::shape_by_request);
  quarantined_ = std::make_unique<runtime::OwnedTable<protocol::ShapeHandle, std::string>>(
      *this, tables::quarantined);
  lsn_ = std::make_unique<runtime::OwnedTable<std::uint8_t, LsnRow>>(*this, tables::lsn_tracker,
                                                                     TableStart::hidden);
  if (boot.ok()) {
    for (const storage::ShapeRecord& record : boot->shapes) put(record);
    lsn_->put(0, {boot->applied});
  } else if (boot.error().kind != storage::StoreFailure::not_found) {
    context_->emit({observe::Level::error, "store_unusable", {{"reason", boot.error().message}}});
    cast<&StatusMonitor::explain>(names::status_monitor, boot.error().message);
    exit(runtime::ExitReason::crash("catalogue: " + boot.error().message));
  }
  by_identity_->open();
  meta_->open();
  lsn_->open();
  cast<&StatusMonitor::set>(names::status_monitor, Condition::shape_metadata_ready, self());
}

void ShapeStatusOwner::list_quarantine(const protocol::ShapeHandle& handle,
                                       const std::string& reason) {
  if (reason.empty())
    quarantined_->erase(handle);
  else
    quarantined_->put(handle, reason);
}

void ShapeStatusOwner::set_quarantine(protocol::ShapeHandle handle, std::string reason) {
  if (!meta_->update(handle, [&](ShapeMeta& meta) { meta.quarantine = reason; })) return;
  list_quarantine(handle, reason);
  cast<&ShapeChanges::changed>(names::shape_changes, std::vector{std::move(handle)});
}

void ShapeStatusOwner::put(const storage::ShapeRecord& record) {
  if (record.role == storage::ShapeRole::inner) return;  // nobody asks for it
  list_quarantine(record.handle, record.quarantine);
  // What a handle stands for never changes, so it is read once.
  const bool known =
      meta_->update(record.handle, [&](ShapeMeta& meta) { set_progress(meta, record); });
  if (known) return;
  ShapeMeta meta = shape_meta_from(record);
  by_request_->put(meta.definition->request_key(), record.handle);
  meta_->put(record.handle, std::move(meta));
  by_identity_->put(record.identity, record.handle);
}

void ShapeStatusOwner::refresh(std::shared_ptr<const storage::Boot> found) {
  std::set<protocol::ShapeHandle> live;
  for (const storage::ShapeRecord& record : found->shapes) {
    put(record);
    live.insert(record.handle);
  }
  std::vector<protocol::ShapeHandle> stale;
  for (const auto& [handle, meta] : meta_->rows())
    if (!live.contains(handle)) stale.push_back(handle);
  for (protocol::ShapeHandle& handle : stale) forget(std::move(handle));
  lsn_->put(0, {found->applied});
  cast<&StatusMonitor::set>(names::status_monitor, Condition::catalogue_current, self());
  if (context_->guards.on(Guard::refresh_wakes_everyone))
    cast<&ShapeChanges::all_changed>(names::shape_changes);
}

void ShapeStatusOwner::add(storage::ShapeRecord record) {
  if (!meta_->find(record.handle)) put(record);
}

void ShapeStatusOwner::committed(Committed what) {
  for (const auto& completed : what.completed)
    meta_->update(completed.first, [&](ShapeMeta& meta) {
      meta.snapshot_complete = true;
      meta.snapshot = completed.second;
    });
  std::vector<protocol::ShapeHandle> changed;
  for (const storage::ShapeHead& head : what.heads) {
    const bool known = meta_->update(head.handle, [&](ShapeMeta& meta) {
      ASSERT(meta.head <= head.head, "the visible head of a live shape never goes back (I-8)");
      meta.head = head.head;
      meta.snapshot_chunks = head.snapshot_chunks;
    });
    if (known) changed.push_back(head.handle);
  }
  for (const auto& [handle, from] : what.waiting)
    meta_->update(handle, [from = from](ShapeMeta& meta) { meta.waiting_from = from; });
  // Heads before the position: what a reader finds at the position is then in the heads (I-22).
  if (what.processed.value != 0)
    lsn_->update(0, [&](LsnRow& row) { row.processed = std::max(row.processed, what.processed); });
  if (!changed.empty()) cast<&ShapeChanges::changed>(names::shape_changes, std::move(changed));
}

void ShapeStatusOwner::set_ending(std::vector<protocol::ShapeHandle> handles, bool ending) {
  for (const protocol::ShapeHandle& handle : handles)
    meta_->update(handle, [&](ShapeMeta& meta) { meta.ending = ending; });
}

void ShapeStatusOwner::forget(protocol::ShapeHandle handle) {
  const auto meta = meta_->find(handle);
  if (!meta) return;
  const auto forget_row = [&](auto& table, const auto& key) {
    const auto named = table.find(key);
    if (named && *named == handle) table.erase(key);
  };
  forget_row(*by_identity_, meta->definition->identity());
  forget_row(*by_request_, meta->definition->request_key());
  meta_->erase(handle);
  quarantined_->erase(handle);
  cast<&ShapeChanges::changed>(names::shape_changes, std::vector{std::move(handle)});
}

}  // namespace holdfast::stack
