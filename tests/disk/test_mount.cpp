// The disk as the engine uses it: files, faults, dead incarnations, the hooks.
#include <array>
#include <set>

#include "sim/disk/crash_point.hpp"
#include "tests/disk/mount_fixture.hpp"

namespace holdfast::sim {
namespace {

TEST_F(MountTest, AFileIsReadBackAsWritten) {
  const auto mount = disk.mount(1);
  ASSERT_TRUE(mount->create_directory("/data/segments").ok());
  auto file = mount->open("/data/segments/1", OpenMode::create_new);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file.value()->write_at(3, "def").ok());
  ASSERT_TRUE(file.value()->write_at(0, "abc").ok());
  EXPECT_EQ(content("data//segments/./x/../1"), "abcdef") << "paths are normalised";
  std::array<char, 10> into{};
  EXPECT_EQ(file.value()->read(4, into).value(), 2U) << "short only at the end";
  EXPECT_EQ(file.value()->read(6, into).value(), 0U);
  ASSERT_TRUE(file.value()->truncate(2).ok());
  EXPECT_EQ(content("/data/segments/1"), "ab");
}

TEST_F(MountTest, ErrorsSayWhatIsMissing) {
  const auto mount = disk.mount(1);
  const auto missing = mount->open("/no/such", OpenMode::read_write);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, DiskFailure::not_found);
  EXPECT_EQ(missing.error().message, "open /no/such: no such file or directory");
  EXPECT_EQ(mount->open("/no/such", OpenMode::create_new).error().kind, DiskFailure::not_found);
  EXPECT_EQ(mount->remove("/x").error().kind, DiskFailure::not_found);
  EXPECT_EQ(mount->list("/x").error().kind, DiskFailure::not_found);
  EXPECT_EQ(mount->sync_directory("/x").error().kind, DiskFailure::not_found);
  keep(*mount, "/f", "");
  EXPECT_EQ(mount->open("/f", OpenMode::create_new).error().kind, DiskFailure::io);
  EXPECT_EQ(mount->create_directory("/f/g").error().kind, DiskFailure::io);
}

TEST_F(MountTest, AnOpenHandleOutlivesTheRemovalOfItsName) {
  const auto mount = disk.mount(1);
  keep(*mount, "/f", "old");
  auto file = mount->open("/f", OpenMode::read_only);
  ASSERT_TRUE(mount->remove("/f").ok());
  keep(*mount, "/f", "new");
  std::array<char, 3> into{};
  ASSERT_EQ(file.value()->read(0, into).value(), 3U);
  EXPECT_EQ(std::string(into.data(), 3), "old");
}

TEST_F(MountTest, ListingsAreSorted) {
  const auto mount = disk.mount(1);
  for (const char* name : {"/b", "/a", "/c"}) keep(*mount, name, "");
  ASSERT_TRUE(mount->create_directory("/aa").ok());
  EXPECT_EQ(mount->list("/").value(), (std::vector<std::string>{"a", "aa", "b", "c"}));
}

TEST_F(MountTest, ADeadHandleHasNoEffect) {
  const auto mount = disk.mount(1);
  keep(*mount, "/f", "abc");
  auto file = mount->open("/f", OpenMode::read_write);
  ASSERT_TRUE(file.value()->write_at(0, "x").ok());
  mount->kill();
  const Hash128 before = disk.fingerprint();
  const std::uint64_t operations = disk.operations();
  std::array<char, 3> into{};
  EXPECT_EQ(file.value()->write_at(0, "y").error().kind, DiskFailure::dead);
  EXPECT_EQ(file.value()->truncate(0).error().kind, DiskFailure::dead);
  EXPECT_EQ(file.value()->sync().error().kind, DiskFailure::dead);
  EXPECT_EQ(file.value()->size().error().kind, DiskFailure::dead);
  EXPECT_EQ(file.value()->read(0, into).error().kind, DiskFailure::dead);
  EXPECT_EQ(mount->open("/g", OpenMode::create_new).error().kind, DiskFailure::dead);
  EXPECT_EQ(mount->remove("/f").error().kind, DiskFailure::dead);
  EXPECT_EQ(mount->create_directory("/d").error().kind, DiskFailure::dead);
  EXPECT_EQ(mount->sync_directory("/").error().kind, DiskFailure::dead);
  EXPECT_EQ(mount->list("/").error().kind, DiskFailure::dead);
  EXPECT_EQ(disk.fingerprint(), before);
  EXPECT_EQ(disk.operations(), operations);
  EXPECT_EQ(content("/f"), "xbc") << "kill -9 keeps what was written";
}

