#include "core/stack/store_process.hpp"

#include <algorithm>
#include <utility>

#include "core/base/mark_list.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::stack {
namespace {

storage::StoreError not_open() {
  return {storage::StoreFailure::io, "the store is not open: this instance does not hold the lock"};
}

constexpr Duration k_maintenance_delay = std::chrono::milliseconds(100);

}  // namespace

template <class F>
auto StoreProcess::on_store(const char* label, F use) -> std::invoke_result_t<F, storage::Store&> {
  using R = std::invoke_result_t<F, storage::Store&>;
  if (!origin_) return Failure{not_open()};
  R result = runtime::run_job(
      *context_->environment.write_worker, label,
      [slot = context_->store, use = std::move(use)]() mutable -> R { return use(*slot->store); });
  if (!result.ok()) check(result.error());
  return result;
}

void StoreProcess::check(const storage::StoreError& error) {
  switch (error.kind) {
    case storage::StoreFailure::unknown_outcome:
    case storage::StoreFailure::fenced:
    case storage::StoreFailure::corrupt:
    case storage::StoreFailure::foreign:
      context_->store->set_index(nullptr);
      context_->emit({observe::Level::error, "store_failed", {{"reason", error.message}}});
      yield_point("store.failed");
      exit(runtime::ExitReason::crash("store: " + error.message));
    case storage::StoreFailure::io:
    case storage::StoreFailure::not_found:
      return;
  }
}

void StoreProcess::init() {
  // A job of a killed predecessor may still run, and may still commit: wait, then start from what
  // it left. The old connection is closed where it was used.
  context_->environment.write_worker->drain();
  context_->store->set_index(nullptr);
  runtime::run_job(*context_->environment.write_worker, "store.close",
                   [slot = context_->store] { slot->store.reset(); });
}

storage::StoreResult<void> StoreProcess::take_over() {
  context_->store->set_index(nullptr);
  origin_.reset();
  collector_.reset();
  const Instant asked = now();
  auto boot = runtime::run_job(*context_->environment.write_worker, "store.take_over",
                               [context = context_]() -> storage::StoreResult<storage::Boot> {
                                 StoreSlot& slot = *context->store;
                                 slot.store.reset();
                                 auto opened = context->environment.stores->open_store(
                                     *context->environment.disk, context->options.store);
                                 if (!opened.ok()) return opened.failure();
                                 slot.store = std::move(*opened);
                                 return slot.store->take_over();
                               });
  if (!boot.ok()) {
    context_->emit({observe::Level::error, "store_unusable", {{"reason", boot.error().message}}});
    cast<&StatusMonitor::explain>(names::status_monitor, boot.error().message);
    check(boot.error());
    return boot.failure();
  }
  epoch_ = boot->epoch;
  taken_over_ = now();
  context_->store->epoch_was_ours(asked);
  origin_ = StoreOrigin{boot->system_identity, boot->applied.value != 0 || !boot->shapes.empty(),
                        boot->confirmable};
  context_->store->set_index(
      runtime::run_job(*context_->environment.write_worker, "store.index",
                       [slot = context_->store] { return slot->store->journal_index(); }));
  context_->reached(Mark::takeover);
  context_->emit(
      {observe::Level::info,
       "store_taken_over",
       {{"epoch", std::to_string(epoch_)}, {"shapes", std::to_string(boot->shapes.size())}}});
  schedule_maintenance();  // what was removed before this start may not all be collected
  yield_point("takeover.store");
  const auto found = show(std::move(*boot));
  cast<&ShapeCleaner::resume>(names::shape_cleaner, found->unfinished_removals);
  return {};
}

std::shared_ptr<const storage::Boot> StoreProcess::show(storage::Boot boot) {
  auto found = std::make_shared<const storage::Boot>(std::move(boot));
  try {
    call<&ShapeStatusOwner::refresh>(names::shape_status_owner, found);
  } catch (const runtime::ProcessExit&) {
    // It is late, or has ended, and then everything that reads from it begins anew.
  }
  return found;
}

