// Quarantine (design.md §7): a shape whose consumer dies three times on the same input does not
// hold the stream. What comes for it is set aside, durable with the commit that passes it, and its
// requests get 503 with the reason. From time to time it is tried again with all of that.
#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/set_aside_input.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"
#include "core/stack/store_slot.hpp"

namespace holdfast::stack {
namespace {

constexpr unsigned k_deaths = 3;
/// A second death on the same input is followed by a new start so much later.
constexpr Duration k_second_start_delay = std::chrono::milliseconds(100);
constexpr Duration k_open_transaction_delay = std::chrono::seconds(1);

/// Why a transaction ends the shape, unless its rows show it already: a start may replay one that
/// they do.
std::string_view ending(const DeliveredTransaction& delivered, const ShapeMeta& meta) {
  if (!meta.snapshot_complete || shows(meta.snapshot, *delivered.transaction)) return {};
  for (const std::uint32_t change : delivered.changes)
    if (const auto why = shape_ending(delivered.transaction->changes[change]); !why.empty())
      return why;
  return {};
}

storage::StateChange reason_entry(const protocol::ShapeHandle& handle, std::string reason) {
  return {handle, storage::k_quarantine_space, std::string(), std::move(reason)};
}

}  // namespace

void ShapeLogCollector::consumer_died(const protocol::ShapeHandle& handle,
                                      const runtime::ExitReason& reason) {
  Shape& shape = shapes_.at(handle);
  if (shape.quarantine) return quarantine(handle, reason.to_string());  // its trial
  if (rests_on_quarantine(shape)) return quarantine(handle, std::string(k_rests_on_quarantine));
  // What it lacked (its materializer, a reader) may still be missing.
  const bool lacked_something = shape.meta.has_state();
  const auto start = [&] {
    if (!lacked_something) return retry_start(handle);
    send_after<&ShapeLogCollector::retry_start>(k_restart_delay, handle);
  };
  if (shape.sent == 0 || !shape.loaded) return start();
  const BatchNumber input = shape.undelivered.front()->batch;
  shape.deaths = shape.died_on == input ? shape.deaths + 1 : 1;
  shape.died_on = input;
  if (shape.deaths == 1) return start();
  if (shape.deaths >= k_deaths && context_->guards.on(Guard::poisoned_shape_is_quarantined))
    return quarantine(handle, reason.to_string());
  send_after<&ShapeLogCollector::retry_start>(k_second_start_delay, handle);
}

void ShapeLogCollector::quarantine(const protocol::ShapeHandle& handle, std::string reason) {
  Shape& shape = shapes_.at(handle);
  context_->reached(Mark::shape_quarantined);
  context_->emit(
      {observe::Level::error, "shape_quarantined", {{"handle", handle.text}, {"reason", reason}}});
  leave_no_part(handle, reason);
  // Before any position that passes its input: no reader is told of one and finds the shape as it
  // was (I-5).
  if (context_->guards.on(Guard::quarantined_shape_is_unavailable))
    cast<&ShapeStatusOwner::set_quarantine>(names::shape_status_owner, handle, reason);
  const BatchNumber trial = shape.quarantine ? shape.quarantine->trial : 0;
  if (!shape.quarantine) shape.quarantine = Quarantine{};
  shape.quarantine->reason = std::move(reason);
  shape.quarantine->trial = 0;
  shape.deaths = 0;
  shape.sent = 0;
  shape.waits_for = {};
  for (auto* handles : {&waiting_, &unsubscribed_, &may_subscribe_, &positions_})
    handles->erase(handle);
  for (const auto& delivery : std::exchange(shape.undelivered, {})) {
    if (delivery->batch == trial)
      pipeline_.contribute({trial, handle, {}});
    else if (!set_aside(handle, *delivery))
      return;
  }
  send_after<&ShapeLogCollector::try_again>(context_->options.quarantine_retry, handle);
  quarantine_above(handle);
  send_all_waiting();
  advance();
}

bool ShapeLogCollector::rests_on_quarantine(const Shape& shape) const {
  return std::any_of(shape.ancestors.begin(), shape.ancestors.end(), [&](const auto& handle) {
    const auto inner = shapes_.find(handle);
    return inner != shapes_.end() && inner->second.quarantine;
  });
}

// Their logs would stand for results that do not move while the position does.
void ShapeLogCollector::quarantine_above(const protocol::ShapeHandle& handle) {
  const auto dependents = shapes_.at(handle).dependents;
  for (const auto& [above, dependency] : dependents) {
    const auto found = shapes_.find(above);
    if (found == shapes_.end() || found->second.set_aside()) continue;
    context_->reached(Mark::quarantined_with_its_subquery);
    // What a consumer has contributed by now comes before its end, and belongs to its log.
    if (found->second.consumer)
      send_exit(found->second.consumer->id, runtime::ExitReason::shutdown());
    else
      quarantine(above, std::string(k_rests_on_quarantine));
  }
}

void ShapeLogCollector::leave_no_part(const protocol::ShapeHandle& handle,
                                      const std::string& reason) {
  const Shape& shape = shapes_.at(handle);
  const bool on_trial = shape.quarantine.has_value();
  if (on_trial || !shape.meta.snapshot_complete || shape.undelivered.empty()) return;
  const auto& input = shape.undelivered.front()->transactions;
  if (input.empty() || input.front().transaction->commit_lsn.value != shape.meta.head.tx) return;
  // The shape has taken a part of the transaction, and whether that was the last shows only with
  // the rest. So the transaction comes again, to be set aside as a whole.
  storage::Group flag;
  flag.state.push_back(reason_entry(handle, reason));
  auto stored = call<&StoreProcess::write_state>(names::store, std::move(flag));
  if (!stored.ok()) exit(runtime::ExitReason::crash("quarantine: " + stored.error().message));
  context_->reached(Mark::shape_quarantined_in_transaction);
  exit(runtime::ExitReason::crash("quarantine of " + handle.text + " within a transaction"));
}

bool ShapeLogCollector::set_aside(const protocol::ShapeHandle& handle, const Delivery& delivery) {
  Shape& shape = shapes_.at(handle);
  Quarantine& quarantine = *shape.quarantine;
  Contribution contribution{delivery.batch, handle, {}};
  // The snapshot that an unfinished shape takes next sees all that it misses now (I-13).
  const bool kept =
      shape.meta.snapshot_complete && context_->guards.on(Guard::quarantined_input_is_stored);
  if (kept) contribution.state.push_back(reason_entry(handle, quarantine.reason));
  for (const DeliveredTransaction& delivered : delivery.transactions) {
    if (const std::string_view why = ending(delivered, shape.meta); !why.empty()) {
      end_now(handle, why);
      return false;
    }
    if (!kept) continue;
    std::string key = key_of_input(delivered);
    std::string bytes = bytes_of_input(delivered);
    quarantine.bytes += bytes.size();
    contribution.state.push_back({handle, storage::k_quarantine_space, key, bytes});
    quarantine.input.insert_or_assign(std::move(key), std::move(bytes));
  }
  if (quarantine.bytes > context_->options.quarantine_bytes_max) {
    remove_now(handle, "quarantine_overflow");
    return false;
  }
  pipeline_.contribute(std::move(contribution));
  return true;
}

void ShapeLogCollector::restore_quarantine(const storage::ShapeRecord& record,
                                           postgres::Lsn applied) {
  Shape& shape = shapes_.at(record.handle);
  shape.quarantine = Quarantine{};
  shape.quarantine->reason = record.quarantine;
  auto state = context_->readers->with_reader(
      "store.load_state",
      [handle = record.handle](storage::Reader& reader) { return reader.load_state(handle); });
  if (!state.ok()) exit(runtime::ExitReason::crash("quarantine: " + state.error().message));
  Contribution cut{0, record.handle, {}};
  for (storage::StateEntry& entry : *state) {
    if (entry.space != storage::k_quarantine_space || entry.key.empty()) continue;
    if (commit_of_key(entry.key) > applied) {  // comes again, perhaps in other fragments
      cut.state.push_back({record.handle, entry.space, entry.key, std::nullopt});
      continue;
    }
    shape.quarantine->bytes += entry.value.size();
    shape.quarantine->input.emplace(std::move(entry.key), std::move(entry.value));
  }
  if (!cut.state.empty()) {
    cut.batch = pipeline_.open_empty({record.handle});
    pipeline_.contribute(std::move(cut));
  }
  send_after<&ShapeLogCollector::try_again>(context_->options.quarantine_retry, record.handle);
}

void ShapeLogCollector::try_again(protocol::ShapeHandle handle) {
  const auto found = shapes_.find(handle);
  if (found == shapes_.end() || !found->second.quarantine || found->second.quarantine->trial != 0)
    return;
  // Only whole transactions can be judged, and no shape without its subqueries.
  if (unfinished_ || rests_on_quarantine(found->second)) {
    send_after<&ShapeLogCollector::try_again>(k_open_transaction_delay, std::move(handle));
    return;
  }
  Shape& shape = found->second;
  auto delivery = std::make_shared<Delivery>();
  for (const auto& [key, bytes] : shape.quarantine->input) {
    auto input = input_of_bytes(bytes);
    if (!input)
      exit(
          runtime::ExitReason::crash("the input set aside for " + handle.text + " cannot be read"));
    delivery->transactions.push_back(std::move(*input));
  }
  delivery->batch = pipeline_.open_empty({handle});
  shape.quarantine->trial = delivery->batch;
  context_->emit({observe::Level::info, "shape_tried_again", {{"handle", handle.text}}});
  shape.undelivered.push_back(std::move(delivery));
  waiting_.insert(handle);
  send_all_waiting();
  if (!shape.meta.has_state()) return;
  ensure_consumer_or_retry(shape);
  subscribe();
  advance();
}

void ShapeLogCollector::end_quarantine(Shape& shape, Contribution& contribution) {
  contribution.state.push_back(
      {contribution.handle, storage::k_quarantine_space, std::nullopt, std::nullopt});
  shape.quarantine.reset();
  context_->reached(Mark::quarantine_ended);
}

void ShapeLogCollector::show_ended_quarantines() {
  for (protocol::ShapeHandle& handle : std::exchange(ended_quarantines_, {})) {
    const auto shape = shapes_.find(handle);
    if (shape == shapes_.end() || shape->second.quarantine) continue;  // begun anew since
    context_->emit({observe::Level::info, "shape_quarantine_ended", {{"handle", handle.text}}});
    cast<&ShapeStatusOwner::set_quarantine>(names::shape_status_owner, std::move(handle),
                                            std::string());
  }
}

}  // namespace holdfast::stack
