// While nothing fails, the simulated disk answers as a real file system does: the same sequence of
// operations on a Mount and on production's PosixDisk, answer by answer.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <map>

#include "core/production/posix_disk.hpp"
#include "tests/disk/support.hpp"

namespace holdfast::sim {
namespace {

enum class Act : std::uint8_t {
  create,
  open,
  open_read_only,
  close,
  write,
  read,
  truncate,
  size,
  sync,
  remove,
  create_directory,
  list,
  sync_directory,
};

struct Step {
  Act act = Act::create;
  std::size_t name = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

void showValue(const Step& step, std::ostream& out) {
  out << "act " << static_cast<int>(step.act) << " name " << step.name << " at " << step.offset
      << ", " << step.bytes << " bytes";
}

constexpr std::array<const char*, 5> k_files = {"/a", "/b", "/d/a", "/d/b", "/d/e/a"};
constexpr std::array<const char*, 4> k_directories = {"/d", "/d/e", "/x", ""};

std::string told(const env::DiskError& error) {
  return "error " + std::to_string(static_cast<int>(error.kind));
}

template <class T>
std::string told(const env::DiskResult<T>& result) {
  return result.ok() ? "done" : told(result.error());
}

/// A disk under a directory, with at most one open file a name.
class Carried {
 public:
  Carried(env::Disk& disk, std::string root) : disk_(disk), root_(std::move(root)) {}

  std::string carry_out(const Step& step) {
    const std::string path = root_ + k_files[step.name % k_files.size()];
    const std::string directory = root_ + k_directories[step.name % k_directories.size()];
    switch (step.act) {
      case Act::create:
        return open(step, path, env::OpenMode::create_new);
      case Act::open:
        return open(step, path, env::OpenMode::read_write);
      case Act::open_read_only:
        return open(step, path, env::OpenMode::read_only);
      case Act::remove:
        return told(disk_.remove(path));
      case Act::create_directory:
        return told(disk_.create_directory(directory));
      case Act::list:
        return list(directory);
      case Act::sync_directory:
        return told(disk_.sync_directory(directory));
      case Act::close:
        open_.erase(step.name);
        return "closed";
      case Act::write:
      case Act::read:
      case Act::truncate:
      case Act::size:
      case Act::sync:
        return with_file(step);
    }
    return {};
  }

 private:
  struct Open {
    std::unique_ptr<env::File> file;
    bool writable = false;
  };

  std::string open(const Step& step, const std::string& path, env::OpenMode mode) {
    auto opened = disk_.open(path, mode);
    if (!opened.ok()) return told(opened.error());
    open_[step.name] = {std::move(*opened), mode != env::OpenMode::read_only};
    return "opened";
  }
  std::string list(const std::string& directory) {
    const auto names = disk_.list(directory);
    if (!names.ok()) return told(names.error());
    std::string text = "names";
    for (const std::string& name : *names) text += " " + name;
    return text;
  }
  std::string with_file(const Step& step) {
    const auto found = open_.find(step.name);
    if (found == open_.end()) return "not open";
    env::File& file = *found->second.file;
    if (step.act == Act::read) {
      std::string bytes(step.bytes, '?');
      const auto count = file.read(step.offset, bytes);
      return count.ok() ? bytes.substr(0, *count) : told(count.error());
    }
    if (step.act == Act::size) {
      const auto size = file.size();
      return size.ok() ? std::to_string(*size) : told(size.error());
    }
    if (step.act == Act::sync) return told(file.sync());
    if (!found->second.writable) return "read only";
    if (step.act == Act::truncate) return told(file.truncate(step.offset));
    return told(file.write_at(step.offset, std::string(step.bytes, letter_++)));
  }

  env::Disk& disk_;
  std::string root_;
  std::map<std::size_t, Open> open_;
  char letter_ = 'a';
};

rc::Gen<Step> any_step() {
  return rc::gen::apply(
      [](int act, int name, int offset, int bytes) {
        return Step{static_cast<Act>(act), static_cast<std::size_t>(name),
                    static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(bytes)};
      },
      rc::gen::inRange(0, static_cast<int>(Act::sync_directory) + 1), rc::gen::inRange(0, 5),
      rc::gen::element(0, 1, 511, 512, 513, 4'096, 9'000), rc::gen::element(0, 1, 100, 512, 5'000));
}

TEST(PosixAgreement, TheSimulatedDiskAnswersAsARealOneDoes) {
  unsigned compared = 0;
  const bool agrees = rc::check([&](std::uint64_t seed) {
    const auto steps = *rc::gen::resize(60, rc::gen::container<std::vector<Step>>(any_step()));
    KeyedRandom random(seed);
    SimDisk disk({.random = random});
    const auto mount = disk.mount(1);
    std::string directory = testing::TempDir() + "holdfast-agree-XXXXXX";
    RC_ASSERT(::mkdtemp(directory.data()) != nullptr);
    {
      production::PosixDisk real;
      Carried simulated(*mount, "");
      Carried posix(real, directory);
      for (const Step& step : steps) {
        const std::string ours = simulated.carry_out(step);
        RC_ASSERT(ours == posix.carry_out(step));
        compared += ours == "not open" ? 0 : 1;
      }
    }
    std::filesystem::remove_all(directory);
  });
  EXPECT_TRUE(agrees);
  EXPECT_GT(compared, 500U);
}

}  // namespace
}  // namespace holdfast::sim
