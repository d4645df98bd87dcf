#include "core/stack/shape_cache.hpp"

#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::stack {

void ShapeCache::init() {
  cast<&ShapeLogCollector::mark_as_ready>(names::shape_log_collector);
  cast<&StatusMonitor::set>(names::status_monitor, Condition::processes_ready, self());
}

storage::StoreResult<protocol::ShapeHandle> ShapeCache::create_or_find(
    std::shared_ptr<const shape::Definition> definition) {
  // The store answers the live shape if there is one, in the same transaction in which it would
  // make one: no look-up before it could be right.
  auto created = call<&StoreProcess::create>(names::store, family_of(*definition));
  if (!created.ok()) return created.failure();
  yield_point("creation.durable");
  for (const storage::ShapeRecord& record : *created)
    call<&ShapeStatusOwner::add>(names::shape_status_owner, record);
  yield_point("creation.visible");
  // Inner shapes come first, so that whoever refers to them finds them.
  for (const storage::ShapeRecord& record : *created)
    call<&ShapeLogCollector::add_shape>(names::shape_log_collector, shape_meta_from(record));
  for (const storage::ShapeRecord& record : *created) forget_if_removed(record.handle);
  return created->back().handle;
}

// A removal of the shape may have gone by meanwhile, and have found nothing to forget here. One
// that comes later finds it.
void ShapeCache::forget_if_removed(const protocol::ShapeHandle& handle) {
  auto still = context_->readers->with_reader(
      "store.find", [handle](storage::Reader& reader) { return reader.find(handle); });
  if (!still.ok() || still->live) return;
  call<&ShapeStatusOwner::forget>(names::shape_status_owner, handle);
  call<&ShapeLogCollector::remove_shape>(names::shape_log_collector, handle);
}

}  // namespace holdfast::stack
