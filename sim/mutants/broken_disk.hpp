// Disks that say more than they did: an instance's files (env::Disk), and the machine's, on which
// SQLite runs.
#pragma once

#include <string>
#include <vector>

#include "core/env/disk.hpp"
#include "sim/disk/operation.hpp"
#include "sim/mutants/mutant_set.hpp"

namespace holdfast::sim::mutants {

class BrokenDisk final : public env::Disk {
 public:
  /// `inner` outlives it.
  BrokenDisk(const MutantSet& set, env::Disk& inner) : set_(set), inner_(inner) {}

  env::DiskResult<std::unique_ptr<env::File>> open(const std::string& path,
                                                   env::OpenMode mode) override;
  env::DiskResult<void> remove(const std::string& path) override { return inner_.remove(path); }
  env::DiskResult<void> create_directory(const std::string& path) override {
    return inner_.create_directory(path);
  }
  env::DiskResult<std::vector<std::string>> list(const std::string& path) override {
    return inner_.list(path);
  }
  env::DiskResult<void> sync_directory(const std::string& path) override;
  const char* sqlite_vfs() const override { return inner_.sqlite_vfs(); }

 private:
  MutantSet set_;
  env::Disk& inner_;
};

/// Syncs of SQLite's log do nothing, if the set says so; all else is decided by `inner`.
class LogWithoutSync final : public DiskFaults {
 public:
  LogWithoutSync(const MutantSet& set, DiskFaults& inner) : set_(set), inner_(inner) {}
  FaultDecision decide(const Operation& operation) override;

 private:
  MutantSet set_;
  DiskFaults& inner_;
};

}  // namespace holdfast::sim::mutants
