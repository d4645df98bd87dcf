// A database small enough to be obviously right: row versions by transaction, commit records in one
// order, visibility in another, as Postgres promises and no further. For the property test of outer
// shapes.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/postgres/stream.hpp"

namespace holdfast::subquery::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(combine64(seed_, ++draws_) % n);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  const T& one_of(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

using Cells = std::vector<std::optional<std::string>>;
using Rows = std::map<std::string, Cells>;  ///< by primary key, the first cell

struct RowChange {
  std::string table;
  std::optional<Cells> before;
  std::optional<Cells> after;
};

struct Committed {
  std::uint32_t xid = 0;
  postgres::Lsn commit_lsn;
  std::vector<RowChange> changes;
};

class SmallDatabase {
 public:
  /// A transaction that made some changes and runs on.
  void start(Dice& dice);
  /// Writes the commit record of some running transaction; nobody sees it yet.
  void commit(Dice& dice);
  /// Some transaction with a commit record leaves the array of running ones.
  void show(Dice& dice);
  bool quiet() const { return running_.empty() && hidden_.empty(); }

  postgres::Snapshot snapshot() const;
  bool sees_all_of(const std::set<std::uint32_t>& xids) const;
  const std::set<std::uint32_t>& hidden() const { return hidden_; }
  postgres::Lsn insert_lsn() const { return {1000 + 10 * wal.size()}; }
  /// What a statement sees now.
  Rows visible_rows(const std::string& table) const;
  /// The table after the first `commits` commit records.
  Rows rows_after(const std::string& table, std::size_t commits) const;

  std::vector<Committed> wal;

 private:
  struct Version {
    std::uint32_t xid = 0;
    std::optional<Cells> cells;
  };
  Cells make_row(Dice& dice, const std::string& table, std::string id);
  void change_row(Dice& dice, Committed& into);

  std::map<std::string, std::map<std::string, std::vector<Version>>> tables_;
  std::map<std::uint32_t, Committed> running_;
  std::set<std::uint32_t> hidden_;  ///< with a commit record
  std::uint32_t next_xid_ = 100;
};

}  // namespace holdfast::subquery::test
