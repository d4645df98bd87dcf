// A lock that keeps others out of the store is seen, with its holder: live mode excuses a take-over
// that does not happen by nothing else.
#include "tools/sim/live/file_locks.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace holdfast::tools::live {
namespace {

namespace fs = std::filesystem;

/// A child with this kind of lock on byte 120 of the file.
pid_t lock_in_child(const fs::path& file, short kind) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0600);
    struct flock lock {};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    lock.l_start = 120;
    lock.l_len = 1;
    const char done = ::fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
    if (::write(ready[1], &done, 1) == 1) ::pause();
    ::_exit(0);
  }
  char done = 'n';
  EXPECT_EQ(::read(ready[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

void end(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(FileLocks, NamesTheExclusiveLockOfAProcessAndNobodyElses) {
  std::string pattern = (fs::temp_directory_path() / "holdfast-locks-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const fs::path folder = pattern;
  const pid_t writer = lock_in_child(folder / "store.db-shm", F_WRLCK);
  const pid_t reader = lock_in_child(folder / "other", F_RDLCK);
  EXPECT_EQ(exclusive_lock_of(writer, folder), "byte 120 of store.db-shm");
  EXPECT_EQ(exclusive_lock_of(reader, folder), "") << "a shared lock keeps no reader out";
  EXPECT_EQ(exclusive_lock_of(::getpid(), folder), "");
  EXPECT_EQ(exclusive_lock_of(writer, folder / "absent"), "");
  end(writer);
  end(reader);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace holdfast::tools::live
