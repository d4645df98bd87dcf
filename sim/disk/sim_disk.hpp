// One machine's simulated disk: inodes, names, what is not yet synced, and the mounts through which
// engine instances use it. Owned by the world; outlives its mounts. One thread only.
//
// The model: what a process wrote is seen by all at once (page cache). Only `sync` of a file makes
// its bytes survive a power loss, only `sync_directory` the creations and removals in a directory;
// before that each may be there or not, writes also in part, by 512-byte sectors. kill -9 of a
// mount loses nothing that was written. Not modelled: README.md of this folder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/time.hpp"
#include "core/env/random.hpp"
#include "sim/disk/node.hpp"
#include "sim/disk/operation.hpp"

namespace holdfast::sim {

class Mount;

/// Whatever is referred to here outlives the mounts, or is taken out before it goes.
struct SimDiskOptions {
  env::Random& random;
  std::uint64_t path = 0;            ///< who draws: the machine's structural hash
  DiskFaults* faults = nullptr;      ///< null: none
  DiskObserver* observer = nullptr;  ///< null: nobody watches
  Pause pause = {};                  ///< empty: no operation ever waits
  Latencies latency = {};
  /// What SQLite is told the time is. Empty: always 2026-01-01.
  std::function<WallTime()> wall_time = {};
};

class SimDisk {
 public:
  explicit SimDisk(SimDiskOptions options);
  /// REQUIRES: no mount is left.
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  /// A view of the disk for one instance of the engine; `incarnation` is what operations are
  /// labelled with. The mount must outlive every handle and SQLite connection made through it.
  std::unique_ptr<Mount> mount(std::uint64_t incarnation);

  /// Kills every mount; each pending operation is kept, dropped or torn. Neither waits nor counts
  /// as an operation. May be called from the hooks.
  void power_loss(CrashPolicy policy = CrashPolicy::drawn);

  /// Hooks, waiting and latencies may be changed between operations.
  SimDiskOptions& options() { return options_; }
  /// The number of the last operation.
  std::uint64_t operations() const { return operations_; }
  /// Of every name and every byte that readers see now.
  Hash128 fingerprint() const;

  /// Absolute, without ".", ".." and doubled slashes. There is no current directory but "/".
  static std::string normal_path(std::string_view path);

 private:
  friend class Mount;
  friend class OpenFile;
  friend class SqliteHandle;
  friend class SqliteVfs;

  struct Place {
    std::shared_ptr<DirectoryNode> parent;  ///< null: the parent does not exist
    std::string name;                       ///< empty: the root itself
    Entry entry;                            ///< empty: no such name
  };
  /// `path` must be normal.
  Place locate(const std::string& path) const;
  std::shared_ptr<FileNode> create_file(const Place& place, const std::string& path);
  void create_directory(const Place& place, const std::string& path);
  Fates fates_for(std::uint64_t key, std::uint64_t pending, CrashPolicy policy);
  void crash_tree(DirectoryNode& directory, CrashPolicy policy);

  SimDiskOptions options_;
  std::shared_ptr<DirectoryNode> root_;
  std::vector<Mount*> mounts_;
  std::uint64_t operations_ = 0;
  std::uint64_t next_mount_ = 1;
  std::uint64_t next_temporary_ = 1;
  std::uint64_t mishaps_ = 0;  ///< power losses and failed syncs: each draws anew
};

}  // namespace holdfast::sim
