// env::Disk over a real directory, small enough to be read at a glance; for tests of the store that
// need no faults. Can be told to let the n-th write fail.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/env/disk.hpp"

namespace holdfast::storage {

class PlainDisk final : public env::Disk {
 public:
  env::DiskResult<std::unique_ptr<env::File>> open(const std::string& path,
                                                   env::OpenMode mode) override {
    const int flags = mode == env::OpenMode::read_only    ? O_RDONLY
                      : mode == env::OpenMode::read_write ? O_RDWR
                                                          : O_RDWR | O_CREAT | O_EXCL;
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (number < 0) return failed(path);
    return std::unique_ptr<env::File>(new PlainFile(number, path, *this));
  }
  env::DiskResult<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed(path);
    return {};
  }
  env::DiskResult<void> create_directory(const std::string& path) override {
    std::error_code code;
    std::filesystem::create_directories(path, code);
    if (code) return Failure{env::DiskError{env::DiskFailure::io, path + ": " + code.message()}};
    return {};
  }
  env::DiskResult<std::vector<std::string>> list(const std::string& path) override {
    std::error_code code;
    std::filesystem::directory_iterator entries(path, code);
    if (code)
      return Failure{env::DiskError{code == std::errc::no_such_file_or_directory
                                        ? env::DiskFailure::not_found
                                        : env::DiskFailure::io,
                                    path + ": " + code.message()}};
    std::vector<std::string> names;
    for (const auto& entry : entries) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  env::DiskResult<void> sync_directory(const std::string&) override { return {}; }
  const char* sqlite_vfs() const override { return nullptr; }

  /// Writes through File fail while this is set.
  bool writes_fail = false;

 private:
  static Failure<env::DiskError> failed(const std::string& path) {
    return {{errno == ENOENT ? env::DiskFailure::not_found : env::DiskFailure::io,
             path + ": " + std::strerror(errno)}};
  }

  class PlainFile final : public env::File {
   public:
    PlainFile(int number, std::string path, PlainDisk& disk)
        : number_(number), path_(std::move(path)), disk_(disk) {}
    ~PlainFile() override { ::close(number_); }
    env::DiskResult<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
      const ssize_t n = ::pread(number_, into.data(), into.size(), static_cast<off_t>(offset));
      if (n < 0) return failed(path_);
      return static_cast<std::size_t>(n);
    }
    env::DiskResult<void> write_at(std::uint64_t offset, std::string_view bytes) override {
      if (disk_.writes_fail)
        return Failure{env::DiskError{env::DiskFailure::no_space, path_ + ": no space"}};
      const ssize_t n = ::pwrite(number_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n != static_cast<ssize_t>(bytes.size())) return failed(path_);
      return {};
    }
    env::DiskResult<void> truncate(std::uint64_t size) override {
      if (::ftruncate(number_, static_cast<off_t>(size)) != 0) return failed(path_);
      return {};
    }
    env::DiskResult<std::uint64_t> size() override {
      return static_cast<std::uint64_t>(::lseek(number_, 0, SEEK_END));
    }
    env::DiskResult<void> sync() override { return {}; }

   private:
    int number_;
    std::string path_;
    PlainDisk& disk_;
  };
};

}  // namespace holdfast::storage
