// One disk with scriptable faults, and files that are there for good.
#pragma once

#include "tests/disk/support.hpp"

namespace holdfast::sim {

using env::DiskFailure;
using env::OpenMode;

class MountTest : public ::testing::Test {
 protected:
  void fault(OperationKind kind, DiskFailure failure, std::uint64_t prefix = 0) {
    script.on_decide = [=](const Operation& op) {
      FaultDecision decision;
      if (op.kind != kind) return decision;
      decision.failure = failure;
      decision.written_prefix_bytes = prefix;
      return decision;
    };
  }
  std::string content(const std::string& path) {
    const auto reader = disk.mount(99);
    auto file = reader->open(path, OpenMode::read_only);
    if (!file.ok()) return "(none)";
    std::string bytes(file.value()->size().value(), '\0');
    EXPECT_EQ(file.value()->read(0, bytes).value(), bytes.size());
    return bytes;
  }
  /// Written and synced, name and all.
  void keep(Mount& mount, const std::string& path, const std::string& bytes) {
    auto file = mount.open(path, OpenMode::create_new);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(file.value()->write_at(0, bytes).ok());
    ASSERT_TRUE(file.value()->sync().ok());
    ASSERT_TRUE(mount.sync_directory("/").ok());
  }

  KeyedRandom random{11};
  Script script;
  SimDisk disk{{.random = random, .faults = &script, .observer = &script}};
};

}  // namespace holdfast::sim
