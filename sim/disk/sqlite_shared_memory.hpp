// The WAL index of one database file: shared memory and its eight lock slots, as the connections of
// all mounts of a machine see them (SQLite's unix VFS maps the "-shm" file).
//
// Each mount has its own copy of the memory, because a killed mount's SQLite still writes to its
// pointers while it returns its errors, and that must not reach the living. Copies are made equal
// at every point where another mount may run next: `publish`. With one mount nothing is copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace holdfast::sim {

class SqliteSharedMemory {
 public:
  /// What one mount has mapped. Kept alive by its connections, also after the mount's death.
  struct View {
    std::uint64_t mount = 0;  ///< which mount, by its number on the disk
    std::vector<std::unique_ptr<std::byte[]>> regions;
    std::size_t connections = 0;
  };

  /// One connection's part. Owned by its handle.
  struct Connection {
    std::shared_ptr<View> view;     ///< null: not attached
    std::uint16_t shared_mask = 0;  ///< slots it holds, one bit each
    std::uint16_t exclusive_mask = 0;
  };

  /// The first connection of all finds the memory zeroed, and so recovers it from the WAL.
  void attach(Connection& connection, std::uint64_t mount);
  /// Gives its slots back. True: no connection of its mount is left.
  bool detach(Connection& connection);
  /// Like detach, but the connection keeps its view: SQLite holds pointers into it.
  void abandon(Connection& connection);

  /// The region's address, for as long as the connection is attached; null if it does not exist and
  /// is not to be made. REQUIRES: every region of a file has the same size.
  std::byte* map(Connection& connection, std::size_t region, std::size_t size_bytes, bool extend);

  bool lock_shared(Connection& connection, std::uint16_t mask);
  bool lock_exclusive(Connection& connection, std::uint16_t mask);
  void unlock(Connection& connection, std::uint16_t mask);

  /// Shows what this connection wrote to all other mounts. SQLite writes to the index only while
  /// it holds a slot exclusively, so without one there is nothing to show.
  void publish(const Connection& connection);

 private:
  void leave(Connection& connection);

  std::vector<Connection*> connections_;
  std::vector<std::shared_ptr<View>> views_;  ///< of living mounts; equal between publishes
  std::size_t region_bytes_ = 0;
};

}  // namespace holdfast::sim
