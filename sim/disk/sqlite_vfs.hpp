// A SQLite VFS over the inodes of a simulated disk, one per mount, registered under a name of its
// own while the mount lives. Repeats what SQLite's unix VFS does where durability, locking or the
// directory's content depend on it; differences are stated in README.md of this folder.
//
// Every callback is noexcept and answers in return codes. A dead mount's connections get
// SQLITE_IOERR from whatever would have an effect and SQLITE_OK from what only gives back, so that
// SQLite can return its errors and close.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "sim/disk/mount.hpp"

namespace holdfast::sim {

/// Before each run: fixes the seed of SQLite's PRNG, which is one per operating system process and
/// decides WAL salts and temporary names.
void seed_sqlite(std::uint32_t seed);

class SqliteVfs {
 public:
  explicit SqliteVfs(Mount& mount);
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  const char* name() const { return name_.c_str(); }

 private:
  static SqliteVfs& self(sqlite3_vfs* vfs) { return *static_cast<SqliteVfs*>(vfs->pAppData); }
  int open(const char* name, sqlite3_file* into, int flags, int* out_flags);
  int remove(const char* name, bool sync_directory);
  int access(const char* name, int* exists);
  void randomness(int count, char* into);
  int sleep(int microseconds);
  std::int64_t julian_ms() const;

  Mount& mount_;
  std::string name_;
  sqlite3_vfs vfs_{};
  std::uint64_t draws_ = 0;
};

/// One open file of a connection: a database, a WAL, a journal or a temporary file.
class SqliteHandle {
 public:
  enum class DirectorySync : std::uint8_t { none, with_first_sync };
  SqliteHandle(Mount& mount, std::shared_ptr<FileNode> node, std::string path,
               DirectorySync directory_sync);
  ~SqliteHandle();
  SqliteHandle(const SqliteHandle&) = delete;
  SqliteHandle& operator=(const SqliteHandle&) = delete;

  /// Gives back locks and shared memory; SQLite's pointers into the latter stay valid.
  void on_kill();

  int read(void* into, int count, sqlite3_int64 offset);
  int write(const void* from, int count, sqlite3_int64 offset);
  int truncate(sqlite3_int64 size);
  int sync();
  int size(sqlite3_int64* into);
  int lock(int level);
  int unlock(int level);
  int check_reserved(int* reserved);
  int control(int operation, void* argument);
  int map_shared_memory(int region, int size_bytes, int extend, void volatile** into);
  int lock_shared_memory(int first, int count, int flags);
  void barrier();
  int unmap_shared_memory(bool remove);

  static const sqlite3_io_methods* methods();

 private:
  /// An operation without offset on this file: numbered, decided, waited for.
  Failed pass(OperationKind kind);
  /// What this connection wrote to shared memory becomes visible to other mounts. Called at each
  /// lock, unlock, barrier and sync: what SQLite writes in between (entries of frames that are not
  /// committed yet) nobody else looks at.
  void publish();
  int attach_shared_memory();

  OpenFile file_;
  DirectorySync directory_sync_;
  LockHolder lock_;
  SqliteSharedMemory::Connection shared_;
  bool persist_wal_ = false;
};

}  // namespace holdfast::sim
