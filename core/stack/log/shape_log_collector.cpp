#include "core/stack/log/shape_log_collector.hpp"

#include <algorithm>

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/connection/connection_manager.hpp"
#include "core/stack/connection/inspector.hpp"
#include "core/stack/connection/relation_drift.hpp"
#include "core/stack/connection/replication_client.hpp"
#include "core/stack/connection/status_monitor.hpp"
#include "core/stack/log/consumer.hpp"
#include "core/stack/shape_cleaner.hpp"
#include "core/stack/shape_status_owner.hpp"
#include "core/stack/store_process.hpp"

namespace holdfast::stack {
namespace {

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
  const auto begun =
      call<&StoreProcess::begin_session>(names::store, runtime::Ref<ShapeLogCollector>{self()});
  if (!begun.ok()) exit(runtime::ExitReason::crash("catalogue: " + begun.error().message));
  const storage::Boot& boot = **begun;
  last_processed_ = replay_until_ = boot.applied;
  confirmable_ = stored_ = boot.confirmable;
  const runtime::TableRef read_models(runtime(), tables::shape_meta);
  for (const storage::ShapeRecord& record : boot.shapes) {
    const auto shown = read_models.find(record.handle);
    add(shape_meta_from(record, shown.found() ? shown->definition : nullptr));
    if (!record.quarantine.empty()) restore_quarantine(record, boot.applied);
  }
  std::vector<protocol::ShapeHandle> set_aside;
  for (const auto& [handle, shape] : shapes_)
    if (shape.set_aside()) set_aside.push_back(handle);
  for (const protocol::ShapeHandle& handle : set_aside) quarantine_above(handle);
}

void ShapeLogCollector::mark_as_ready() {
  for (auto& [handle, shape] : shapes_)
    if (needs_consumer(shape)) ensure_consumer_or_retry(shape);
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
                                       Committed{{}, {}, {}, last_processed_});
  }
  passed_ = std::max(passed_, confirmed);
  tell_positions();
  send_all_waiting();
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
  bool joined = pipeline_.joins_next();
  for (postgres::StreamEvent& event : events) {
    if (auto* transaction = std::get_if<postgres::Transaction>(&event)) {
      for (const postgres::RelationChanged& changed : std::exchange(changed_relations_, {}))
        take(changed, transaction->commit_lsn);
      const bool ends = transaction->ends;
      take(std::move(*transaction), routed, extent);
      // A batch that another one is joined to ends with their transaction: a shape whose consumer
      // waits for the first one's commit is needed for nothing that the second one brings.
      if (std::exchange(joined, joined && !ends) && ends) {
        open_batch(std::exchange(routed, {}), std::exchange(extent, {}));
        extent.left_open = left_open();
      }
    } else if (auto* changed = std::get_if<postgres::RelationChanged>(&event)) {
      changed_relations_.push_back(std::move(*changed));  // of the transaction that follows
    } else {
      // A position of no transaction: it may be confirmed once everything before it is durable.
      const postgres::Lsn position = std::get<postgres::Keepalive>(event).wal_end;
      extent.confirmable = std::max(extent.confirmable, position);
      passed_ = std::max(passed_, position);
    }
  }
  open_batch(std::move(routed), extent);
  advance();
  waiting_client_.emplace(std::move(reply));
  answer_client_if_room();
}

