// Which transactions of the stream a snapshot might still miss. A commit is streamed before it is
// visible, by as long as a synchronous standby lets it wait, so a new shape's snapshot can miss
// what passed before the shape was there (F-28). Such a transaction must be remembered here, and
// must not be confirmed to Postgres, so that a restart is sent it again. A value; no process, no
// I/O.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "core/postgres/lsn.hpp"
#include "core/stack/log/delivery.hpp"

namespace holdfast::stack {

/// Whether a snapshot has what the transaction did. None whose record lies beyond its insert
/// position is visible to it (I-14).
bool shows(const postgres::Snapshot& snapshot, const postgres::Transaction& transaction);

class CommitVisibility {
 public:
  /// A transaction passed, in the order of the stream.
  void passed(postgres::Xid xid, postgres::Lsn commit_lsn, BatchNumber batch);
  /// A slot was made just before this snapshot: a commit may lie before the slot's beginning and
  /// not be visible yet, so that the stream never brings it. No snapshot will do that does not see
  /// the end of every transaction which was running.
  void slot_begins(const postgres::Snapshot& snapshot) { running_at_slot_ = snapshot.xip; }
  /// A snapshot taken later than those learned before: what it sees, every later one sees too.
  void learned(postgres::Snapshot snapshot);

  /// Whether the snapshot sees every transaction that passed in a batch before `from`, or whose
  /// commit record begins at `until` at the latest.
  bool covered_by(const postgres::Snapshot& snapshot, BatchNumber from,
                  postgres::Lsn until = {}) const;
  /// Where the first transaction begins that a snapshot might miss; nullopt: there is none.
  std::optional<postgres::Lsn> first_unseen() const;
  std::size_t unseen() const { return unseen_.size(); }
  /// Something was forgotten since a learned snapshot saw it.
  bool has_learned() const { return learned_.has_value(); }

 private:
  struct Passed {
    postgres::Xid xid;
    postgres::Lsn commit_lsn;
    BatchNumber batch = 0;
  };
  std::deque<Passed> unseen_;
  std::vector<postgres::FullXid> running_at_slot_;
  /// A snapshot older than this one might miss what is no longer in unseen_.
  std::optional<postgres::Snapshot> learned_;
};

}  // namespace holdfast::stack
