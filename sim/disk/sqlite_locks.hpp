// SQLite's five lock levels on one database file, between the connections of all mounts of a
// machine. Repeats what SQLite's unix VFS obtains from POSIX advisory locks; never waits.
#pragma once

#include <cstdint>
#include <vector>

namespace holdfast::sim {

/// The order and the values are SQLite's.
enum class LockLevel : std::uint8_t { none = 0, shared, reserved, pending, exclusive };

/// One connection's lock on one file. Owned by its handle.
struct LockHolder {
  LockLevel level = LockLevel::none;
};

class SqliteLocks {
 public:
  /// True: the holder now has at least `wanted`. False: others are in the way; a holder that wanted
  /// EXCLUSIVE may be left with PENDING, which keeps new readers out.
  bool acquire(LockHolder& holder, LockLevel wanted);
  /// Down to SHARED or NONE.
  void release(LockHolder& holder, LockLevel remaining);
  bool is_reserved() const;

 private:
  LockLevel highest_of_others(const LockHolder& holder) const;

  std::vector<LockHolder*> holders_;  ///< those above NONE
};

}  // namespace holdfast::sim
