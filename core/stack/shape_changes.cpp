#include "core/stack/shape_changes.hpp"

#include "core/stack/connection/status_monitor.hpp"

namespace holdfast::stack {

void ShapeChanges::subscribe(protocol::ShapeHandle handle, runtime::Ref<Waiter> waiter) {
  auto& waiters = by_handle_[handle];
  if (waiters.contains(waiter)) return;
  const runtime::MonitorRef ref = monitor(waiter.id);
  waiters.emplace(waiter, ref);
  by_monitor_.emplace(ref, Subscription{std::move(handle), waiter});
  if (polling_) return;
  polling_ = true;
  send_after<&ShapeChanges::poll>(context_->options.standby_poll);
}

std::vector<protocol::ShapeHandle> ShapeChanges::waited_for() const {
  std::vector<protocol::ShapeHandle> handles;
  for (const auto& [handle, waiters] : by_handle_) handles.push_back(handle);
  return handles;
}

void ShapeChanges::changed(std::vector<protocol::ShapeHandle> handles) {
  for (const protocol::ShapeHandle& handle : handles) {
    const auto shape = by_handle_.find(handle);
    if (shape == by_handle_.end()) continue;
    for (const auto& [waiter, ref] : shape->second) cast<&Waiter::wake>(waiter);
  }
}

void ShapeChanges::snapshot_delayed(std::vector<protocol::ShapeHandle> handles, std::string why) {
  for (const protocol::ShapeHandle& handle : handles) {
    const auto shape = by_handle_.find(handle);
    if (shape == by_handle_.end()) continue;
    for (const auto& [waiter, ref] : shape->second) cast<&Waiter::snapshot_delayed>(waiter, why);
  }
}

void ShapeChanges::all_changed() {
  for (const auto& [ref, subscription] : by_monitor_) cast<&Waiter::wake>(subscription.waiter);
}

void ShapeChanges::poll() {
  polling_ = !by_monitor_.empty();
  if (!polling_) return;
  send_after<&ShapeChanges::poll>(context_->options.standby_poll);
  if (!read_status(runtime()).catalogue_current) all_changed();
}

void ShapeChanges::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                           const runtime::ExitReason&) {
  const auto found = by_monitor_.find(ref);
  if (found == by_monitor_.end()) return;
  const auto shape = by_handle_.find(found->second.handle);
  if (shape != by_handle_.end()) {
    shape->second.erase(found->second.waiter);
    if (shape->second.empty()) by_handle_.erase(shape);
  }
  by_monitor_.erase(found);
}

}  // namespace holdfast::stack
