// The rows of one table as versions (MVCC) with an index on the primary key, and its lock. Owned by
// the model; versions are kept for ever, so that any snapshot of a run can be asked later. As in
// Postgres, TRUNCATE gives the table new storage, and when it commits the old storage is gone for
// every snapshot; here the old versions stay, and only first_stored() tells them apart.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/postgres/storage/transactions.hpp"

namespace holdfast::sim::postgres {

class Table;

struct RowVersion {
  RowRef row;
  Transaction* created = nullptr;
  Transaction* deleted = nullptr;  ///< the last that deleted or replaced it; its fate decides
};

/// How the table of some name was between two changes of its columns or its identity. Kept for
/// ever, as row versions are: who was answered before a change was answered by this.
struct TableForm {
  const Table* table = nullptr;  ///< nullptr: there was no table of this name
  TableVersionRef version;
  Lsn since;  ///< commit of the change that began it
  FullXid by;
};

/// Who holds the table. Writers share; TRUNCATE and ALTER TABLE exclude writers and readers.
struct TableLock {
  std::vector<const Transaction*> writers;
  const Transaction* exclusive = nullptr;
  unsigned readers = 0;            ///< snapshot transactions that have read it
  unsigned exclusive_waiting = 0;  ///< new writers queue behind these

  bool others_write(const Transaction* self) const;
  bool writes(const Transaction* self) const;
};

class Table {
 public:
  explicit Table(TableVersionRef version);

  const TableVersionRef& current() const { return current_; }
  void set_current(TableVersionRef version) { current_ = std::move(version); }
  TableLock& lock() { return lock_; }
  const TableLock& lock() const { return lock_; }

  const std::deque<RowVersion>& versions() const { return versions_; }
  RowVersion& at(std::size_t index) { return versions_[index]; }
  void add(RowVersion version);
  /// TRUNCATE: deletes all live versions; every version so far loses its storage if `by` commits.
  /// REQUIRES: `by` holds the table exclusively.
  void truncate(Transaction& by);
  /// Versions from this index on are in storage that no committed TRUNCATE threw away.
  std::size_t first_stored() const;
  /// Indexes of all versions that ever had this key, oldest first; nullptr: none.
  const std::vector<std::size_t>* with_key(const std::string& key) const;
  /// The key under which equal primary keys are equal bytes. Empty without a primary key.
  std::string key_of(const Row& row) const;
  /// The cell position of a new column, or of one in another type.
  std::uint16_t take_slot() { return next_slot_++; }
  std::uint16_t take_column_number() { return ++last_column_number_; }
  /// Gives every version, live or not, the row that `rewritten` makes of its own; an error changes
  /// nothing.
  SqlResult<void> rewrite(const std::function<SqlResult<RowRef>(const Row&)>& rewritten);

 private:
  struct Truncation {
    const Transaction* by = nullptr;
    std::size_t versions = 0;  ///< how many there were: those before this index
  };

  TableVersionRef current_;
  TableLock lock_;
  std::uint16_t next_slot_ = 0;
  std::uint16_t last_column_number_ = 0;
  std::deque<RowVersion> versions_;
  std::vector<Truncation> truncations_;  // `versions` never falls: the last that committed decides
  std::unordered_map<std::string, std::vector<std::size_t>> by_key_;  // looked up, never iterated
};

/// A value's part of an index key: equal values give equal bytes.
void append_key_part(std::string& key, const Value& value);

}  // namespace holdfast::sim::postgres