void ShapeLogCollector::open_batch(Routed routed, const CommitPipeline::Extent& covered) {
  CommitPipeline::Extent extent = covered;
  // What is joined is committed with its transaction's end, for which the stream must not wait.
  if (extent.joins_next) extent.bytes = 0;
  add_positions(routed);
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
    delivery->stored_before = pipeline_.stored_before();
    delivery->position = position();
    if (shape->second.set_aside()) {
      set_aside(handle, *delivery);
      continue;
    }
    shape->second.undelivered.push_back(std::move(delivery));
  }
  // After all of them have their deliveries: some wait for the answers of others.
  for (const auto& [handle, delivery] : routed) {
    if (delivery != nullptr) continue;  // kept here: its shape is removed, or set aside
    if (const auto shape = shapes_.find(handle); shape != shapes_.end())
      send_waiting(shape->second);
  }
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
  const bool replayed = transaction.commit_lsn <= last_processed_;
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
    Shape& shape = shapes_.at(handle);
    // Whatever was taken before is in its state, or is seen by the snapshot that it waits for.
    if (replayed && shape.meta.has_state() && context_->guards.on(Guard::state_is_given_once))
      continue;
    // What a transaction does to a result is known with its end.
    if (shape.meta.role == storage::ShapeRole::inner) {
      shape.fragments.push_back(std::move(part));
      fragmented_.insert(handle);
      continue;
    }
    std::shared_ptr<Delivery>& delivery = routed[handle];
    if (delivery == nullptr) delivery = std::make_shared<Delivery>();
    delivery->transactions.push_back(std::move(part));
  }
  if (left_open().value == 0) deliver_whole(routed);
}

const std::vector<const routing::Route*>& ShapeLogCollector::concerned(
    const postgres::Change& change) {
  Layout& layout = layouts_[change.relation->oid];
  if (layout.relation != change.relation) layout = {change.relation, drifts(*change.relation)};
  if (layout.drifted)
    router_.route_all(change.relation->oid, routes_);
  else
    router_.route(change, routes_);
  return routes_;
}

bool ShapeLogCollector::drifts(const postgres::StreamRelation& relation) {
  router_.route_all(relation.oid, routes_);
  return std::any_of(routes_.begin(), routes_.end(), [&](const routing::Route* route) {
    return column_mapping(relation, *route->definition).has_value();
  });
}

void ShapeLogCollector::take(const postgres::RelationChanged& changed, postgres::Lsn commit_lsn) {
  std::vector<protocol::ShapeHandle> affected;
  for (const auto& [handle, shape] : shapes_) {
    const shape::Definition& definition = *shape.meta.definition;
    // A replayed description may be older than the shape, which knows the table as it is now.
    const bool older = shape.meta.snapshot_complete && commit_lsn <= shape.meta.snapshot.insert_lsn;
    if (older || !affects(*changed.relation, definition)) continue;
    cast<&Inspector::forget_relation>(names::inspector, definition.relation().name);
    affected.push_back(handle);
  }
  const runtime::TableRef cache(runtime(), tables::relations);
  if (const auto cached = cache.find(changed.relation->name);
      cached.found() && !describes(*changed.relation, cached.value()))
    cast<&Inspector::forget_relation>(names::inspector, changed.relation->name);
  for (const protocol::ShapeHandle& handle : affected) {
    context_->reached(Mark::shape_removed_by_stream_schema);
    if (shapes_.contains(handle)) remove_now(handle, "schema_changed");
  }
}

void ShapeLogCollector::end_now(const protocol::ShapeHandle& handle, std::string_view ending) {
  const bool truncated = ending == "truncate";
  context_->reached(truncated ? Mark::shape_removed_by_truncate
                              : Mark::shape_removed_by_replica_identity);
  remove_now(handle, std::string(ending));
}

void ShapeLogCollector::remove_now(const protocol::ShapeHandle& handle, std::string reason) {
  context_->emit(
      {observe::Level::info, "shape_removed", {{"handle", handle.text}, {"reason", reason}}});
  std::vector<protocol::ShapeHandle> gone = {handle};
  // The batch that ends the shape still waits for this shape's answer, so the removal is durable
  // before the batch is. Were it applied first, a crash between the two would keep the shape for
  // ever.
  if (context_->guards.on(Guard::removal_before_truncate_is_applied)) {
    auto removed = call<&StoreProcess::remove>(names::store, handle, std::move(reason));
    if (!removed.ok()) exit(runtime::ExitReason::crash("removal: " + removed.error().message));
    if (!removed->empty()) gone = std::move(*removed);
  } else {
    cast<&ShapeCleaner::remove>(names::shape_cleaner, handle, std::move(reason));
  }
  for (const protocol::ShapeHandle& each : gone) remove_shape(each);
}

