#include "core/stack/subquery/subquery_consumer.hpp"

#include <utility>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/store_slot.hpp"
#include "core/stack/subquery/mover.hpp"

namespace holdfast::stack {

static_assert(subquery::number(subquery::Space::buffer) == storage::k_waiting_space);

template <class F>
auto SubqueryConsumer::ask_materializer(F ask) {
  try {
    return ask();
  } catch (const runtime::ProcessExit& gone) {
    if (!runtime().whereis(names::shape_cache.text).valid())
      context_->reached(Mark::inline_call_exited_while_stopping);
    if (!context_->guards.on(Guard::materializer_exit_is_not_a_crash)) throw;
    // Of what it died does not matter, `killed` included: this consumer cannot go on without it,
    // and what it was about to contribute is not lost, since the collector has its input.
    context_->emit({observe::Level::debug,
                    "materializer_gone",
                    {{"handle", meta_.handle.text}, {"reason", gone.reason.to_string()}}});
    exit(runtime::ExitReason::shutdown());
  }
}

// -- start ----------------------------------------------------------------------------------------

void SubqueryConsumer::init() {
  part_ = std::make_shared<SubqueryPart>();
  cast<&SubqueryConsumer::load>(runtime::Ref<SubqueryConsumer>{self()});
}

subquery::OuterShape::Options SubqueryConsumer::options() const {
  subquery::OuterShape::Options options;
  options.rules = subquery::Rules(context_->guards);
  options.log = !inner();
  if (inner()) options.links = {meta_.link};
  options.piece_bytes = spill_bytes(context_->options);
  return options;
}

void SubqueryConsumer::load() {
  auto loaded = context_->readers->with_reader(
      "store.load_state",
      [handle = meta_.handle](storage::Reader& reader) { return reader.load_state(handle); });
  if (!loaded.ok()) exit(runtime::ExitReason::crash("state: " + loaded.error().message));
  auto entries = std::make_shared<std::vector<subquery::StateDelta>>();
  for (storage::StateEntry& entry : *loaded)
    if (entry.space != storage::k_quarantine_space)
      entries->push_back({entry.space, std::move(entry.key), std::move(entry.value)});
  if (inner()) start_materializer(entries);
  auto restored =
      subquery::OuterShape::restore(*entries, meta_.definition, meta_.handle, options());
  if (!restored.ok()) exit(runtime::ExitReason::crash(restored.error().message));
  if (*restored) {
    shape_ = std::move(**restored);
    context_->reached(Mark::subquery_state_restored);
    if (!shape_->steady()) context_->reached(Mark::restored_while_moving);
    if (!shape_->snapshot_complete()) waiting_from_.reset();  // what waited is in the next snapshot
    part_->seed = shape_->views();
    part_->has_result = shape_->snapshot_complete();
    absorb(shape_->on_restored());
    contribute(0);
  } else if (meta_.inners.empty()) {
    begin({});
    contribute(0);
  }
  cast<&ShapeLogCollector::loaded>(collector_, meta_.handle);
}

void SubqueryConsumer::start_materializer(Materializer::Entries stored) {
  materializer_ = ask_materializer([&] {
    auto started = call<&runtime::Supervisor::start_child>(
        names::materializers, materializer_child(context_, meta_, self(), std::move(stored)));
    if (!started.ok()) throw runtime::ProcessExit{started.error(), {}};
    monitor(*started);
    return runtime::Ref<Materializer>{*started};
  });
}

void SubqueryConsumer::begin(subquery::Views views) {
  shape_.emplace(meta_.definition, meta_.handle, std::move(views), options());
  part_->seed = shape_->views();
  absorb(shape_->begin());
}

// -- the stream -----------------------------------------------------------------------------------

void SubqueryConsumer::deliver(std::shared_ptr<const Delivery> delivery) {
  if (ended_) return;
  if (!shape_ && !delivery->values.empty()) {
    std::vector<subquery::ValueSet> views;
    for (const auto& [dependency, values] : delivery->values) views.push_back(values);
    begin(subquery::Views(std::move(views)));
  } else if (shape_) {
    for (const auto& [dependency, moves] : delivery->moves)
      absorb(shape_->on_moves(dependency, moves));
    if (context_->guards.on(Guard::subscribe_by_difference))
      for (const auto& [dependency, values] : delivery->values)
        absorb(shape_->on_subscribed(dependency, values));
    if (const std::string_view ending = take_transactions(*delivery); !ending.empty()) {
      Contribution last{delivery->batch, meta_.handle, {}};
      last.ending = ending;
      ended_ = true;
      return cast<&ShapeLogCollector::contribute>(collector_, std::move(last));
    }
  }
  if (shape_ && delivery->position.value != 0) absorb(shape_->on_position(delivery->position));
  contribute(delivery->batch, delivery->wants_values);
  if (shape_) shape_->let_go(delivery->stored_before);
}

std::string_view SubqueryConsumer::take_transactions(const Delivery& delivery) {
  const auto& parts = delivery.transactions;
  for (std::size_t first = 0; first < parts.size();) {
    std::size_t end = first;
    while (end < parts.size() &&
           parts[end].transaction->commit_lsn == parts[first].transaction->commit_lsn)
      ++end;
    subquery::OuterTransaction transaction = whole(delivery, first, end);
    for (const std::uint32_t change : transaction.changes)
      if (const auto why = shape_ending(transaction.transaction->changes[change]); !why.empty())
        return why;
    if (!transaction.transaction->ends) context_->reached(Mark::fragment_given_to_subquery_shape);
    // The end of one in parts is told with a later position.
    if (shape_->in_transaction()) absorb(shape_->on_position(transaction.transaction->commit_lsn));
    txids_.push_back(transaction.transaction->xid.value);
    absorb(shape_->on_transaction(transaction, delivery.batch));
    first = end;
  }
  return {};
}

subquery::OuterTransaction SubqueryConsumer::whole(const Delivery& delivery, std::size_t first,
                                                   std::size_t end) {
  const DeliveredTransaction& head = delivery.transactions[first];
  const auto change_of = [](const DeliveredTransaction& part,
                            std::uint32_t index) -> const postgres::Change& {
    return part.transaction->changes[index];
  };
  if (end == first + 1 && !remapped(change_of(head, head.changes.front())))
    return {head.transaction, head.changes};
  auto joined = std::make_shared<postgres::Transaction>();
  joined->xid = head.transaction->xid;
  joined->commit_lsn = head.transaction->commit_lsn;
  joined->end_lsn = delivery.transactions[end - 1].transaction->end_lsn;
  joined->ends = delivery.transactions[end - 1].transaction->ends;
  subquery::OuterTransaction made;
  for (std::size_t i = first; i < end; ++i) {
    const DeliveredTransaction& part = delivery.transactions[i];
    joined->buffers.insert(joined->buffers.end(), part.transaction->buffers.begin(),
                           part.transaction->buffers.end());
    for (const std::uint32_t index : part.changes) {
      made.changes.push_back(static_cast<std::uint32_t>(joined->changes.size()));
      auto moved = remapped(change_of(part, index));
      joined->changes.push_back(moved ? std::move(*moved) : change_of(part, index));
    }
  }
  made.transaction = std::move(joined);
  return made;
}

// -- what comes of it -----------------------------------------------------------------------------

void SubqueryConsumer::absorb(subquery::Output output) {
  absorb_piece(std::move(output));
  while (shape_->splicing()) {
    move_rows_.spill_if_large(*this, items_, part_->spilled);
    std::vector<subquery::StateDelta> stored;
    if (const auto from = shape_->wants_stored()) stored = load_waiting(*from);
    auto next = shape_->go_on(stored);
    if (!next.ok()) exit(runtime::ExitReason::crash("state: " + next.error().message));
    absorb_piece(std::move(*next));
  }
}

std::vector<subquery::StateDelta> SubqueryConsumer::load_waiting(const std::string& from) {
  context_->reached(Mark::waiting_input_read_back);
  auto loaded = context_->readers->with_reader(
      "store.load_waiting",
      [handle = meta_.handle, from, bytes = options().piece_bytes](storage::Reader& reader) {
        return reader.load_waiting(handle, from, bytes);
      });
  if (!loaded.ok()) exit(runtime::ExitReason::crash("state: " + loaded.error().message));
  std::vector<subquery::StateDelta> entries;
  for (storage::StateEntry& entry : *loaded)
    entries.push_back({entry.space, std::move(entry.key), std::move(entry.value)});
  return entries;
}

void SubqueryConsumer::absorb_piece(subquery::Output output) {
  for (std::string& row : output.snapshot_rows) {
    snapshot_rows_->begin_row() += row;
    snapshot_rows_->end_row();
  }
  if (output.snapshot_complete) complete_snapshot();
  if (output.taken) {
    output.taken->before += items_.size();
    move_rows_.place(*output.taken, part_->spilled);
  }
  for (shape::LogItem& item : output.items)
    items_.push_back(
        {item.offset, std::make_shared<const std::string>(std::move(item.json)), item.injected});
  if (!output.inner.empty())
    inner_changes_.insert(inner_changes_.end(),
                          std::make_move_iterator(output.inner.front().begin()),
                          std::make_move_iterator(output.inner.front().end()));
  using Kind = SubqueryPart::Rerouting::Kind;
  for (subquery::ViewDelta& delta : output.narrow)
    part_->routing.push_back({Kind::narrow, std::move(delta)});
  for (subquery::ViewDelta& delta : output.broaden)
    part_->routing.push_back({Kind::broaden, std::move(delta)});
  if (!output.query) return;
  part_->query = output.query->attempt;
  move_rows_.finish(*this);
  move_rows_.discard();
  if (output.query->initial) snapshot_rows_.emplace(context_, meta_.handle);
  wanted_ = std::move(output.query);
}

void SubqueryConsumer::complete_snapshot() {
  part_->has_result = true;
  part_->completion = snapshot_rows_->finish(*this, query_snapshot_);
  snapshot_rows_.reset();
}

void SubqueryConsumer::apply_to_result(SubqueryPart& part) {
  if (inner_changes_.empty()) return;
  Materializer::Applied applied = ask_materializer([&] {
    return call<&Materializer::apply>(*materializer_, std::exchange(inner_changes_, {}),
                                      std::exchange(txids_, {}));
  });
  part.moves = std::move(applied.moves);
  for (subquery::StateDelta& delta : applied.state)
    part.state.push_back({meta_.handle, delta.space, std::move(delta.key), std::move(delta.value)});
}

void SubqueryConsumer::contribute(BatchNumber batch, bool wants_values) {
  SubqueryPart& part = *part_;
  move_rows_.finish(*this);
  apply_to_result(part);
  txids_.clear();
  if (wants_values && materializer_)
    part.values = ask_materializer([&] { return call<&Materializer::values>(*materializer_); });
  if (shape_) {
    for (subquery::StateDelta& delta : shape_->take_changes())
      part.state.push_back(
          {meta_.handle, delta.space, std::move(delta.key), std::move(delta.value)});
    part.waits_for = shape_->waits_for();
    if (shape_->waiting_from() != waiting_from_)
      waiting_from_ = part.waiting_from = shape_->waiting_from();
  }
  const bool something = part.writes() || part.seed || part.query || part.waits_for ||
                         part.has_result || !part.routing.empty() || !items_.empty();
  if (batch != 0 || something) {
    Contribution contribution{batch, meta_.handle, std::exchange(items_, {})};
    if (something || part.values)
      contribution.subquery = std::exchange(part_, std::make_shared<SubqueryPart>());
    cast<&ShapeLogCollector::contribute>(collector_, std::move(contribution));
  }
  if (wanted_) start_query();
}

// -- queries --------------------------------------------------------------------------------------

void SubqueryConsumer::start_query() {
  subquery::WantedQuery query = std::move(*wanted_);
  wanted_.reset();
  if (attempt_) {  // of a void attempt
    demonitor(mover_);
    send_exit(mover_id_, runtime::ExitReason::shutdown());
  }
  attempt_ = query.attempt;
  try {
    auto started = call<&runtime::Supervisor::start_child>(
        names::snapshotters, mover_child(context_, meta_, {self()}, collector_, std::move(query)));
    if (started.ok()) {
      mover_id_ = *started;
      mover_ = monitor(mover_id_);
      return;
    }
  } catch (const runtime::ProcessExit&) {
    // No supervisor now, for whatever reason: the query runs when there is one.
  }
  send_after<&SubqueryConsumer::retry_query>(retry_delay(failures_++), *attempt_);
}

void SubqueryConsumer::on_down(runtime::MonitorRef ref, runtime::ProcessId process,
                               const runtime::ExitReason&) {
  if (materializer_ && process == materializer_->id) exit(runtime::ExitReason::shutdown());
  // Its result, if it had one, came before: now it died without, and of what does not matter.
  if (ref != mover_ || !attempt_) return;
  send_after<&SubqueryConsumer::retry_query>(retry_delay(failures_++), *attempt_);
}

void SubqueryConsumer::retry_query(std::uint64_t attempt) {
  if (attempt_ != attempt) return;
  attempt_.reset();
  absorb(shape_->on_failed(attempt));
  contribute(0);
}

void SubqueryConsumer::query_snapshot(std::uint64_t attempt, postgres::Snapshot snapshot) {
  if (attempt_ != attempt) return;
  query_snapshot_ = snapshot;
  absorb(shape_->on_snapshot(attempt, snapshot));
  contribute(0);
}

void SubqueryConsumer::query_rows(std::uint64_t attempt,
                                  std::shared_ptr<const postgres::RowBatch> batch) {
  if (attempt_ != attempt) return;
  absorb(shape_->on_rows(attempt, *batch));
  if (snapshot_rows_)
    snapshot_rows_->spill_if_large(*this);
  else
    move_rows_.spill_if_large(*this, *shape_);
}

void SubqueryConsumer::query_complete(std::uint64_t attempt) {
  if (attempt_ != attempt) return;
  demonitor(mover_);
  attempt_.reset();
  failures_ = 0;
  absorb(shape_->on_rows_complete(attempt));
  contribute(0);
}

void SubqueryConsumer::query_failed(std::uint64_t attempt, env::DatabaseError error) {
  if (attempt_ != attempt) return;
  demonitor(mover_);
  if (may_retry(error))
    send_after<&SubqueryConsumer::retry_query>(retry_delay(failures_++), attempt);
}

}  // namespace holdfast::stack
