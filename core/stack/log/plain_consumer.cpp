#include "core/stack/log/plain_consumer.hpp"

#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/log/commit_visibility.hpp"
#include "core/stack/log/shape_log_collector.hpp"
#include "core/stack/log/snapshotter.hpp"

namespace holdfast::stack {

void PlainConsumer::init() {
  if (!meta_.snapshot_complete)
    cast<&PlainConsumer::start_snapshot>(runtime::Ref<PlainConsumer>{self()});
}

// -- the stream -----------------------------------------------------------------------------------

void PlainConsumer::deliver(std::shared_ptr<const Delivery> delivery) {
  Contribution contribution{delivery->batch, meta_.handle, {}};
  for (const DeliveredTransaction& delivered : delivery->transactions) {
    if (!meta_.snapshot_complete)
      buffered_.push_back(delivered);
    else if (contribution.ending.empty())
      contribution.ending = convert(delivered, contribution.items);
  }
  if (!contribution.items.empty()) meta_.head = contribution.items.back().offset;
  cast<&ShapeLogCollector::contribute>(collector_, std::move(contribution));
}

bool PlainConsumer::seen_by_snapshot(const postgres::Transaction& transaction) const {
  // Commit order in the WAL may differ from the order of visibility, so a visible transaction can
  // follow an invisible one.
  if (context_->guards.on(Guard::snapshot_filter_by_insert_lsn))
    return shows(meta_.snapshot, transaction);
  return transaction.xid.value < meta_.snapshot.xmax.truncated().value &&
         meta_.head == protocol::LogOffset::snapshot_end() && meta_.snapshot.sees(transaction.xid);
}

std::string_view PlainConsumer::convert(const DeliveredTransaction& delivered,
                                        std::vector<ContributedItem>& items) {
  const postgres::Transaction& transaction = *delivered.transaction;
  const protocol::LogOffset head = items.empty() ? meta_.head : items.back().offset;
  // The head may stand inside of the transaction: then this is a further fragment of it.
  const auto have = [&](std::uint32_t change) {
    return head.is_real() && protocol::LogOffset::at(transaction.commit_lsn.value,
                                                     transaction.changes[change].op) <= head;
  };
  if (have(delivered.changes.back())) {
    context_->reached(Mark::replayed_transaction_dropped);
    return {};
  }
  if (seen_by_snapshot(transaction)) {
    context_->reached(Mark::transaction_filtered_by_snapshot);
    return {};
  }
  for (const std::uint32_t change : delivered.changes) {
    if (have(change)) continue;
    if (const auto ending = shape_ending(transaction.changes[change]); !ending.empty())
      return ending;
    const EncodedChanges::Items encoded = encode(delivered, change);
    if (encoded != nullptr) items.insert(items.end(), encoded->begin(), encoded->end());
  }
  return {};
}

EncodedChanges::Items PlainConsumer::encode(const DeliveredTransaction& delivered,
                                            std::uint32_t index) {
  const postgres::Transaction& transaction = *delivered.transaction;
  const shape::Definition& definition = *meta_.definition;
  const postgres::Change* change = &transaction.changes[index];
  const std::optional<postgres::Change> moved = remapped(*change);
  if (moved) change = &*moved;
  const auto is_in = [&](const postgres::Tuple& tuple) {
    if (tuple.empty()) return false;
    return !definition.condition() || definition.condition()->evaluate(tuple) == where::Truth::yes;
  };
  const bool old_in = is_in(change->old_tuple);
  const bool new_in = is_in(change->new_tuple);
  if (!old_in && !new_in) return nullptr;
  return delivered.encoded->find_or_make({index, old_in, new_in, encoding_key_}, [&] {
    std::vector<shape::LogItem> made;
    shape::append_encoded(made, definition, *change, old_in, new_in, transaction.xid,
                          transaction.commit_lsn);
    auto items = std::make_shared<std::vector<ContributedItem>>();
    for (shape::LogItem& item : made)
      items->push_back({item.offset, std::make_shared<const std::string>(std::move(item.json))});
    return items;
  });
}

// -- the snapshot ---------------------------------------------------------------------------------

void PlainConsumer::start_snapshot() {
  // An earlier attempt may have been started without this process hearing of it, and have done it.
  if (meta_.snapshot_complete) return;
  try {
    auto started = call<&runtime::Supervisor::start_child>(
        names::snapshotters,
        snapshotter_child(context_, meta_, {self()}, collector_, snapshot_attempts_));
    if (started.ok()) {
      snapshotter_ = monitor(*started);
      return;
    }
  } catch (const runtime::ProcessExit&) {
    // No supervisor now, for whatever reason: the snapshot begins when there is one.
  }
  retry_snapshot();
}

void PlainConsumer::retry_snapshot() {
  send_after<&PlainConsumer::start_snapshot>(retry_delay(snapshot_attempts_++));
}

void PlainConsumer::on_down(runtime::MonitorRef ref, runtime::ProcessId,
                            const runtime::ExitReason&) {
  // Its result, if it had one, came before: now it died without, and of what does not matter.
  const bool unfinished = ref == snapshotter_ && !meta_.snapshot_complete;
  if (unfinished && context_->guards.on(Guard::snapshotter_is_watched)) retry_snapshot();
}

void PlainConsumer::snapshot_failed(env::DatabaseError error) {
  if (meta_.snapshot_complete) return;
  demonitor(snapshotter_);
  if (may_retry(error)) retry_snapshot();
}

void PlainConsumer::snapshot_done(storage::SnapshotCompletion completion) {
  if (meta_.snapshot_complete) return;  // two attempts were under way: the first to end counts
  demonitor(snapshotter_);
  meta_.snapshot_complete = true;
  meta_.snapshot = completion.snapshot;
  std::vector<ContributedItem> items;
  std::string_view ending;
  for (const DeliveredTransaction& delivered : buffered_)
    if (ending.empty()) ending = convert(delivered, items);
  buffered_.clear();
  if (!items.empty()) {
    meta_.head = items.back().offset;
    context_->reached(Mark::buffered_transaction_applied);
  }
  cast<&ShapeLogCollector::complete_snapshot>(collector_, runtime::Ref<Consumer>{self()},
                                              std::move(completion), std::move(items), ending);
}

}  // namespace holdfast::stack
