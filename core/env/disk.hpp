// Files as the engine uses them outside SQLite. Called from store jobs only (runtime::Worker), so a
// call may block a pool thread in production and suspends a worker fiber in the simulator. Any call
// may fail; after a crash whatever was not synced may be kept, dropped or torn.
//
// SQLite does not come through here: it runs on the VFS named by sqlite_vfs(), over the same
// inodes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace holdfast::env {

enum class DiskFailure : std::uint8_t {
  not_found,
  no_space,  ///< ENOSPC
  io,        ///< EIO, short write, failed sync
  dead,      ///< this handle belongs to an incarnation that no longer exists (simulator only)
};

struct DiskError {
  DiskFailure kind = DiskFailure::io;
  std::string message;  ///< names path, operation and offset
};

template <class T>
using DiskResult = Result<T, DiskError>;

/// An open regular file. Closed by its destructor, which reports nothing: sync first.
class File {
 public:
  virtual ~File() = default;
  /// Reads up to `into.size()` bytes at `offset`; fewer only at the end of the file.
  virtual DiskResult<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
  /// Writes all of `bytes` at `offset`, extending the file as needed.
  virtual DiskResult<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;
  virtual DiskResult<void> truncate(std::uint64_t size) = 0;
  virtual DiskResult<std::uint64_t> size() = 0;
  /// After this returns ok the content (not the directory entry) survives power loss. A failed sync
  /// is never retried in place: what it covered is unknown from then on.
  virtual DiskResult<void> sync() = 0;
};

enum class OpenMode : std::uint8_t { read_only, read_write, create_new };

class Disk {
 public:
  virtual ~Disk() = default;
  virtual DiskResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual DiskResult<void> remove(const std::string& path) = 0;
  /// Creates the directory and its parents; an existing one is fine.
  virtual DiskResult<void> create_directory(const std::string& path) = 0;
  /// Names in the directory, sorted, without "." and "..".
  virtual DiskResult<std::vector<std::string>> list(const std::string& path) = 0;
  /// Makes creations and removals in this directory survive power loss.
  virtual DiskResult<void> sync_directory(const std::string& path) = 0;
  /// The name of the SQLite VFS over this disk; nullptr means SQLite's default ("unix").
  virtual const char* sqlite_vfs() const = 0;
};

}  // namespace holdfast::env