storage::StoreResult<std::vector<storage::ShapeRecord>> StoreProcess::create(
    storage::NewShape shape) {
  auto created = on_store(
      "store.create", [shape = std::move(shape)](storage::Store& s) { return s.create(shape); });
  if (created.ok()) origin_->has_state = true;
  return created;
}

bool StoreProcess::still_leads() {
  if (!origin_) return false;
  const Instant asked = now();
  const auto epoch = context_->readers->with_reader(
      "store.epoch", [](storage::Reader& reader) { return reader.epoch(); });
  if (!epoch.ok()) exit(runtime::ExitReason::crash("store: " + epoch.error().message));
  if (*epoch == epoch_) {
    context_->store->epoch_was_ours(asked);
    return true;
  }
  context_->reached(Mark::another_leader_seen);
  check({storage::StoreFailure::fenced, "storage epoch is " + std::to_string(*epoch) +
                                            ", this instance holds " + std::to_string(epoch_)});
  return false;
}

void StoreProcess::outlast_leases() {
  const Instant over = taken_over_ + StoreSlot::k_lease;
  if (now() < over) sleep(over - now());
}

storage::StoreResult<std::shared_ptr<const storage::Boot>> StoreProcess::begin_session(
    runtime::Ref<ShapeLogCollector> collector) {
  collector_ = collector;
  auto cut = on_store("store.cut", [](storage::Store& s) { return s.cut_unfinished(); });
  if (!cut.ok()) return cut.failure();
  if (*cut) {
    epoch_ = (*cut)->epoch;
    context_->reached(Mark::unfinished_transaction_cut);
  }
  auto boot = context_->readers->with_reader("store.load",
                                             [](storage::Reader& reader) { return reader.load(); });
  if (!boot.ok()) return boot.failure();
  return show(std::move(*boot));
}

void StoreProcess::commit(runtime::Ref<ShapeLogCollector> collector, std::uint64_t ticket,
                          std::shared_ptr<const storage::Group> group) {
  if (collector_ != collector) return;
  const Instant begun = now();
  auto result = on_store("store.commit", [group](storage::Store& s) { return s.commit(*group); });
  if (!result.ok()) {
    // Nothing was changed, but the collector's working state is ahead of the store: both start
    // anew.
    context_->emit({observe::Level::error, "commit_failed", {{"reason", result.error().message}}});
    exit(runtime::ExitReason::crash("commit: " + result.error().message));
  }
  context_->store->epoch_was_ours(begun);
  origin_->has_state = true;
  origin_->confirmable = std::max(origin_->confirmable, group->confirmable);
  cast<&ShapeLogCollector::committed>(collector, ticket, std::move(*result));
  schedule_maintenance();
}

storage::StoreResult<void> StoreProcess::write_state(storage::Group group) {
  auto result = on_store("store.commit",
                         [group = std::move(group)](storage::Store& s) { return s.commit(group); });
  if (!result.ok()) return result.failure();
  return {};
}

storage::StoreResult<std::vector<protocol::ShapeHandle>> StoreProcess::remove(
    protocol::ShapeHandle handle, std::string reason) {
  outlast_leases();
  auto ending = on_store("store.would_remove",
                         [handle](storage::Store& s) { return s.would_remove(handle); });
  if (!ending.ok() || ending->empty()) return ending;
  const std::int64_t at = wall_time().unix_us;
  return remove_ending(*ending, [&] {
    return on_store("store.remove", [handle, reason, at](storage::Store& s) {
      return s.remove(handle, reason, at);
    });
  });
}

template <class F>
storage::StoreResult<std::vector<protocol::ShapeHandle>> StoreProcess::remove_ending(
    const std::vector<protocol::ShapeHandle>& ending, F removal) {
  try {
    call<&ShapeStatusOwner::set_ending>(names::shape_status_owner, ending, true);
  } catch (const runtime::ProcessExit&) {
    // It has ended: its successor is not believed before it was shown what the store has, which
    // comes after this removal. Or it is late by the longest time that a call waits.
  }
  auto removed = removal();
  if (removed.ok())
    tell_of_removal(*removed);
  else
    cast<&ShapeStatusOwner::set_ending>(names::shape_status_owner, ending, false);
  return removed;
}

