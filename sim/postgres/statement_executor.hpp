// Executes workload statements under READ COMMITTED: finds the rows a fresh statement snapshot
// shows, takes locks, makes versions, writes WAL. Never waits: what another transaction holds is
// answered with `blocked` and no effect.
#pragma once

#include <map>

#include "sim/postgres/statement.hpp"
#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/storage/transactions.hpp"
#include "sim/postgres/stream/wal.hpp"

namespace holdfast::sim::postgres {

using Tables = std::map<RelationName, std::unique_ptr<Table>>;

class StatementExecutor {
 public:
  /// `toast_bytes`: values at least this long are stored apart, so that an UPDATE that leaves them
  /// alone streams them as unchanged; 0: none are.
  StatementExecutor(Tables& tables, Transactions& transactions, Wal& wal, std::size_t toast_bytes)
      : tables_(tables), transactions_(transactions), wal_(wal), toast_bytes_(toast_bytes) {}

  ExecuteResult execute(Transaction& transaction, const Statement& statement);
  /// Gives back the table locks of a transaction that has ended.
  void release_locks(const Transaction& transaction);

 private:
  struct Target {
    std::size_t version;
    RowRef new_row;  // update
  };

  ExecuteResult insert(Transaction& transaction, Table& table, const Statement& statement);
  ExecuteResult modify(Transaction& transaction, Table& table, const Statement& statement);
  ExecuteResult truncate(Transaction& transaction, const Statement& statement);
  SqlResult<std::vector<std::size_t>> find_rows(const Transaction& transaction, const Table& table,
                                                const Statement& statement) const;
  bool row_matches(const TableVersion& version, const Row& row,
                   const std::vector<std::pair<std::uint16_t, Value>>& where) const;
  ExecuteResult apply_update(Transaction& transaction, Table& table, const Statement& statement,
                             const std::vector<std::size_t>& rows);
  void erase_rows(Transaction& transaction, Table& table, const std::vector<std::size_t>& rows);
  void log(Transaction& transaction, LoggedChange change);
  void assign_xid(Transaction& transaction) { transactions_.assign_xid(transaction); }

  enum class KeyState { free, taken, locked };
  KeyState key_state(const Transaction& transaction, const Table& table,
                     const std::string& key) const;
  bool lock_shared(Transaction& transaction, Table& table);

  Tables& tables_;
  Transactions& transactions_;
  Wal& wal_;
  std::size_t toast_bytes_;
};

}  // namespace holdfast::sim::postgres
