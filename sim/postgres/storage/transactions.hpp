// Transactions and the proc array of the simulated server: xids, who is in progress, snapshots as
// pg_current_snapshot() gives them. A commit is two steps: its record is in the WAL (`logged`),
// later it leaves the proc array (`committed`); snapshots see only the second (postgres.md §27.4).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/postgres/lsn.hpp"
#include "core/postgres/stream.hpp"
#include "sim/postgres/storage/table_catalog.hpp"

namespace holdfast::sim::postgres {

using holdfast::postgres::FullXid;
using holdfast::postgres::Lsn;
using holdfast::postgres::Snapshot;

/// A row's cells by slot. Shared by the versions, the WAL and readers.
struct Row {
  std::vector<Value> values;
  /// The output texts of `values`; empty where NULL.
  std::vector<std::string> texts;

  bool is_null(std::uint16_t slot) const { return slot >= values.size() || values[slot].null; }
};
using RowRef = std::shared_ptr<const Row>;

/// One change as logical decoding will find it.
struct LoggedChange {
  holdfast::postgres::ChangeKind kind = holdfast::postgres::ChangeKind::insert;
  Lsn lsn;
  TableVersionRef table;
  RowRef old_row;                          ///< update, erase
  RowRef new_row;                          ///< insert, update
  std::vector<TableVersionRef> truncated;  ///< truncate: all its tables
  std::vector<bool> unchanged;             ///< by slot: large values the update left alone
};

enum class TransactionState : std::uint8_t {
  in_progress,
  logged,     ///< commit record written, still in the proc array
  committed,  ///< visible
  aborted,
  lost,  ///< was logged or committed, but a crash took its unflushed record
};

struct Transaction {
  std::uint64_t ordinal = 0;  ///< never reused, unlike xids after a crash
  FullXid xid;                ///< 0 until the first write
  TransactionState state = TransactionState::in_progress;
  Lsn first_record_end;  ///< when its first WAL record is safe, so is its xid; 0: none
  Lsn commit_lsn;        ///< start of the commit record
  Lsn end_lsn;
  std::int64_t commit_time_us = 0;
  std::uint64_t shown = 0;  ///< which commit it was, counted as they became visible; 0: it did not
  std::vector<LoggedChange> changes;

  bool running() const {
    return state == TransactionState::in_progress || state == TransactionState::logged;
  }
  bool dead() const {
    return state == TransactionState::aborted || state == TransactionState::lost;
  }
};

class Transactions {
 public:
  explicit Transactions(FullXid first);

  Transaction& begin();
  /// Gives the transaction its xid if it has none yet; true: it was given now.
  bool assign_xid(Transaction& transaction);
  /// Out of the proc array. REQUIRES: state set to its final value.
  void end(Transaction& transaction);
  /// Without insert_lsn, which the caller reads from the WAL afterwards.
  Snapshot snapshot() const;
  /// Those with an xid that are still in the proc array, by ascending xid.
  std::vector<const Transaction*> running() const;
  /// A crash: everything unfinished is aborted, unflushed commits are lost, unsafe xids come back.
  /// How many of the lost were visible.
  std::size_t crash(Lsn flushed);

  const std::deque<std::unique_ptr<Transaction>>& all() const { return all_; }
  FullXid next_xid() const { return next_xid_; }
  /// How many crashes there were: each may have taken commits back.
  std::uint64_t crashes() const { return crashes_; }

 private:
  FullXid first_xid_;
  FullXid next_xid_;
  FullXid latest_completed_;
  std::uint64_t shown_ = 0;
  std::uint64_t crashes_ = 0;
  std::deque<std::unique_ptr<Transaction>> all_;
  std::vector<Transaction*> proc_array_;  ///< running with an xid, ascending
};

/// Whether `snapshot`, taken on this server, sees the transaction. Exact: by full xid.
bool sees(const Snapshot& snapshot, const Transaction& transaction);

}  // namespace holdfast::sim::postgres
