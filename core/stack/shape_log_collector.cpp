#include "core/stack/shape_log_collector.hpp"

#include <algorithm>

#include "core/stack/connection_manager.hpp"
#include "core/stack/consumer.hpp"
#include "core/stack/inspector.hpp"
#include "core/stack/relation_drift.hpp"
#include "core/stack/replication_client.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/status_monitor.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

constexpr Duration k_restart_delay = std::chrono::milliseconds(100);

std::size_t bytes_of(const postgres::Transaction& transaction) {
  std::size_t bytes = 0;
  for (const postgres::Change& change : transaction.changes)
    for (const postgres::Tuple* tuple : {&change.old_tuple, &change.new_tuple})
      for (const auto& cell : *tuple) bytes += cell ? cell->size() : 1;
  return bytes;
}

}  // namespace

void ShapeLogCollector::init() {
  // From the store, not from the read models: a commit whose answer no collector lived to take is
  // durable all the same. Routing is complete before the first event can arrive (I-54).
  auto boot =
      call<&StoreProcess::begin_session>(names::store, runtime::Ref<ShapeLogCollector>{self()});
  if (!boot.ok()) exit(runtime::ExitReason::crash("catalogue: " + boot.error().message));
  last_processed_ = replay_until_ = boot->applied;
  confirmable_ = stored_ = boot->confirmable;
  const runtime::TableRef read_models(runtime(), tables::shape_meta);
  for (const storage::ShapeRecord& record : boot->shapes) {
    const auto shown = read_models.find(record.handle);
    Shape shape;
    shape.meta = shape_meta_from(record, shown.found() ? shown->definition : nullptr);
    shape.takes_part_from = pipeline_.next_number();
    router_.add(record.handle, shape.meta.definition);
    shapes_.emplace(record.handle, std::move(shape));
  }
  call<&ShapeStatusOwner::refresh>(names::shape_status_owner, std::move(*boot));
}

void ShapeLogCollector::mark_as_ready() {
  for (auto& [handle, shape] : shapes_)
    if (!shape.meta.snapshot_complete && !ensure_consumer(shape))
      send_after<&ShapeLogCollector::retry_start>(k_restart_delay, handle);
  cast<&StatusMonitor::set>(names::status_monitor, Condition::collector_ready, self());
  cast<&ConnectionManager::collector_started>(names::connection_manager,
                                              runtime::Ref<ShapeLogCollector>{self()});
}

runtime::Ref<ShapeLogCollector> ShapeLogCollector::attach(runtime::Ref<ReplicationClient> client,
                                                          postgres::Lsn confirmed,
                                                          bool slot_is_new) {
  // A transaction that no shape needed is in no commit, so the store does not know of it; Postgres
  // does, by what was confirmed (http-api.md §13.5).
  if (confirmed.value > last_processed_.value + 1) {
    last_processed_ = {confirmed.value - 1};
    cast<&ShapeStatusOwner::committed>(names::shape_status_owner,
                                       Committed{{}, {}, last_processed_});
  }
  passed_ = std::max(passed_, confirmed);
  client_ = client;
  waiting_client_.reset();
  confirmed_ = wanted_ = confirmed;
  server_shuts_down_ = false;
  expect_confirmation();
  slot_begins_ = slot_begins_ || slot_is_new;
  visibility_is_old_ = slot_begins_ || visibility_.has_learned();
  if (visibility_is_old_) ask_visibility();
  return {self()};
}

// -- the stream -----------------------------------------------------------------------------------

void ShapeLogCollector::handle(runtime::Reply<void> reply,
                               std::vector<postgres::StreamEvent> events) {
  Routed routed;
  CommitPipeline::Extent extent;
  extent.left_open = left_open();
  for (postgres::StreamEvent& event : events) {
    if (auto* transaction = std::get_if<postgres::Transaction>(&event)) {
      for (const postgres::RelationChanged& changed : std::exchange(changed_relations_, {}))
        take(changed, transaction->commit_lsn);
      take(std::move(*transaction), routed, extent);
    } else if (auto* changed = std::get_if<postgres::RelationChanged>(&event)) {
      changed_relations_.push_back(std::move(*changed));  // of the transaction that follows
    } else {
      // A position of no transaction: it may be confirmed once everything before it is durable.
      const postgres::Lsn position = std::get<postgres::Keepalive>(event).wal_end;
      extent.confirmable = std::max(extent.confirmable, position);
      passed_ = std::max(passed_, position);
    }
  }
  // What is joined is committed with its transaction's end, for which the stream must not wait.
  if (extent.joins_next) extent.bytes = 0;
  std::set<protocol::ShapeHandle> participants;
  for (const auto& [handle, delivery] : routed) participants.insert(handle);
  const BatchNumber batch = pipeline_.open(extent, participants);
  yield_point(extent.left_open.value == 0 ? "collector.routed" : "collector.fragment");
  for (auto& [handle, delivery] : routed) {
    const auto shape = shapes_.find(handle);
    if (shape == shapes_.end()) {  // removed by a later event of the same batch
      pipeline_.forget(handle);
      continue;
    }
    delivery->batch = batch;
    send(shape->second, std::move(delivery));
  }
  advance();
  waiting_client_.emplace(std::move(reply));
  answer_client_if_room();
}

