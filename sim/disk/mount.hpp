// One engine instance's use of a simulated disk: env::Disk for files, a SQLite VFS over the same
// inodes, and the incarnation that both carry. After `kill` every operation of the mount fails
// without effect, its SQLite locks and its part of shared memory are gone; handles and connections
// may then be closed at leisure. Owned by the world; outlives all its handles. One thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/env/disk.hpp"
#include "sim/disk/node.hpp"
#include "sim/disk/operation.hpp"
#include "sim/disk/sim_disk.hpp"

namespace holdfast::sim {

class SqliteHandle;
class SqliteVfs;

/// nullopt: the operation took effect.
using Failed = std::optional<env::DiskFailure>;

enum class OpenHow : std::uint8_t { existing, create_if_missing, create_new };

class Mount final : public env::Disk {
 public:
  /// Made by SimDisk::mount. `number` is unique on the disk, `incarnation` whatever the world says.
  Mount(SimDisk& disk, std::uint64_t incarnation, std::uint64_t number);
  /// REQUIRES: every handle and SQLite connection is closed, no operation is under way.
  ~Mount() override;
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  /// kill -9: what was written stays written. Idempotent; may be called from the hooks.
  void kill();
  bool alive() const { return alive_; }
  std::uint64_t incarnation() const { return incarnation_; }
  /// Open files and SQLite files: zero before the mount may go.
  std::size_t open_handles() const { return open_handles_; }

  env::DiskResult<std::unique_ptr<env::File>> open(const std::string& path,
                                                   env::OpenMode mode) override;
  env::DiskResult<void> remove(const std::string& path) override;
  env::DiskResult<void> create_directory(const std::string& path) override;
  env::DiskResult<std::vector<std::string>> list(const std::string& path) override;
  env::DiskResult<void> sync_directory(const std::string& path) override;
  const char* sqlite_vfs() const override;

 private:
  friend class OpenFile;
  friend class SqliteHandle;
  friend class SqliteVfs;

  /// First half of an operation: number, fate, wait. A value: it must not take effect.
  Failed admit(Operation& operation, std::uint64_t* written_prefix_bytes = nullptr);
  /// Second half: tells the observer. Returns `outcome`, or `dead` if a crash came after it.
  Failed conclude(Operation& operation, Failed outcome);

  // Names, as both env::Disk and the VFS need them. `path` must be normal.
  Failed open_node(const std::string& path, OpenHow how, std::shared_ptr<FileNode>& node);
  Failed remove_node(const std::string& path);
  Failed sync_directory_node(const std::string& path);
  Failed create_directory_node(const std::string& path);
  /// The size of the file, nullopt if there is none.
  Failed stat_node(const std::string& path, std::optional<std::uint64_t>& size);

  SimDisk& disk_;
  std::uint64_t incarnation_;
  std::uint64_t number_;
  bool alive_ = true;
  std::size_t open_handles_ = 0;
  std::size_t waiting_ = 0;
  std::array<std::uint64_t, k_operation_kinds> ordinals_{};
  std::vector<SqliteHandle*> sqlite_handles_;
  std::unique_ptr<SqliteVfs> vfs_;
};

/// The five operations on an open file that env::File and SQLite share.
class OpenFile {
 public:
  OpenFile(Mount& mount, std::shared_ptr<FileNode> node, std::string path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  Failed read(std::uint64_t offset, std::span<char> into, std::size_t& count);
  Failed write(std::uint64_t offset, std::string_view bytes);
  Failed truncate(std::uint64_t size);
  Failed sync();
  Failed size(std::uint64_t& size);

  Mount& mount() { return mount_; }
  FileNode& node() { return *node_; }
  const std::string& path() const { return path_; }

 private:
  Operation operation(OperationKind kind, std::uint64_t offset, std::uint64_t size_bytes) const;

  Mount& mount_;
  std::shared_ptr<FileNode> node_;
  std::string path_;
};

}  // namespace holdfast::sim
