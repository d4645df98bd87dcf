// env::Disk over the files of a POSIX system. Called from I/O worker threads: every call may block.
// Thread-safe as a Disk; one File belongs to one thread at a time. Retries EINTR and short
// transfers, and never retries a failed sync.
#pragma once

#include "core/env/disk.hpp"

namespace holdfast::production {

class PosixDisk : public env::Disk {
 public:
  /// Opens an existing regular file, or for create_new a file that must not exist yet (mode 0644).
  env::DiskResult<std::unique_ptr<env::File>> open(const std::string& path,
                                                   env::OpenMode mode) override;
  env::DiskResult<void> remove(const std::string& path) override;
  env::DiskResult<void> create_directory(const std::string& path) override;
  env::DiskResult<std::vector<std::string>> list(const std::string& path) override;
  env::DiskResult<void> sync_directory(const std::string& path) override;
  const char* sqlite_vfs() const override { return nullptr; }
};

}  // namespace holdfast::production