void ShapeLogCollector::answer_client_if_room() {
  if (visibility_.unseen() > k_unseen_max) return ask_visibility();
  if (!waiting_client_ || pipeline_.bytes() > context_->options.bytes_under_way_max) return;
  waiting_client_->send();
  waiting_client_.reset();
}

void ShapeLogCollector::note_position(postgres::Transaction& transaction,
                                      CommitPipeline::Extent& extent) {
  // A replayed transaction is routed like any other: each consumer knows from its own head whether
  // it has it. A shape whose snapshot did not see it, though it was processed before, gets it this
  // way.
  const bool replayed = transaction.commit_lsn <= last_processed_;
  if (!unfinished_ || unfinished_->commit_lsn != transaction.commit_lsn)
    visibility_.passed(transaction.xid, transaction.commit_lsn, pipeline_.next_number());
  if (!replayed) note_new(transaction, extent);
  extent.left_open = left_open();
  extent.joins_next = replayed && !transaction.ends;
  extent.confirmable = std::max(extent.confirmable, transaction.end_lsn);
  passed_ = std::max(passed_, transaction.end_lsn);
  if (transaction.ends) extent.transactions++;
  extent.bytes += bytes_of(transaction);
}

void ShapeLogCollector::note_new(postgres::Transaction& transaction,
                                 CommitPipeline::Extent& extent) {
  if (unfinished_ && unfinished_->commit_lsn != transaction.commit_lsn)
    exit(runtime::ExitReason::crash("the end of the transaction at " +
                                    unfinished_->commit_lsn.to_string() + " never came"));
  if (unfinished_) {
    // A session was lost in its middle: the next one brings it again from its start.
    const std::size_t taken = std::erase_if(
        transaction.changes, [&](const auto& change) { return change.op < unfinished_->next_op; });
    if (taken > 0) context_->reached(Mark::fragment_replayed);
  }
  if (transaction.ends) {
    unfinished_.reset();
    last_processed_ = transaction.commit_lsn;
  } else {
    context_->reached(Mark::transaction_in_fragments);
    if (!unfinished_) unfinished_ = Unfinished{transaction.commit_lsn, 0};
    if (!transaction.changes.empty()) unfinished_->next_op = transaction.changes.back().op + 1;
  }
  if (transaction.ends || !context_->guards.on(Guard::applied_moves_with_whole_transactions))
    extent.applied = transaction.commit_lsn;
}

void ShapeLogCollector::take(postgres::Transaction transaction, Routed& routed,
                             CommitPipeline::Extent& extent) {
  note_position(transaction, extent);
  const auto shared = std::make_shared<const postgres::Transaction>(std::move(transaction));
  const auto encoded = std::make_shared<EncodedChanges>();
  std::map<protocol::ShapeHandle, DeliveredTransaction> parts;
  for (std::uint32_t i = 0; i < shared->changes.size(); ++i) {
    const postgres::Change& change = shared->changes[i];
    for (const routing::Route* route : concerned(change)) {
      DeliveredTransaction& part = parts[route->handle];
      if (part.transaction == nullptr) part = {shared, encoded, {}};
      part.changes.push_back(i);
    }
  }
  for (auto& [handle, part] : parts) {
    std::shared_ptr<Delivery>& delivery = routed[handle];
    if (delivery == nullptr) delivery = std::make_shared<Delivery>();
    delivery->transactions.push_back(std::move(part));
  }
}

const std::vector<const routing::Route*>& ShapeLogCollector::concerned(
    const postgres::Change& change) {
  if (drifted_.contains(change.relation->oid))
    router_.route_all(change.relation->oid, routes_);
  else
    router_.route(change, routes_);
  return routes_;
}

void ShapeLogCollector::find_drift(postgres::Oid table) {
  drifted_.erase(table);
  const auto relation = relations_.find(table);
  if (relation == relations_.end()) return;
  router_.route_all(table, routes_);
  for (const routing::Route* route : routes_)
    if (column_mapping(*relation->second, *route->definition)) drifted_.insert(table);
}