void StoreProcess::tell_of_removal(const std::vector<protocol::ShapeHandle>& removed) {
  for (const protocol::ShapeHandle& gone : removed) {
    cast<&ShapeStatusOwner::forget>(names::shape_status_owner, gone);
    cast<&ShapeCleaner::finish>(names::shape_cleaner, gone);
  }
}

storage::StoreResult<void> StoreProcess::finish_removal(protocol::ShapeHandle handle) {
  auto finished = on_store("store.finish_removal", [handle = std::move(handle)](storage::Store& s) {
    return s.finish_removal(handle);
  });
  if (finished.ok()) schedule_maintenance();  // its data can go
  return finished;
}

storage::StoreResult<void> StoreProcess::reset(std::string reason, std::string system_identity,
                                               postgres::Lsn slot_position) {
  outlast_leases();
  const std::int64_t at = wall_time().unix_us;
  std::vector<protocol::ShapeHandle> shown;
  if (const auto rows = runtime::TableRef(runtime(), tables::shape_meta).rows(); rows.found())
    for (const auto& [handle, meta] : rows.value()) shown.push_back(handle);
  const auto removed = remove_ending(shown, [&] {
    return on_store("store.reset",
                    [reason, at](storage::Store& s) { return s.remove_all(reason, at); });
  });
  if (!removed.ok()) return removed.failure();
  origin_->confirmable = {};
  return set_origin(std::move(system_identity), slot_position);
}

storage::StoreResult<void> StoreProcess::set_origin(std::string system_identity,
                                                    postgres::Lsn slot_position) {
  // Two commits; no shape is there before both are made, and without shapes nothing is compared.
  storage::Group position;
  position.confirmable = slot_position;
  if (auto set =
          on_store("store.commit", [position](storage::Store& s) { return s.commit(position); });
      !set.ok())
    return set.failure();
  auto stored = on_store("store.set_identity", [system_identity](storage::Store& s) {
    return s.set_system_identity(system_identity);
  });
  if (stored.ok())
    origin_ = StoreOrigin{std::move(system_identity), true,
                          std::max(origin_->confirmable, slot_position)};
  return stored;
}

storage::StoreResult<void> StoreProcess::spill(runtime::ProcessId writer,
                                               protocol::ShapeHandle handle, std::uint64_t position,
                                               std::string bytes) {
  const bool known = spills_.contains(writer);
  Spill& spill = spills_[writer];
  if (!known) monitor(writer);
  if (position == 0) {
    auto opened = on_store("store.spill_open",
                           [handle](storage::Store& s) { return s.write_snapshot(handle); });
    if (!opened.ok()) return opened.failure();
    spill = {std::move(*opened), 0};
  }
  ASSERT(position == spill.size, "what is spilled comes in order, and once");
  spill.size += bytes.size();
  return on_store("store.spill", [segment = spill.writer, bytes = std::move(bytes)](
                                     storage::Store&) { return segment->append(bytes); });
}

storage::StoreResult<std::string> StoreProcess::finish_spill(runtime::ProcessId writer) {
  const auto found = spills_.find(writer);
  ASSERT(found != spills_.end(), "a spill is finished by the process that began it");
  auto segment = std::exchange(found->second, {}).writer;
  return on_store("store.spill_finish", [segment](storage::Store&) { return segment->finish(); });
}

void StoreProcess::on_down(runtime::MonitorRef, runtime::ProcessId writer,
                           const runtime::ExitReason&) {
  spills_.erase(writer);
}

void StoreProcess::schedule_maintenance() {
  if (std::exchange(maintenance_scheduled_, true)) return;
  send_after<&StoreProcess::maintain>(k_maintenance_delay);
}

void StoreProcess::maintain() {
  maintenance_scheduled_ = false;
  auto result = on_store("store.maintain", [](storage::Store& s) { return s.maintain(); });
  if (result.ok() && result->sealed) context_->reached(Mark::journal_sealed);
  if (result.ok() && result->rewritten) context_->reached(Mark::segment_rewritten);
  if (!result.ok() || result->more) schedule_maintenance();
}

}  // namespace holdfast::stack
