#include "sim/postgres/storage/transactions.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim::postgres {

namespace {

/// Ids 0, 1 and 2 of every epoch are reserved.
FullXid usable(FullXid xid) {
  while (xid.truncated().value < 3) ++xid.value;
  return xid;
}

}  // namespace

Transactions::Transactions(FullXid first)
    : first_xid_(usable(first)), next_xid_(first_xid_), latest_completed_{first_xid_.value - 1} {}

Transaction& Transactions::begin() {
  all_.push_back(std::make_unique<Transaction>());
  all_.back()->ordinal = all_.size();
  return *all_.back();
}

bool Transactions::assign_xid(Transaction& transaction) {
  ASSERT(transaction.state == TransactionState::in_progress, "only an open transaction writes");
  if (transaction.xid.value != 0) return false;
  transaction.xid = next_xid_;
  next_xid_ = usable({next_xid_.value + 1});
  proc_array_.push_back(&transaction);
  return true;
}

void Transactions::end(Transaction& transaction) {
  ASSERT(!transaction.running(), "a transaction leaves the proc array when its fate is decided");
  if (transaction.xid.value == 0) return;
  std::erase(proc_array_, &transaction);
  latest_completed_ = std::max(latest_completed_, transaction.xid);
  if (transaction.state == TransactionState::committed) transaction.shown = ++shown_;
}

Snapshot Transactions::snapshot() const {
  Snapshot snapshot;
  snapshot.xmax = usable({latest_completed_.value + 1});
  snapshot.xmin = snapshot.xmax;
  for (const Transaction* transaction : proc_array_) {
    snapshot.xmin = std::min(snapshot.xmin, transaction->xid);
    if (transaction->xid < snapshot.xmax) snapshot.xip.push_back(transaction->xid);
  }
  return snapshot;
}

std::vector<const Transaction*> Transactions::running() const {
  return {proc_array_.begin(), proc_array_.end()};
}

std::size_t Transactions::crash(Lsn flushed) {
  std::size_t visible_lost = 0;
  FullXid safe{first_xid_.value - 1};
  for (const auto& transaction : all_) {
    if (transaction->first_record_end.value != 0 && transaction->first_record_end <= flushed)
      safe = std::max(safe, transaction->xid);
    if (transaction->state == TransactionState::aborted) continue;
    const bool logged = transaction->state == TransactionState::logged ||
                        transaction->state == TransactionState::committed;
    if (!logged) {
      transaction->state = TransactionState::aborted;
    } else if (transaction->end_lsn > flushed) {
      if (transaction->state == TransactionState::committed) ++visible_lost;
      transaction->state = TransactionState::lost;
    } else {
      transaction->state = TransactionState::committed;
      if (transaction->shown == 0) transaction->shown = ++shown_;
    }
  }
  crashes_++;
  proc_array_.clear();
  // Ids whose every record was lost are handed out again, as recovery knows nothing of them.
  next_xid_ = usable({safe.value + 1});
  latest_completed_ = {next_xid_.value - 1};
  return visible_lost;
}

bool sees(const Snapshot& snapshot, const Transaction& transaction) {
  if (transaction.state != TransactionState::committed &&
      transaction.state != TransactionState::logged)
    return false;
  if (transaction.xid < snapshot.xmin) return true;
  if (transaction.xid >= snapshot.xmax) return false;
  return !std::binary_search(snapshot.xip.begin(), snapshot.xip.end(), transaction.xid);
}

}  // namespace holdfast::sim::postgres