void ShapeLogCollector::take(const postgres::RelationChanged& changed, postgres::Lsn commit_lsn) {
  for (auto it = shapes_.begin(); it != shapes_.end();) {
    const auto next = std::next(it);
    const shape::Definition& definition = *it->second.meta.definition;
    // A replayed description may be older than the shape, which knows the table as it is now.
    const bool older =
        it->second.meta.snapshot_complete && commit_lsn <= it->second.meta.snapshot.insert_lsn;
    if (!older && affects(*changed.relation, definition)) {
      cast<&Inspector::forget_relation>(names::inspector, definition.relation().name);
      remove_now(it->first, "schema_changed");
    }
    it = next;
  }
  const runtime::TableRef cache(runtime(), tables::relations);
  if (const auto cached = cache.find(changed.relation->name);
      cached.found() && !describes(*changed.relation, cached.value()))
    cast<&Inspector::forget_relation>(names::inspector, changed.relation->name);
  relations_[changed.relation->oid] = changed.relation;
  find_drift(changed.relation->oid);
}

void ShapeLogCollector::remove_now(protocol::ShapeHandle handle, std::string reason) {
  // The batch that ends the shape still waits for this shape's answer, so the removal is durable
  // before the batch is. Were it applied first, a crash between the two would keep the shape for
  // ever.
  if (context_->guards.on(Guard::removal_before_truncate_is_applied)) {
    auto removed = call<&StoreProcess::remove>(names::store, handle, reason);
    if (!removed.ok()) exit(runtime::ExitReason::crash("removal: " + removed.error().message));
    // From here, so that no reader is told of the position of what ended the shape and still finds
    // it.
    cast<&ShapeStatusOwner::forget>(names::shape_status_owner, handle);
    cast<&ShapeCleaner::finish>(names::shape_cleaner, handle);
  } else {
    cast<&ShapeCleaner::remove>(names::shape_cleaner, handle, reason);
  }
  context_->emit({observe::Level::info,
                  "shape_removed",
                  {{"handle", handle.text}, {"reason", std::move(reason)}}});
  remove_shape(handle);
}

bool ShapeLogCollector::accepts_snapshot(protocol::ShapeHandle handle,
                                         postgres::Snapshot snapshot) {
  if (!context_->guards.on(Guard::retake_snapshot_if_streamed_before_visible)) return true;
  // Of what an earlier collector processed this one knows nothing until it was replayed: a snapshot
  // may miss it, and yet be served under a position beyond it.
  if (replay_until_.value != 0 && passed_ <= replay_until_) return false;
  if (slot_begins_) return false;
  const auto shape = shapes_.find(handle);
  if (shape == shapes_.end()) return true;
  return visibility_.covered_by(snapshot, shape->second.takes_part_from);
}

// -- shapes and their consumers -------------------------------------------------------------------

void ShapeLogCollector::add_shape(ShapeMeta meta) {
  if (shapes_.contains(meta.handle)) return;
  router_.add(meta.handle, meta.definition);
  Shape shape;
  shape.meta = std::move(meta);
  shape.takes_part_from = pipeline_.next_number();
  const protocol::ShapeHandle handle = shape.meta.handle;
  Shape& added = shapes_.emplace(handle, std::move(shape)).first->second;
  find_drift(added.meta.definition->relation().oid);
  if (!ensure_consumer(added)) send_after<&ShapeLogCollector::retry_start>(k_restart_delay, handle);
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
  shapes_.erase(found);
  std::erase_if(completing_, [&](const auto& entry) { return entry.first == handle; });
  pipeline_.forget(handle);
  advance();
}

bool ShapeLogCollector::ensure_consumer(Shape& shape) {
  if (shape.consumer) return true;
  try {
    auto started = call<&runtime::Supervisor::start_child>(
        names::consumers, consumer_child(context_, shape.meta, {self()}));
    if (!started.ok()) return false;
    shape.consumer = runtime::Ref<Consumer>{*started};
  } catch (const runtime::ProcessExit&) {
    return false;  // whatever the reason: no consumer now, and that says nothing about the shape
  }
  if (!shape.meta.snapshot_complete) shape.takes_part_from = pipeline_.next_number();
  shape.monitor = monitor(shape.consumer->id);
  monitors_.emplace(shape.monitor, shape.meta.handle);
  for (const auto& delivery : shape.undelivered)
    cast<&Consumer::deliver>(*shape.consumer, delivery);
  return true;
}

void ShapeLogCollector::send(Shape& shape, const std::shared_ptr<const Delivery>& delivery) {
  shape.undelivered.push_back(delivery);
  if (shape.consumer) {
    cast<&Consumer::deliver>(*shape.consumer, delivery);
    return;
  }
  context_->reached(Mark::consumer_started_lazily);
  if (!ensure_consumer(shape))
    send_after<&ShapeLogCollector::retry_start>(k_restart_delay, shape.meta.handle);
}

