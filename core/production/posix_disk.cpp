#include "core/production/posix_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

namespace holdfast::production {
namespace {

using env::DiskError;
using env::DiskFailure;
using env::DiskResult;

DiskFailure kind_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return DiskFailure::not_found;
    case ENOSPC:
    case EDQUOT:
      return DiskFailure::no_space;
    default:
      return DiskFailure::io;
  }
}

Failure<DiskError> failed(int error_number, const char* operation, const std::string& path,
                          std::optional<std::uint64_t> offset = {}) {
  std::string message = std::string(operation) + " " + path;
  if (offset) message += " at " + std::to_string(*offset);
  message += ": " + std::system_category().message(error_number);
  return {DiskError{kind_of(error_number), std::move(message)}};
}

/// Runs a system call again while a signal interrupts it.
template <class F>
auto uninterrupted(F call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    // close() is not retried: on Linux the descriptor is gone whatever it returns.
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

class PosixFile : public env::File {
 public:
  PosixFile(std::string path, FileDescriptor file)
      : path_(std::move(path)), file_(std::move(file)) {}

  DiskResult<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t n = uninterrupted([&] {
        return ::pread(file_.number(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (n < 0) return failed(errno, "read", path_, offset + done);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  DiskResult<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = uninterrupted([&] {
        return ::pwrite(file_.number(), bytes.data() + done, bytes.size() - done,
                        static_cast<off_t>(offset + done));
      });
      if (n < 0) return failed(errno, "write", path_, offset + done);
      if (n == 0) return failed(EIO, "write", path_, offset + done);
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  DiskResult<void> truncate(std::uint64_t size) override {
    if (uninterrupted([&] { return ::ftruncate(file_.number(), static_cast<off_t>(size)); }) != 0)
      return failed(errno, "truncate", path_, size);
    return {};
  }

  DiskResult<std::uint64_t> size() override {
    struct stat status;
    if (::fstat(file_.number(), &status) != 0) return failed(errno, "stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  DiskResult<void> sync() override {
    // After a failed sync Linux marks the pages clean: a second sync would say ok over lost data.
    if (sync_failed_)
      return Failure<DiskError>{
          {DiskFailure::io, "sync " + path_ + ": refused, an earlier sync of this file failed"}};
    if (uninterrupted([&] { return ::fdatasync(file_.number()); }) != 0) {
      sync_failed_ = true;
      return failed(errno, "sync", path_);
    }
    return {};
  }

 private:
  std::string path_;
  FileDescriptor file_;
  bool sync_failed_ = false;
};

int flags_of(env::OpenMode mode) {
  switch (mode) {
    case env::OpenMode::read_only:
      return O_RDONLY | O_CLOEXEC;
    case env::OpenMode::read_write:
      return O_RDWR | O_CLOEXEC;
    case env::OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  }
  return O_RDONLY | O_CLOEXEC;
}

const char* name_of(env::OpenMode mode) {
  return mode == env::OpenMode::create_new ? "create" : "open";
}

}  // namespace

DiskResult<std::unique_ptr<env::File>> PosixDisk::open(const std::string& path,
                                                       env::OpenMode mode) {
  FileDescriptor file(uninterrupted([&] { return ::open(path.c_str(), flags_of(mode), 0644); }));
  if (!file.open()) return failed(errno, name_of(mode), path);
  struct stat status;
  if (::fstat(file.number(), &status) != 0) return failed(errno, "stat", path);
  if (S_ISDIR(status.st_mode)) return failed(EISDIR, name_of(mode), path);
  return std::unique_ptr<env::File>(std::make_unique<PosixFile>(path, std::move(file)));
}

DiskResult<void> PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return failed(errno, "remove", path);
  return {};
}

DiskResult<void> PosixDisk::create_directory(const std::string& path) {
  // Parent by parent; each may exist already, also because another process made it just now.
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
      return failed(errno, "create directory", part);
    if (end == std::string::npos) break;
  }
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return failed(errno, "create directory", path);
  if (!S_ISDIR(status.st_mode)) return failed(EEXIST, "create directory", path);
  return {};
}

DiskResult<std::vector<std::string>> PosixDisk::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return failed(errno, "list", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int error_number = errno;
  ::closedir(directory);
  if (error_number != 0) return failed(error_number, "list", path);
  std::sort(names.begin(), names.end());
  return names;
}

DiskResult<void> PosixDisk::sync_directory(const std::string& path) {
  FileDescriptor directory(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (!directory.open()) return failed(errno, "open directory", path);
  if (uninterrupted([&] { return ::fsync(directory.number()); }) != 0)
    return failed(errno, "sync directory", path);
  return {};
}

}  // namespace holdfast::production
