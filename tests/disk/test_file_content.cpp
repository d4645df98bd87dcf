// What a file may hold after a power loss, compared with a reference that knows nothing of undo
// lists: for each sector, the set of contents that could be on the platter.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "tests/disk/support.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t k_longest = 6 * k_sector_bytes;

/// The legal platters of one file, kept as plainly as possible.
class Reference {
 public:
  const std::string& cache() const { return cache_; }

  void write(std::uint64_t offset, const std::string& bytes) {
    const std::uint64_t old_size = cache_.size();
    if (offset + bytes.size() > old_size) cache_.resize(offset + bytes.size(), '\0');
    cache_.replace(offset, bytes.size(), bytes);
    changed(std::min<std::uint64_t>(offset, old_size), offset + bytes.size());
  }
  void truncate(std::uint64_t size) {
    const std::uint64_t old_size = cache_.size();
    cache_.resize(size, '\0');
    changed(std::min(size, old_size), std::max(size, old_size));
  }
  void sync() {
    for (const std::uint64_t s : dirty_) legal_[s] = {sector(cache_, s)};
    if (!dirty_.empty()) sizes_ = {cache_.size()};
    dirty_.clear();
  }
  void fail_sync() { dirty_.clear(); }

  /// Empty: `platter` is legal. Otherwise what is wrong with it.
  std::string judge(const std::string& platter) const {
    if (platter.size() < *sizes_.begin() || platter.size() > *sizes_.rbegin()) {
      return "a length outside of those it had: " + std::to_string(platter.size());
    }
    for (std::uint64_t s = 0; s * k_sector_bytes < k_longest; ++s) {
      const auto found = legal_.find(s);
      const std::string content = sector(platter, s);
      const bool legal = found == legal_.end() ? content == std::string(k_sector_bytes, '\0')
                                               : found->second.count(content) == 1;
      if (!legal) return "sector " + std::to_string(s) + " was never like that";
    }
    return "";
  }
  void adopt(const std::string& platter) {
    cache_ = platter;
    dirty_.clear();
    legal_.clear();
    sizes_ = {platter.size()};
    for (std::uint64_t s = 0; s * k_sector_bytes < k_longest; ++s) {
      legal_[s] = {sector(platter, s)};
    }
  }

 private:
  static std::string sector(const std::string& bytes, std::uint64_t s) {
    std::string result;
    if (s * k_sector_bytes < bytes.size()) {
      result = bytes.substr(s * k_sector_bytes, k_sector_bytes);
    }
    result.resize(k_sector_bytes, '\0');
    return result;
  }
  void changed(std::uint64_t begin, std::uint64_t end) {
    if (begin == end) return;
    sizes_.insert(cache_.size());
    for (std::uint64_t s = begin / k_sector_bytes; s * k_sector_bytes < end; ++s) {
      if (legal_.find(s) == legal_.end()) legal_[s] = {std::string(k_sector_bytes, '\0')};
      legal_[s].insert(sector(cache_, s));
      dirty_.insert(s);
    }
  }

  std::string cache_;
  std::map<std::uint64_t, std::set<std::string>> legal_;
  std::set<std::uint64_t> sizes_{0};
  std::set<std::uint64_t> dirty_;
};

enum class Act { write, truncate, sync, fail_sync, crash };

struct Step {
  Act act = Act::write;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  CrashPolicy policy = CrashPolicy::drawn;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array k_names = {"write", "truncate", "sync", "fail_sync", "crash"};
  return out << k_names[static_cast<std::size_t>(step.act)] << '(' << step.offset << ", "
             << step.count << ", policy " << static_cast<int>(step.policy) << ')';
}

rc::Gen<Step> any_step() {
  const auto edge = rc::gen::element<std::uint64_t>(0, 1, 24, 511, 512, 513, 1024, 1500, 2048);
  return rc::gen::build<Step>(
      rc::gen::set(&Step::act, rc::gen::weightedElement<Act>({{10, Act::write},
                                                              {3, Act::truncate},
                                                              {2, Act::sync},
                                                              {1, Act::fail_sync},
                                                              {1, Act::crash}})),
      rc::gen::set(&Step::offset,
                   rc::gen::oneOf(edge, rc::gen::inRange<std::uint64_t>(0, k_longest / 2))),
      rc::gen::set(&Step::count,
                   rc::gen::oneOf(edge, rc::gen::inRange<std::uint64_t>(1, k_longest / 2))),
      rc::gen::set(&Step::policy, rc::gen::element(CrashPolicy::drawn, CrashPolicy::lose_all,
                                                   CrashPolicy::keep_all, CrashPolicy::keep_prefix,
                                                   CrashPolicy::independent)));
}

