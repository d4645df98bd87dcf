// Positions in the write-ahead log and transaction ids. Values only.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::postgres {

/// A 64-bit WAL position, full unsigned range. A transaction is named by the LSN of its commit
/// record ("final LSN"). Never kept in a signed integer (postgres.md §9.1).
struct Lsn {
  std::uint64_t value = 0;
  auto operator<=>(const Lsn&) const = default;
  /// "16/B374D848", as Postgres prints it.
  std::string to_string() const;
};

/// The 32-bit transaction id that the replication stream carries; wraps.
struct Xid {
  std::uint32_t value = 0;
  auto operator<=>(const Xid&) const = default;
};

/// The 64-bit (epoch-extended) id that snapshot functions return; never wraps.
struct FullXid {
  std::uint64_t value = 0;
  auto operator<=>(const FullXid&) const = default;
  Xid truncated() const { return {static_cast<std::uint32_t>(value)}; }
};

/// pg_current_snapshot() plus pg_current_wal_insert_lsn(), read in one statement.
struct Snapshot {
  FullXid xmin;              ///< every id below is visible or aborted
  FullXid xmax;              ///< no id from here on is visible
  std::vector<FullXid> xip;  ///< in progress when the snapshot was taken: not visible; ascending
  Lsn insert_lsn;            ///< no commit that the snapshot sees has its record beyond this
  bool operator==(const Snapshot&) const = default;

  /// Whether the effects of a committed transaction are visible. A stream's xid is extended to the
  /// epoch nearest to xmax; membership in xip uses the same extension (F-28, F-29).
  bool sees(Xid stream_xid) const;
  /// Whether everything that `other` sees is visible here too. Of two snapshots of one server, the
  /// later one includes the earlier, until a crash of the server takes ids back.
  bool includes(const Snapshot& other) const;
  FullXid extend(Xid stream_xid) const;
};

}  // namespace holdfast::postgres