SnapshotVerdict ShapeLogCollector::accepts_snapshot(protocol::ShapeHandle handle,
                                                    std::uint64_t query,
                                                    postgres::Snapshot snapshot) {
  const auto shape = shapes_.find(handle);
  if (shape == shapes_.end() || query < shape->second.query || shape->second.set_aside())
    return SnapshotVerdict::not_wanted;
  // What it is routed by was not told here yet.
  if (query > shape->second.query) return SnapshotVerdict::too_early;
  if (!context_->guards.on(Guard::retake_snapshot_if_streamed_before_visible))
    return SnapshotVerdict::accepted;
  // Of what an earlier collector processed this one knows nothing until it was replayed: a snapshot
  // may miss it, and yet be served under a position beyond it.
  if (replay_until_.value != 0 && passed_ <= replay_until_) return SnapshotVerdict::too_early;
  if (slot_begins_) return SnapshotVerdict::too_early;
  // A shape with state is not given again what an earlier collector gave it.
  const bool given_before = shape->second.meta.has_state() &&
                            context_->guards.on(Guard::query_sees_what_was_given_before);
  const postgres::Lsn given = given_before ? replay_until_ : postgres::Lsn{};
  return visibility_.covered_by(snapshot, shape->second.takes_part_from, given)
             ? SnapshotVerdict::accepted
             : SnapshotVerdict::too_early;
}

// -- the barrier ----------------------------------------------------------------------------------

void ShapeLogCollector::contribute(Contribution contribution) {
  const auto found = shapes_.find(contribution.handle);
  if (found == shapes_.end()) return;
  Shape& shape = found->second;
  const bool aside = contribution.batch == 0;
  if (!aside) {
    auto& undelivered = shape.undelivered;
    if (undelivered.empty() || undelivered.front()->batch != contribution.batch) return;
    undelivered.pop_front();
    shape.sent--;
  }
  if (!contribution.ending.empty()) return end_now(contribution.handle, contribution.ending);
  if (!contribution.items.empty()) shape.meta.head = contribution.items.back().offset;
  if (!aside && shape.quarantine && shape.quarantine->trial == contribution.batch)
    end_quarantine(shape, contribution);
  if (contribution.subquery) {
    if (aside && (contribution.subquery->writes() || !contribution.items.empty()))
      contribution.batch = pipeline_.place_aside(contribution.handle, shape.ancestors);
    take_part(shape, contribution);
    pass_on(shape, contribution);
  }
  if (!aside)
    pipeline_.contribute(std::move(contribution));
  else if (contribution.batch != 0)
    pipeline_.contribute_aside(std::move(contribution));
  if (!waiting_.empty()) send_all_waiting();
  subscribe();
  advance();
}

void ShapeLogCollector::complete_snapshot(runtime::Ref<Consumer> consumer,
                                          storage::SnapshotCompletion completion,
                                          std::vector<ContributedItem> buffered,
                                          std::string_view ending) {
  const auto shape = shapes_.find(completion.handle);
  if (shape == shapes_.end() || shape->second.consumer != consumer) return;
  if (!ending.empty()) return end_now(shape->first, ending);
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
  // However room was made: by a commit, or by what needed none.
  if (context_->guards.on(Guard::stream_goes_on_with_any_room)) answer_client_if_room();
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
    waiting_from_ = std::move(next->waiting);
    for (const storage::StateChange& change : next->group->state)
      if (change.space == storage::k_quarantine_space && !change.key)
        ended_quarantines_.push_back(change.handle);
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
  show_ended_quarantines();
  advance();
  answer_client_if_room();
}

void ShapeLogCollector::make_visible(const CommitPipeline::Extent& extent,
                                     std::vector<storage::ShapeHead> heads) {
  Committed what{std::move(heads), {}, std::exchange(waiting_from_, {}), extent.applied};
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
  if (!what.heads.empty() || !what.waiting.empty() || what.processed.value != 0)
    cast<&ShapeStatusOwner::committed>(names::shape_status_owner, std::move(what));
  durable(extent.confirmable);
}

}  // namespace holdfast::stack