RC_GTEST_PROP(FileContent, EverySectorIsOldOrNewAndWhatWasSyncedStays, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  steps.push_back({Act::crash, 0, 0, CrashPolicy::independent});
  KeyedRandom random(seed);
  FileContent file(Durability::durable);
  Reference reference;
  std::uint64_t mishap = 0;
  char fill = 'a';
  for (const Step& step : steps) {
    const Fates fates(random, ++mishap, step.policy, file.pending());
    switch (step.act) {
      case Act::write: {
        const std::string bytes(step.count, fill);
        fill = fill == 'z' ? 'a' : static_cast<char>(fill + 1);
        file.write(step.offset, bytes);
        if (!bytes.empty()) reference.write(step.offset, bytes);
        break;
      }
      case Act::truncate:
        file.truncate(step.offset);
        reference.truncate(step.offset);
        break;
      case Act::sync:
        file.sync();
        reference.sync();
        break;
      case Act::fail_sync:
        file.fail_sync(fates);
        reference.fail_sync();
        break;
      case Act::crash: {
        file.power_loss(fates);
        const std::string platter = file.text();
        RC_ASSERT(reference.judge(platter) == "");
        const Fates again(random, ++mishap, CrashPolicy::independent, file.pending());
        file.power_loss(again);
        RC_ASSERT(file.text() == platter);
        reference.adopt(platter);
        break;
      }
    }
    RC_ASSERT(file.text() == reference.cache());
  }
}

RC_GTEST_PROP(FileContent, LosingAllIsTheLastSyncAndKeepingAllIsTheCache, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  KeyedRandom random(1);
  FileContent file(Durability::durable);
  std::string synced;
  char fill = 'a';
  for (const Step& step : steps) {
    if (step.act == Act::truncate) {
      file.truncate(step.offset);
    } else if (step.act == Act::sync) {
      file.sync();
      synced = file.text();
    } else {
      file.write(step.offset, std::string(step.count, fill++));
    }
  }
  FileContent kept = file;
  const std::string cache = file.text();
  file.power_loss(Fates(random, 1, CrashPolicy::lose_all, file.pending()));
  kept.power_loss(Fates(random, 1, CrashPolicy::keep_all, kept.pending()));
  RC_ASSERT(file.text() == synced);
  RC_ASSERT(kept.text() == cache);
}

// The properties above would also hold for a disk that never loses anything.
TEST(FileContent, CrashesReachEveryMixOfTwoWrites) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    KeyedRandom random(seed);
    FileContent file(Durability::durable);
    file.write(0, std::string(2 * k_sector_bytes, '-'));
    file.sync();
    file.write(0, std::string(2 * k_sector_bytes, 'a'));
    file.write(0, std::string(2 * k_sector_bytes, 'b'));
    file.power_loss(Fates(random, 1, CrashPolicy::drawn, file.pending()));
    const std::string bytes = file.text();
    seen.insert({bytes[0], bytes[k_sector_bytes]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"--", "-a", "-b", "a-", "aa", "ab", "b-", "ba", "bb"}));
}

TEST(FileContent, AnAppendCanLoseItsDataAndKeepItsLength) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    KeyedRandom random(seed);
    FileContent file(Durability::durable);
    file.write(0, std::string(k_sector_bytes + 1, 'a'));
    file.power_loss(Fates(random, 1, CrashPolicy::drawn, file.pending()));
    std::string bytes = file.text();
    std::replace(bytes.begin(), bytes.end(), '\0', '0');
    bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
    seen.insert(std::to_string(file.size()) + bytes);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"0", "512a", "513a", "513a0", "5130a", "5130"}));
}

TEST(FileContent, AFailedSyncIsNotMadeGoodByALaterOne) {
  std::set<char> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    KeyedRandom random(seed);
    FileContent file(Durability::durable);
    file.write(0, std::string(k_sector_bytes, '-'));
    file.sync();
    file.write(0, std::string(k_sector_bytes, 'a'));
    file.fail_sync(Fates(random, 1, CrashPolicy::drawn, file.pending()));
    EXPECT_EQ(file.text()[0], 'a') << "the cache keeps what was written";
    file.sync();
    file.power_loss(Fates(random, 2, CrashPolicy::keep_all, file.pending()));
    seen.insert(file.text()[0]);
  }
  EXPECT_EQ(seen, (std::set<char>{'-', 'a'}));
}

TEST(FileContent, WritingAgainAfterAFailedSyncIsDurable) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    KeyedRandom random(seed);
    FileContent file(Durability::durable);
    file.write(0, std::string(2 * k_sector_bytes, 'a'));
    file.fail_sync(Fates(random, 1, CrashPolicy::drawn, file.pending()));
    file.write(0, std::string(2 * k_sector_bytes, 'b'));
    file.sync();
    file.power_loss(Fates(random, 2, CrashPolicy::lose_all, file.pending()));
    EXPECT_EQ(file.text(), std::string(2 * k_sector_bytes, 'b'));
  }
}

TEST(FileContent, AFileThatIsNeverSyncedHasABoundedUndoList) {
  KeyedRandom random(1);
  FileContent file(Durability::durable);
  for (int i = 0; i < 100'000; ++i) file.write(static_cast<std::uint64_t>(i % 7), "x");
  EXPECT_LT(file.pending(), 40'000U);
  file.power_loss(Fates(random, 1, CrashPolicy::lose_all, file.pending()));
  EXPECT_EQ(file.text(), "xxxxxxx") << "the kernel had written the older half on its own";
}

}  // namespace
}  // namespace holdfast::sim
