// Which journal rows hold a shape's records: the in-memory read model of the unsealed part of all
// logs. The store's index is updated by the store alone, after each commit, and looked at by this
// instance's readers from any thread; a standby's reader keeps one of its own, which it brings up
// to date inside each read transaction.
//
// An index speaks for one (epoch, sealed row) of the database. A reader whose transaction sees
// another pair must not use it: sealing moved records between its look at one and the other.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/spin_lock.hpp"
#include "core/protocol/offset.hpp"

namespace holdfast::storage {

/// One shape's section of one reference row.
struct JournalEntry {
  std::uint64_t last_tx = 0;
  std::uint64_t last_op = 0;
  std::uint64_t row = 0;
  std::uint32_t position = 0;
  std::uint32_t bytes = 0;

  protocol::LogOffset last() const { return protocol::LogOffset::at(last_tx, last_op); }
};

/// What part of the journal an index describes.
struct JournalVersion {
  std::uint64_t epoch = 0;
  std::uint64_t sealed_row = 0;  ///< rows up to here are in segments
  bool operator==(const JournalVersion&) const = default;
};

/// The answer to a look-up.
struct JournalSlice {
  std::vector<JournalEntry> entries;
  bool reaches_back = false;  ///< a record at or below `after` is still in the journal
  bool more = false;          ///< entries beyond the limit exist
};

class JournalIndex {
 public:
  /// Entries of records above `after`, at most `limit`. nullopt: this index does not speak for
  /// `version`, or has not heard of the shape: find out another way.
  std::optional<JournalSlice> find(const JournalVersion& version, std::uint64_t shape,
                                   const protocol::LogOffset& after, std::size_t limit) const;
  /// The last entry that ends at or below transaction `applied`, and all after it.
  std::optional<std::vector<JournalEntry>> tail(const JournalVersion& version, std::uint64_t shape,
                                                std::uint64_t applied) const;

  // What follows is the owner's.
  void reset();
  /// Speaks for `version` from now on. Entries at or below its sealed row are gone.
  void set_version(const JournalVersion& version);
  void add_shape(std::uint64_t shape);
  void drop_shape(std::uint64_t shape);
  void add(std::uint64_t shape, const JournalEntry& entry);
  /// Frees the memory of entries at or below the sealed row.
  void trim();
  /// Shapes with entries, ascending. Only for the owner, who alone writes.
  std::vector<std::uint64_t> shapes_with_entries() const;
  std::vector<JournalEntry> entries_of(std::uint64_t shape, std::uint64_t through_row) const;

 private:
  mutable SpinLock lock_;
  JournalVersion version_;
  std::unordered_map<std::uint64_t, std::vector<JournalEntry>> shapes_;
};

}  // namespace holdfast::storage
