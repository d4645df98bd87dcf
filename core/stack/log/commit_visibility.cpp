#include "core/stack/log/commit_visibility.hpp"

#include <algorithm>

namespace holdfast::stack {

bool shows(const postgres::Snapshot& snapshot, const postgres::Transaction& transaction) {
  return transaction.commit_lsn <= snapshot.insert_lsn && snapshot.sees(transaction.xid);
}

void CommitVisibility::passed(postgres::Xid xid, postgres::Lsn commit_lsn, BatchNumber batch) {
  unseen_.push_back({xid, commit_lsn, batch});
}

void CommitVisibility::learned(postgres::Snapshot snapshot) {
  std::erase_if(unseen_, [&](const Passed& passed) { return snapshot.sees(passed.xid); });
  std::erase_if(running_at_slot_,
                [&](postgres::FullXid xid) { return snapshot.sees(xid.truncated()); });
  learned_ = std::move(snapshot);
}

bool CommitVisibility::covered_by(const postgres::Snapshot& snapshot, BatchNumber from,
                                  postgres::Lsn until) const {
  if (learned_ && !snapshot.includes(*learned_)) return false;
  const auto ended = [&](postgres::FullXid xid) { return snapshot.sees(xid.truncated()); };
  if (!std::all_of(running_at_slot_.begin(), running_at_slot_.end(), ended)) return false;
  return std::all_of(unseen_.begin(), unseen_.end(), [&](const Passed& passed) {
    return (passed.batch >= from && passed.commit_lsn > until) || snapshot.sees(passed.xid);
  });
}

std::optional<postgres::Lsn> CommitVisibility::first_unseen() const {
  // Who was never seen stands before all that passed after it, and no position goes back while a
  // collector lives: another timeline begins with another collector. What is replayed behind it was
  // seen before.
  if (unseen_.empty()) return std::nullopt;
  return unseen_.front().commit_lsn;
}

}  // namespace holdfast::stack
