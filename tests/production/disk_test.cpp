// PosixDisk keeps the contract of env::Disk on a real file system. The model of sim/disk is only
// worth something if the real thing answers the same way.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/production/posix_disk.hpp"

namespace holdfast::production {
namespace {

using env::DiskFailure;
using env::OpenMode;

class PosixDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "holdfast-disk-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  std::unique_ptr<env::File> create(const std::string& name) {
    auto file = disk_.open(path(name), OpenMode::create_new);
    EXPECT_TRUE(file.ok()) << file.error().message;
    return std::move(file).value();
  }
  static std::string read_all(env::File& file, std::uint64_t offset, std::size_t size) {
    std::string bytes(size, '?');
    auto n = file.read(offset, bytes);
    EXPECT_TRUE(n.ok());
    bytes.resize(*n);
    return bytes;
  }

  PosixDisk disk_;
  std::string root_;
};

TEST_F(PosixDiskTest, WrittenBytesAreReadBackAtTheirOffsets) {
  auto file = create("a");
  ASSERT_TRUE(file->write_at(0, "hello").ok());
  ASSERT_TRUE(file->write_at(10, "world").ok());
  EXPECT_EQ(*file->size(), 15u);
  EXPECT_EQ(read_all(*file, 0, 5), "hello");
  EXPECT_EQ(read_all(*file, 5, 5), std::string(5, '\0'));
  EXPECT_EQ(read_all(*file, 10, 5), "world");
  EXPECT_TRUE(file->sync().ok());
}

TEST_F(PosixDiskTest, AReadBeyondTheEndIsShortAndNoError) {
  auto file = create("a");
  ASSERT_TRUE(file->write_at(0, "abc").ok());
  EXPECT_EQ(read_all(*file, 1, 100), "bc");
  EXPECT_EQ(read_all(*file, 3, 100), "");
  EXPECT_EQ(read_all(*file, 1000, 100), "");
}

TEST_F(PosixDiskTest, TruncateCutsAndExtends) {
  auto file = create("a");
  ASSERT_TRUE(file->write_at(0, "abcdef").ok());
  ASSERT_TRUE(file->truncate(2).ok());
  EXPECT_EQ(read_all(*file, 0, 10), "ab");
  ASSERT_TRUE(file->truncate(4).ok());
  EXPECT_EQ(read_all(*file, 0, 10), std::string("ab\0\0", 4));
}

TEST_F(PosixDiskTest, AMissingFileIsNotFoundAndNamed) {
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write}) {
    auto file = disk_.open(path("nothing"), mode);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().kind, DiskFailure::not_found);
    EXPECT_NE(file.error().message.find("open " + path("nothing")), std::string::npos);
  }
  auto removed = disk_.remove(path("nothing"));
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().kind, DiskFailure::not_found);
}

TEST_F(PosixDiskTest, CreateNewNeverTakesAnExistingFile) {
  ASSERT_TRUE(create("a")->write_at(0, "kept").ok());
  auto again = disk_.open(path("a"), OpenMode::create_new);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, DiskFailure::io);
  auto file = disk_.open(path("a"), OpenMode::read_only);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(read_all(**file, 0, 10), "kept");
}

TEST_F(PosixDiskTest, ADirectoryIsNotAFile) {
  auto file = disk_.open(root_, OpenMode::read_only);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().kind, DiskFailure::io);
}

TEST_F(PosixDiskTest, WritingThroughAReadOnlyHandleFailsWithPathAndOffset) {
  create("a");
  auto file = disk_.open(path("a"), OpenMode::read_only);
  ASSERT_TRUE(file.ok());
  auto written = (*file)->write_at(7, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, DiskFailure::io);
  EXPECT_NE(written.error().message.find("write " + path("a") + " at 7"), std::string::npos);
}

TEST_F(PosixDiskTest, AFullDeviceIsNoSpace) {
  auto full = disk_.open("/dev/full", OpenMode::read_write);
  ASSERT_TRUE(full.ok()) << full.error().message;
  auto written = (*full)->write_at(0, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, DiskFailure::no_space);
}

TEST_F(PosixDiskTest, AWriteCutShortByTheSystemSaysWhereItStopped) {
  auto file = create("a");
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = 10;
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto written = file->write_at(0, std::string(25, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find(" at 10:"), std::string::npos) << written.error().message;
}

TEST_F(PosixDiskTest, AFailedSyncIsNotRetried) {
  auto device = disk_.open("/dev/full", OpenMode::read_write);
  ASSERT_TRUE(device.ok());
  auto first = (*device)->sync();  // a character device has nothing to sync: EINVAL
  ASSERT_FALSE(first.ok());
  auto second = (*device)->sync();
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message.find("an earlier sync"), std::string::npos);
}

TEST_F(PosixDiskTest, DirectoriesAreMadeWithParentsAndListedSorted) {
  ASSERT_TRUE(disk_.create_directory(path("x/y/z")).ok());
  ASSERT_TRUE(disk_.create_directory(path("x/y/z")).ok());
  for (const char* name : {"x/y/c", "x/y/a", "x/y/b"}) create(name);
  auto names = disk_.list(path("x/y"));
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, (std::vector<std::string>{"a", "b", "c", "z"}));
  EXPECT_TRUE(disk_.sync_directory(path("x/y")).ok());
  ASSERT_TRUE(disk_.remove(path("x/y/b")).ok());
  EXPECT_EQ(disk_.list(path("x/y"))->size(), 3u);
}

TEST_F(PosixDiskTest, AFileInThePlaceOfADirectoryIsAnError) {
  create("a");
  EXPECT_FALSE(disk_.create_directory(path("a")).ok());
  EXPECT_FALSE(disk_.create_directory(path("a/b")).ok());
  EXPECT_FALSE(disk_.list(path("a")).ok());
  EXPECT_FALSE(disk_.sync_directory(path("nothing")).ok());
}

}  // namespace
}  // namespace holdfast::production
