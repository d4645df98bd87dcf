// Names are durable by their directory, and by nothing else.
#include <rapidcheck.h>

#include <map>
#include <set>

#include "tests/disk/mount_fixture.hpp"

namespace holdfast::sim {
namespace {

class Names : public MountTest {};

TEST_F(Names, ASyncedFileWithoutASyncedNameMayVanish) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    KeyedRandom draws(seed);
    SimDisk other({.random = draws});
    const auto mount = other.mount(1);
    {
      auto file = mount->open("/f", OpenMode::create_new);
      ASSERT_TRUE(file.value()->write_at(0, "x").ok());
      ASSERT_TRUE(file.value()->sync().ok());
    }
    other.power_loss();
    const auto after = other.mount(2);
    seen.insert(after->list("/").value().empty() ? "gone" : "there");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"gone", "there"}));
}

TEST_F(Names, ARemovalMayComeBackUntilItsDirectoryIsSynced) {
  std::set<std::string> unsynced;
  std::set<std::string> synced;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    for (const bool sync : {false, true}) {
      KeyedRandom draws(seed);
      SimDisk other({.random = draws});
      const auto mount = other.mount(1);
      keep(*mount, "/f", "x");
      ASSERT_TRUE(mount->remove("/f").ok());
      if (sync) {
        ASSERT_TRUE(mount->sync_directory("/").ok());
      }
      other.power_loss();
      const auto after = other.mount(2);
      (sync ? synced : unsynced).insert(after->open("/f", OpenMode::read_only).ok() ? "back" : "");
    }
  }
  EXPECT_EQ(unsynced, (std::set<std::string>{"", "back"}));
  EXPECT_EQ(synced, (std::set<std::string>{""}));
}

// Names against a reference: per name, the set of inodes that may be there after a power loss.
TEST_F(Names, EachNameIsOldOrNewUntilItsDirectoryIsSynced) {
  const bool held = rc::check([] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    using NameStep = std::pair<int, char>;  // 0 create or remove, 1 sync, 2 power loss
    const auto steps = *rc::gen::container<std::vector<NameStep>>(rc::gen::pair(
        rc::gen::weightedElement<int>({{8, 0}, {2, 1}, {1, 2}}), rc::gen::element('a', 'b', 'c')));
    KeyedRandom draws(seed);
    SimDisk other({.random = draws});
    auto mount = other.mount(1);
    std::map<std::string, std::string> now;              // name -> content, absent: not there
    std::map<std::string, std::set<std::string>> legal;  // "" : not there
    for (const char* name : {"a", "b", "c"}) legal[name] = {""};
    int written = 0;
    for (const auto& [act, letter] : steps) {
      const std::string name(1, letter);
      if (act == 0 && now.count(name) == 1) {
        RC_ASSERT(mount->remove(name).ok());
        now.erase(name);
        legal[name].insert("");
      } else if (act == 0) {
        auto file = mount->open(name, OpenMode::create_new);
        now[name] = std::to_string(++written);
        RC_ASSERT(file.value()->write_at(0, now[name]).ok());
        RC_ASSERT(file.value()->sync().ok());
        legal[name].insert(now[name]);
      } else {
        if (act == 1) RC_ASSERT(mount->sync_directory("/").ok());
        if (act == 2) {
          other.power_loss();
          mount = other.mount(1);
          now.clear();
          const std::vector<std::string> names = mount->list("/").value();
          for (const std::string& found : names) {
            std::string bytes(20, '\0');
            auto file = mount->open(found, OpenMode::read_only);
            bytes.resize(file.value()->read(0, bytes).value());
            now[found] = bytes;
          }
        }
        for (auto& [known, contents] : legal) {
          const auto found = now.find(known);
          const std::string content = found == now.end() ? "" : found->second;
          RC_ASSERT(contents.count(content) == 1U);
          contents = {content};
        }
      }
    }
  });
  EXPECT_TRUE(held);
}

TEST_F(Names, ADirectoryThatIsLostTakesItsFilesAlong) {
  const auto mount = disk.mount(1);
  ASSERT_TRUE(mount->create_directory("/d").ok());
  keep(*mount, "/d/f", "x");
  ASSERT_TRUE(mount->sync_directory("/d").ok());
  {
    KeyedRandom draws(1);
    SimDisk other({.random = draws});
    const auto unsynced = other.mount(1);
    ASSERT_TRUE(unsynced->create_directory("/d").ok());
    ASSERT_TRUE(unsynced->open("/d/f", OpenMode::create_new).ok());
    ASSERT_TRUE(unsynced->sync_directory("/d").ok());
    other.power_loss(CrashPolicy::lose_all);
    EXPECT_TRUE(other.mount(2)->list("/").value().empty());
  }
  disk.power_loss(CrashPolicy::lose_all);
  EXPECT_EQ(content("/d/f"), "x") << "keep() synced the root, and with it the name of /d";
}

TEST_F(Names, AFailedDirectorySyncIsNotMadeGoodByALaterOne) {
  std::set<bool> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    KeyedRandom draws(seed);
    Script faults;
    SimDisk other({.random = draws, .faults = &faults});
    const auto mount = other.mount(1);
    ASSERT_TRUE(mount->open("/f", OpenMode::create_new).ok());
    faults.on_decide = [](const Operation&) {
      FaultDecision decision;
      decision.failure = DiskFailure::io;
      return decision;
    };
    ASSERT_FALSE(mount->sync_directory("/").ok());
    faults.on_decide = {};
    ASSERT_TRUE(mount->sync_directory("/").ok());
    other.power_loss(CrashPolicy::keep_all);
    seen.insert(other.mount(2)->open("/f", OpenMode::read_only).ok());
  }
  EXPECT_EQ(seen, (std::set<bool>{false, true}));
}

}  // namespace
}  // namespace holdfast::sim
