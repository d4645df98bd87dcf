#include "core/stack/shape_cleaner.hpp"

#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::stack {
namespace {

constexpr Duration k_retry_delay = std::chrono::seconds(1);

}  // namespace

void ShapeCleaner::init() {
  cast<&ShapeCleaner::look_for_unfinished>(runtime::Ref<ShapeCleaner>{self()});
}

void ShapeCleaner::look_for_unfinished() {
  try {
    // What a predecessor asked for is done when this is answered, or will never be.
    call<&StoreProcess::origin>(names::store);
  } catch (const runtime::ProcessExit&) {
    return;  // the store's end is this one's as well: the next cleaner looks
  }
  auto boot = context_->readers->with_reader("store.load",
                                             [](storage::Reader& reader) { return reader.load(); });
  if (boot.ok()) return resume(std::move(boot->unfinished_removals));
  // Without a store there is nothing to finish; one that cannot be read now is read later.
  if (boot.error().kind == storage::StoreFailure::not_found) return;
  send_after<&ShapeCleaner::look_for_unfinished>(k_retry_delay);
}

storage::StoreResult<void> ShapeCleaner::remove(protocol::ShapeHandle handle, std::string reason) {
  context_->emit(
      {observe::Level::info, "shape_removed", {{"handle", handle.text}, {"reason", reason}}});
  auto removed = call<&StoreProcess::remove>(names::store, handle, std::move(reason));
  if (!removed.ok()) return removed.failure();
  yield_point("removal.committed");
  for (const protocol::ShapeHandle& gone : *removed)
    call<&ShapeStatusOwner::forget>(names::shape_status_owner, gone);
  return {};
}

storage::StoreResult<std::size_t> ShapeCleaner::expire(std::vector<protocol::ShapeHandle> chosen,
                                                       std::size_t limit) {
  const auto living = runtime::TableRef(runtime(), tables::shape_meta).rows();
  const std::size_t count = living.found() ? living.value().size() : 0;
  chosen.resize(std::min(chosen.size(), count - std::min(count, limit)));
  for (protocol::ShapeHandle& handle : chosen) {
    const auto removed = remove(std::move(handle), "expired");
    if (!removed.ok()) return removed.failure();
    context_->reached(Mark::shape_expired);
  }
  return chosen.size();
}

void ShapeCleaner::remove_faulty(protocol::ShapeHandle handle, std::string reason) {
  // The last of the subsystem to start and the first to stop.
  const bool whole = runtime().whereis(names::shape_cache.text).valid();
  if (!whole && context_->guards.on(Guard::no_removal_while_stopping)) return;
  // Whoever gave the shape up does nothing more for it.
  if (!remove(handle, reason).ok())
    send_after<&ShapeCleaner::remove_faulty>(k_retry_delay, std::move(handle), std::move(reason));
}

void ShapeCleaner::finish(protocol::ShapeHandle handle) {
  try {
    // Routing and consumer. Without a collector there is neither: its successor reads the
    // catalogue.
    call<&ShapeLogCollector::remove_shape>(names::shape_log_collector, handle);
    yield_point("removal.unrouted");
    auto finished = call<&StoreProcess::finish_removal>(names::store, handle);
    if (finished.ok()) return;
  } catch (const runtime::ProcessExit& gone) {
    context_->reached(Mark::removal_committed_without_collector);
    // Every reason alike: the step was not done, so it is done later. The removal itself is
    // durable.
    context_->emit({observe::Level::debug,
                    "removal_step_delayed",
                    {{"handle", handle.text}, {"reason", gone.reason.to_string()}}});
  }
  send_after<&ShapeCleaner::finish>(k_retry_delay, std::move(handle));
}

void ShapeCleaner::resume(std::vector<storage::RemovedShape> unfinished) {
  for (storage::RemovedShape& shape : unfinished) {
    context_->reached(Mark::removal_resumed_at_boot);
    send_after<&ShapeCleaner::finish>(k_retry_delay, std::move(shape.handle));
  }
}

}  // namespace holdfast::stack
