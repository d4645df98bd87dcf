// The collector's shapes and their consumers: started, ended, started again, and given what they
// have not answered.
#include <algorithm>
#include <set>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/consumer.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_changes.hpp"
#include "core/stack/shape_cleaner.hpp"

namespace holdfast::stack {

void ShapeLogCollector::add_shape(ShapeMeta meta) {
  if (shapes_.contains(meta.handle)) return;
  const protocol::ShapeHandle handle = meta.handle;
  add(std::move(meta));
  Shape& added = shapes_.at(handle);
  // Who is concerned by its changes is another question now.
  layouts_.erase(added.meta.definition->relation().oid);
  if (rests_on_quarantine(added)) return quarantine(handle, std::string(k_rests_on_quarantine));
  ensure_consumer_or_retry(added);
  subscribe();
  advance();
}

void ShapeLogCollector::add(ShapeMeta meta) {
  Shape shape;
  shape.meta = std::move(meta);
  shape.takes_part_from = pipeline_.next_number();
  const protocol::ShapeHandle& handle = shape.meta.handle;
  router_.add(handle, shape.meta.definition);
  for (std::size_t dependency = 0; dependency < shape.meta.inners.size(); ++dependency) {
    const auto inner = shapes_.find(shape.meta.inners[dependency]);
    if (inner == shapes_.end()) continue;  // removed by now, and this shape with it
    inner->second.dependents.emplace_back(handle, dependency);
    shape.ancestors.push_back(inner->first);
    const auto& below = inner->second.ancestors;
    shape.ancestors.insert(shape.ancestors.end(), below.begin(), below.end());
  }
  shapes_.emplace(handle, std::move(shape));
}

void ShapeLogCollector::remove_shape(protocol::ShapeHandle handle) {
  const auto found = shapes_.find(handle);
  if (found == shapes_.end()) return;
  router_.remove(handle);
  if (found->second.consumer) {
    demonitor(found->second.monitor);
    monitors_.erase(found->second.monitor);
    send_exit(found->second.consumer->id,
              runtime::ExitReason::shutdown(runtime::ShutdownCause::removed));
  }
  for (const protocol::ShapeHandle& inner : found->second.meta.inners)
    if (const auto below = shapes_.find(inner); below != shapes_.end())
      std::erase_if(below->second.dependents,
                    [&](const auto& dependent) { return dependent.first == handle; });
  for (auto* handles : {&waiting_, &unsubscribed_, &may_subscribe_, &positions_, &fragmented_})
    handles->erase(handle);
  shapes_.erase(found);
  std::erase_if(completing_, [&](const auto& entry) { return entry.first == handle; });
  if (context_->guards.on(Guard::removed_shape_owes_nothing)) pipeline_.forget(handle);
  send_all_waiting();
  advance();
}

void ShapeLogCollector::snapshot_delayed(protocol::ShapeHandle handle, SnapshotDelay by,
                                         std::string why) {
  const auto found = shapes_.find(handle);
  if (found == shapes_.end() || found->second.meta.snapshot_complete) return;
  const postgres::Oid table = found->second.meta.definition->relation().oid;
  std::set<protocol::ShapeHandle> delayed{handle};
  for (const auto& [other, shape] : shapes_)
    if (by == SnapshotDelay::table_lock && !shape.meta.snapshot_complete &&
        shape.meta.definition->relation().oid == table)
      delayed.insert(other);
  std::vector<protocol::ShapeHandle> told;
  for (const auto& [other, shape] : shapes_) {
    const auto is_delayed = [&](const auto& one) { return delayed.contains(one); };
    if (is_delayed(other) ||
        std::any_of(shape.ancestors.begin(), shape.ancestors.end(), is_delayed))
      told.push_back(other);
  }
  cast<&ShapeChanges::snapshot_delayed>(names::shape_changes, std::move(told), std::move(why));
}

bool ShapeLogCollector::needs_consumer(const Shape& shape) {
  if (shape.set_aside()) return false;
  return !shape.meta.snapshot_complete || shape.meta.has_state() || !shape.undelivered.empty();
}

void ShapeLogCollector::ensure_consumer_or_retry(Shape& shape) {
  if (!ensure_consumer(shape))
    send_after<&ShapeLogCollector::retry_start>(k_restart_delay, shape.meta.handle);
}

bool ShapeLogCollector::ensure_consumer(Shape& shape) {
  if (shape.consumer) return true;
  // It begins with what the store holds, so that must be all that its predecessor contributed.
  if (shape.meta.has_state() && pipeline_.holds_state_of(shape.meta.handle)) return false;
  try {
    runtime::ChildSpec child = consumer_child(context_, shape.meta, {self()});
    if (shape.start_unheard)
      call<&runtime::Supervisor::terminate_child>(names::consumers, child.role, child.key);
    shape.start_unheard = true;
    auto started = call<&runtime::Supervisor::start_child>(names::consumers, std::move(child));
    shape.start_unheard = false;
    if (!started.ok()) return false;
    shape.consumer = runtime::Ref<Consumer>{*started};
  } catch (const runtime::ProcessExit&) {
    return false;  // whatever the reason: no consumer now, and that says nothing about the shape
  }
  if (!shape.meta.snapshot_complete) shape.takes_part_from = pipeline_.next_number();
  shape.loaded = !shape.meta.has_state();
  shape.monitor = monitor(shape.consumer->id);
  monitors_.emplace(shape.monitor, shape.meta.handle);
  if (!shape.meta.inners.empty()) {
    unsubscribed_.insert(shape.meta.handle);
    may_subscribe_.insert(shape.meta.handle);
  }
  for (std::size_t i = 0; i < shape.sent; ++i)
    cast<&Consumer::deliver>(*shape.consumer, shape.undelivered[i]);
  return true;
}

void ShapeLogCollector::send_waiting(Shape& shape) {
  auto& undelivered = shape.undelivered;
  while (shape.sent < undelivered.size() && !may_still_get(shape, undelivered[shape.sent]->batch)) {
    const auto& delivery = undelivered[shape.sent++];
    if (shape.consumer) {
      cast<&Consumer::deliver>(*shape.consumer, delivery);
    } else if (!shape.meta.has_state()) {  // those with state are about to start anyway
      context_->reached(Mark::consumer_started_lazily);
      ensure_consumer_or_retry(shape);
    }
  }
  if (shape.sent < undelivered.size())
    waiting_.insert(shape.meta.handle);
  else
    waiting_.erase(shape.meta.handle);
}

void ShapeLogCollector::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                                const runtime::ExitReason& reason) {
  if (ref == probe_) {  // without an answer
    probe_.reset();
    if (visibility_is_old_) send_after<&ShapeLogCollector::ask_visibility>(k_restart_delay);
    return;
  }
  const auto entry = monitors_.find(ref);
  if (entry == monitors_.end()) return;
  const protocol::ShapeHandle handle = entry->second;
  monitors_.erase(entry);
  const auto shape = shapes_.find(handle);
  if (shape == shapes_.end()) return;
  // Whatever it died of, the shape lives (I-48): its state is in the store, its input is here.
  shape->second.consumer.reset();
  if (reason.kind == runtime::ExitKind::crash &&
      !context_->guards.on(Guard::consumer_crash_is_not_removal))
    return cast<&ShapeCleaner::remove_faulty>(names::shape_cleaner, handle,
                                              "consumer_crashed: " + reason.what);
  if (!context_->guards.on(Guard::redeliver_to_restarted_consumer)) {
    shape->second.undelivered.clear();
    shape->second.sent = 0;
    waiting_.erase(handle);
    pipeline_.forget(handle);
    advance();
  }
  shape->second.query = 0;
  if (shape->second.meta.has_state()) {
    pipeline_.release(handle, shape->second.ancestors);
    hand_out_groups();
  }
  consumer_died(handle, reason);
}

void ShapeLogCollector::loaded(protocol::ShapeHandle handle) {
  if (const auto shape = shapes_.find(handle); shape != shapes_.end()) shape->second.loaded = true;
}

void ShapeLogCollector::retry_start(protocol::ShapeHandle handle) {
  const auto shape = shapes_.find(handle);
  if (shape == shapes_.end() || shape->second.consumer || !needs_consumer(shape->second)) return;
  if (!shape->second.undelivered.empty()) context_->reached(Mark::consumer_restarted_with_input);
  ensure_consumer_or_retry(shape->second);
  subscribe();
  advance();
}

}  // namespace holdfast::stack