TEST_F(MountTest, AnOperationThatWaitsWhenItsMountDiesHasNoEffect) {
  const auto mount = disk.mount(1);
  keep(*mount, "/f", "abc");
  auto file = mount->open("/f", OpenMode::read_write);
  disk.options().latency[static_cast<std::size_t>(OperationKind::write)] =
      std::chrono::microseconds(20);
  disk.options().pause = [&](const char* label, Duration latency) {
    EXPECT_STREQ(label, "disk.write");
    EXPECT_EQ(latency, std::chrono::microseconds(20));
    disk.power_loss();
  };
  EXPECT_EQ(file.value()->write_at(0, "y").error().kind, DiskFailure::dead);
  EXPECT_EQ(content("/f"), "abc");
}

TEST_F(MountTest, AStallIsAddedToTheLatency) {
  const auto mount = disk.mount(1);
  std::vector<std::pair<std::string, Duration>> waits;
  disk.options().pause = [&](const char* label, Duration latency) {
    waits.emplace_back(label, latency);
  };
  disk.options().latency[static_cast<std::size_t>(OperationKind::create)] = Duration{5};
  script.on_decide = [](const Operation& op) {
    FaultDecision decision;
    if (op.kind != OperationKind::write) decision.stall = Duration{100};
    return decision;
  };
  auto file = mount->open("/f", OpenMode::create_new);
  ASSERT_TRUE(file.value()->write_at(0, "x").ok());
  ASSERT_TRUE(file.value()->sync().ok());
  EXPECT_EQ(waits, (std::vector<std::pair<std::string, Duration>>{{"disk.create", Duration{105}},
                                                                  {"disk.sync", Duration{100}}}));
}

TEST_F(MountTest, AFailedWriteChangesNothingOrLeavesAPrefix) {
  const auto mount = disk.mount(1);
  keep(*mount, "/f", "abcdef");
  auto file = mount->open("/f", OpenMode::read_write);
  fault(OperationKind::write, DiskFailure::no_space);
  const auto full = file.value()->write_at(4, "XYZ");
  EXPECT_EQ(full.error().kind, DiskFailure::no_space);
  EXPECT_EQ(full.error().message, "write /f: no space left on device at offset 4");
  fault(OperationKind::write, DiskFailure::io, 2);
  EXPECT_EQ(file.value()->write_at(1, "XYZ").error().kind, DiskFailure::io);
  script.on_decide = {};
  EXPECT_EQ(content("/f"), "aXYdef");
}

TEST_F(MountTest, OtherFailedOperationsChangeNothing) {
  const auto mount = disk.mount(1);
  keep(*mount, "/f", "abcdef");
  auto file = mount->open("/f", OpenMode::read_write);
  const Hash128 before = disk.fingerprint();
  std::array<char, 3> into{};
  fault(OperationKind::truncate, DiskFailure::io);
  EXPECT_EQ(file.value()->truncate(1).error().kind, DiskFailure::io);
  fault(OperationKind::read, DiskFailure::io);
  EXPECT_EQ(file.value()->read(0, into).error().kind, DiskFailure::io);
  fault(OperationKind::remove, DiskFailure::io);
  EXPECT_EQ(mount->remove("/f").error().kind, DiskFailure::io);
  fault(OperationKind::create, DiskFailure::no_space);
  EXPECT_EQ(mount->open("/g", OpenMode::create_new).error().kind, DiskFailure::no_space);
  fault(OperationKind::create_directory, DiskFailure::no_space);
  EXPECT_EQ(mount->create_directory("/d/e").error().kind, DiskFailure::no_space);
  EXPECT_EQ(disk.fingerprint(), before);
}