void ShapeLogCollector::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                                const runtime::ExitReason&) {
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
  if (!context_->guards.on(Guard::redeliver_to_restarted_consumer)) {
    shape->second.undelivered.clear();
    pipeline_.forget(handle);
    advance();
  }
  retry_start(handle);
}

void ShapeLogCollector::retry_start(protocol::ShapeHandle handle) {
  const auto shape = shapes_.find(handle);
  if (shape == shapes_.end() || shape->second.consumer) return;
  if (shape->second.meta.snapshot_complete && shape->second.undelivered.empty()) return;
  if (!shape->second.undelivered.empty()) context_->reached(Mark::consumer_restarted_with_input);
  if (!ensure_consumer(shape->second))
    send_after<&ShapeLogCollector::retry_start>(k_restart_delay, std::move(handle));
}

// -- the barrier ----------------------------------------------------------------------------------

void ShapeLogCollector::contribute(Contribution contribution) {
  const auto shape = shapes_.find(contribution.handle);
  if (shape == shapes_.end()) return;
  auto& undelivered = shape->second.undelivered;
  if (undelivered.empty() || undelivered.front()->batch != contribution.batch) return;
  undelivered.pop_front();
  if (contribution.truncated) {
    context_->reached(Mark::shape_removed_by_truncate);
    return remove_now(shape->first, "truncate");
  }
  if (!contribution.items.empty()) shape->second.meta.head = contribution.items.back().offset;
  pipeline_.contribute(std::move(contribution));
  advance();
}

void ShapeLogCollector::complete_snapshot(runtime::Ref<Consumer> consumer,
                                          storage::SnapshotCompletion completion,
                                          std::vector<ContributedItem> buffered, bool truncated) {
  const auto shape = shapes_.find(completion.handle);
  if (shape == shapes_.end() || shape->second.consumer != consumer) return;
  if (truncated) return remove_now(shape->first, "truncate");
  ASSERT(!shape->second.meta.snapshot_complete,
         "a snapshot is completed once per incarnation (I-12)");
  shape->second.meta.snapshot_complete = true;
  shape->second.meta.snapshot = completion.snapshot;
  if (!buffered.empty()) shape->second.meta.head = buffered.back().offset;
  completing_.emplace_back(completion.handle, completion.snapshot);
  pipeline_.complete(std::move(completion), std::move(buffered));
  advance();
}

void ShapeLogCollector::advance() {
  hand_out_groups();
  answer_client_if_room();  // however room was made: by a commit, or by what needed none
}

void ShapeLogCollector::hand_out_groups() {
  while (auto next = pipeline_.next()) {
    if (next->extent.transactions > 1) context_->reached(Mark::group_of_several_transactions);
    if (next->group == nullptr) {
      pipeline_.committed();
      make_visible(next->extent, {});
      continue;
    }
    in_flight_ = next->extent;
    if (!context_->guards.on(Guard::visible_only_after_commit)) {
      std::vector<storage::ShapeHead> heads;
      for (const storage::ShapeAppend& append : next->group->appends)
        for (const storage::RecordRef& record : append.records)
          if (record.offset.tx != next->extent.left_open.value)
            heads.push_back({append.handle, record.offset, 1});
      make_visible(next->extent, std::move(heads));
    }
    cast<&StoreProcess::commit>(names::store, runtime::Ref<ShapeLogCollector>{self()}, ++ticket_,
                                std::move(next->group));
    return;
  }
}

void ShapeLogCollector::committed(std::uint64_t ticket, storage::CommitResult result) {
  if (ticket != ticket_) return;
  pipeline_.committed();
  stored_ = std::max(stored_, in_flight_.confirmable);
  make_visible(in_flight_, std::move(result.heads));
  advance();
}

void ShapeLogCollector::make_visible(const CommitPipeline::Extent& extent,
                                     std::vector<storage::ShapeHead> heads) {
  Committed what{std::move(heads), {}, extent.applied};
  // Only what this commit really completed: a completion still in the pipeline waits for its own.
  for (const storage::ShapeHead& head : what.heads)
    for (auto it = completing_.begin(); it != completing_.end();)
      if (it->first == head.handle) {
        context_->reached(Mark::snapshot_completed);
        what.completed.push_back(std::move(*it));
        it = completing_.erase(it);
      } else {
        ++it;
      }
  if (!what.heads.empty() || what.processed.value != 0)
    cast<&ShapeStatusOwner::committed>(names::shape_status_owner, std::move(what));
  durable(extent.confirmable);
}

}  // namespace holdfast::stack