TEST_F(MountTest, OperationsAreNumberedAndObservedOnce) {
  std::vector<std::string> seen;
  script.on_done = [&](const Operation& op) {
    seen.push_back(std::to_string(op.number) + " " + std::to_string(op.incarnation) + " " +
                   std::string(operation_name(op.kind)) + std::to_string(op.ordinal) + " " +
                   std::string(op.path) + (op.failure ? " failed" : ""));
  };
  const auto one = disk.mount(7);
  const auto two = disk.mount(8);
  auto file = one->open("/f", OpenMode::create_new);
  ASSERT_TRUE(file.value()->write_at(0, "x").ok());
  ASSERT_TRUE(two->open("/f", OpenMode::read_only).ok());
  ASSERT_FALSE(two->remove("/g").ok());
  ASSERT_TRUE(file.value()->write_at(1, "x").ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"1 7 create1 /f", "2 7 write1 /f", "3 8 open1 /f",
                                            "4 8 remove1 /g failed", "5 7 write2 /f"}));
}

TEST_F(MountTest, ACrashPointStrikesBeforeOrAfterItsOperation) {
  for (const CrashMoment moment : {CrashMoment::before, CrashMoment::after}) {
    KeyedRandom draws(1);
    SimDisk other({.random = draws});
    const auto mount = other.mount(1);
    CrashPoint crash(2, moment, [&] { mount->kill(); });
    other.options().faults = &crash;
    other.options().observer = &crash;
    {
      auto file = mount->open("/f", OpenMode::create_new);
      EXPECT_FALSE(crash.struck());
      EXPECT_EQ(file.value()->write_at(0, "x").error().kind, DiskFailure::dead)
          << "whoever dies is not told that it worked";
    }
    EXPECT_TRUE(crash.struck());
    const auto after = other.mount(2);
    EXPECT_EQ(after->open("/f", OpenMode::read_only).value()->size().value(),
              moment == CrashMoment::before ? 0U : 1U);
  }
}

/// A life of four mounts with power losses in between; what is left in the end.
Hash128 left_after_some_crashes(std::uint64_t seed) {
  KeyedRandom draws(seed);
  SimDisk other({.random = draws});
  for (std::uint64_t life = 0; life < 4; ++life) {
    const auto mount = other.mount(life);
    for (std::uint64_t i = 0; i < 6; ++i) {
      auto file = mount->open("/" + std::to_string(life * 10 + i), OpenMode::create_new);
      EXPECT_TRUE(file.value()->write_at(i * 100, std::string(2000, 'a')).ok());
      EXPECT_TRUE(i % 2 == 1 || file.value()->sync().ok());
      EXPECT_TRUE(file.value()->write_at(i * 50, std::string(1000, 'b')).ok());
    }
    other.power_loss();
  }
  return other.fingerprint();
}

TEST_F(MountTest, TheSameSeedLeavesTheSameBytes) {
  std::set<Hash128> distinct;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Hash128 first = left_after_some_crashes(seed);
    EXPECT_EQ(first, left_after_some_crashes(seed));
    distinct.insert(first);
  }
  EXPECT_GT(distinct.size(), 15U);
}

// Removing one file from a history must not change what a crash does to the others (reduction).
TEST_F(MountTest, TheFateOfAFileDoesNotDependOnOtherFiles) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::vector<std::string> outcomes;
    for (const bool with_other : {false, true}) {
      KeyedRandom draws(seed);
      SimDisk machine({.random = draws});
      const auto mount = machine.mount(1);
      if (with_other) keep(*mount, "/other", "y");
      {
        auto file = mount->open("/f", OpenMode::create_new);
        ASSERT_TRUE(mount->sync_directory("/").ok());
        ASSERT_TRUE(file.value()->write_at(0, std::string(5000, 'a')).ok());
        ASSERT_TRUE(file.value()->write_at(700, std::string(5000, 'b')).ok());
      }
      machine.power_loss(CrashPolicy::independent);
      const auto after = machine.mount(2);
      auto file = after->open("/f", OpenMode::read_only);
      std::string bytes(file.value()->size().value(), '\0');
      ASSERT_TRUE(file.value()->read(0, bytes).ok());
      outcomes.push_back(bytes);
    }
    EXPECT_EQ(outcomes[0], outcomes[1]);
  }
}

}  // namespace
}  // namespace holdfast::sim
