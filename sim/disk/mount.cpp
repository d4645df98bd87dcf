#include "sim/disk/mount.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"
#include "sim/disk/sqlite_vfs.hpp"

namespace holdfast::sim {

namespace {

using env::DiskError;
using env::DiskFailure;
using env::DiskResult;

const char* words(DiskFailure failure) {
  switch (failure) {
    case DiskFailure::not_found:
      return "no such file or directory";
    case DiskFailure::no_space:
      return "no space left on device";
    case DiskFailure::io:
      return "input/output error";
    case DiskFailure::dead:
      return "this incarnation is dead";
  }
  ASSERT(false, "every failure has words");
}

Failure<DiskError> failure(DiskFailure kind, OperationKind operation, const std::string& path) {
  return {
      DiskError{kind, std::string(operation_name(operation)) + " " + path + ": " + words(kind)}};
}

Failure<DiskError> failure_at(DiskFailure kind, OperationKind operation, const std::string& path,
                              std::uint64_t offset) {
  Failure<DiskError> result = failure(kind, operation, path);
  result.error.message += " at offset " + std::to_string(offset);
  return result;
}

Operation on_path(OperationKind kind, const std::string& path) {
  Operation operation;
  operation.kind = kind;
  operation.path = path;
  return operation;
}

class SimFile final : public env::File {
 public:
  SimFile(Mount& mount, std::shared_ptr<FileNode> node, std::string path, env::OpenMode mode)
      : file_(mount, std::move(node), std::move(path)), mode_(mode) {}

  DiskResult<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t count = 0;
    if (Failed f = file_.read(offset, into, count)) return at(*f, OperationKind::read, offset);
    return count;
  }

  DiskResult<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    ASSERT(mode_ != env::OpenMode::read_only, "only a writable file is written");
    if (Failed f = file_.write(offset, bytes)) return at(*f, OperationKind::write, offset);
    return {};
  }

  DiskResult<void> truncate(std::uint64_t size) override {
    ASSERT(mode_ != env::OpenMode::read_only, "only a writable file is truncated");
    if (Failed f = file_.truncate(size)) return at(*f, OperationKind::truncate, size);
    return {};
  }

  DiskResult<std::uint64_t> size() override {
    std::uint64_t size = 0;
    if (Failed f = file_.size(size)) return failure(*f, OperationKind::stat, file_.path());
    return size;
  }

  DiskResult<void> sync() override {
    if (Failed f = file_.sync()) return failure(*f, OperationKind::sync, file_.path());
    return {};
  }

 private:
  Failure<DiskError> at(DiskFailure kind, OperationKind operation, std::uint64_t offset) const {
    return failure_at(kind, operation, file_.path(), offset);
  }

  OpenFile file_;
  env::OpenMode mode_;
};

}  // namespace

Mount::Mount(SimDisk& disk, std::uint64_t incarnation, std::uint64_t number)
    : disk_(disk),
      incarnation_(incarnation),
      number_(number),
      vfs_(std::make_unique<SqliteVfs>(*this)) {
  disk_.mounts_.push_back(this);
}

Mount::~Mount() {
  ASSERT(open_handles_ == 0, "a mount outlives its handles and SQLite connections");
  ASSERT(waiting_ == 0, "a mount outlives the operations under way");
  std::erase(disk_.mounts_, this);
}

void Mount::kill() {
  if (!alive_) return;
  alive_ = false;
  for (SqliteHandle* handle : sqlite_handles_) handle->on_kill();
}

const char* Mount::sqlite_vfs() const {
  return vfs_->name();
}

Failed Mount::admit(Operation& operation, std::uint64_t* written_prefix_bytes) {
  if (!alive_) return DiskFailure::dead;
  const auto kind = static_cast<std::size_t>(operation.kind);
  operation.number = ++disk_.operations_;
  operation.ordinal = ++ordinals_[kind];
  operation.incarnation = incarnation_;
  const SimDiskOptions& options = disk_.options_;
  FaultDecision decision;
  if (options.faults != nullptr) decision = options.faults->decide(operation);
  if (!alive_) return DiskFailure::dead;
  const std::optional<Duration> latency = options.latency[kind];
  if (options.pause && (latency.has_value() || decision.stall > Duration{0})) {
    waiting_ += 1;
    options.pause(operation_label(operation.kind), latency.value_or(Duration{0}) + decision.stall);
    waiting_ -= 1;
    if (!alive_) return DiskFailure::dead;
  }
  if (written_prefix_bytes != nullptr) *written_prefix_bytes = decision.written_prefix_bytes;
  operation.without_effect = decision.without_effect;
  return decision.failure;
}

Failed Mount::conclude(Operation& operation, Failed outcome) {
  if (operation.number != 0 && disk_.options_.observer != nullptr) {
    operation.failure = outcome;
    disk_.options_.observer->on_operation(operation);
    if (!alive_) return DiskFailure::dead;
  }
  return outcome;
}

Failed Mount::open_node(const std::string& path, OpenHow how, std::shared_ptr<FileNode>& node) {
  const bool exists = static_cast<bool>(disk_.locate(path).entry);
  const bool creates = how == OpenHow::create_new || (how != OpenHow::existing && !exists);
  Operation op = on_path(creates ? OperationKind::create : OperationKind::open, path);
  Failed failed = admit(op);
  if (!failed) {
    // Looked up again: while this one waited, another mount may have created or removed the name.
    const SimDisk::Place place = disk_.locate(path);
    if (place.entry.directory || (place.entry.file && how == OpenHow::create_new)) {
      failed = DiskFailure::io;
    } else if (place.entry.file) {
      node = place.entry.file;
    } else if (how == OpenHow::existing || place.parent == nullptr) {
      failed = DiskFailure::not_found;
    } else {
      node = disk_.create_file(place, path);
    }
  }
  return conclude(op, failed);
}

Failed Mount::remove_node(const std::string& path) {
  Operation op = on_path(OperationKind::remove, path);
  Failed failed = admit(op);
  if (!failed) {
    const SimDisk::Place place = disk_.locate(path);
    if (place.entry.file) {
      place.parent->remove(place.name);
    } else {
      failed = place.entry.directory ? DiskFailure::io : DiskFailure::not_found;
    }
  }
  return conclude(op, failed);
}

Failed Mount::sync_directory_node(const std::string& path) {
  Operation op = on_path(OperationKind::sync_directory, path);
  Failed failed = admit(op);
  if (failed == DiskFailure::dead) return conclude(op, failed);
  const std::shared_ptr<DirectoryNode> directory = disk_.locate(path).entry.directory;
  if (!failed) {
    if (directory) {
      directory->sync();
    } else {
      failed = DiskFailure::not_found;
    }
  } else if (directory) {
    disk_.mishaps_ += 1;
    directory->fail_sync(
        disk_.fates_for(directory->key(), directory->pending(), CrashPolicy::drawn));
  }
  return conclude(op, failed);
}

Failed Mount::create_directory_node(const std::string& path) {
  Operation op = on_path(OperationKind::create_directory, path);
  Failed failed = admit(op);
  if (!failed) {
    const SimDisk::Place place = disk_.locate(path);
    if (place.entry.file) {
      failed = DiskFailure::io;
    } else if (!place.entry && place.parent == nullptr) {
      failed = DiskFailure::not_found;
    } else if (!place.entry) {
      disk_.create_directory(place, path);
    }
  }
  return conclude(op, failed);
}

Failed Mount::stat_node(const std::string& path, std::optional<std::uint64_t>& size) {
  Operation op = on_path(OperationKind::stat, path);
  const Failed failed = admit(op);
  if (!failed) {
    const Entry entry = disk_.locate(path).entry;
    if (entry.file) size = entry.file->content.size();
  }
  return conclude(op, failed);
}

DiskResult<std::unique_ptr<env::File>> Mount::open(const std::string& path, env::OpenMode mode) {
  const std::string normal = SimDisk::normal_path(path);
  const bool creates = mode == env::OpenMode::create_new;
  std::shared_ptr<FileNode> node;
  if (Failed f = open_node(normal, creates ? OpenHow::create_new : OpenHow::existing, node)) {
    return failure(*f, creates ? OperationKind::create : OperationKind::open, normal);
  }
  return std::unique_ptr<env::File>(
      std::make_unique<SimFile>(*this, std::move(node), normal, mode));
}

DiskResult<void> Mount::remove(const std::string& path) {
  const std::string normal = SimDisk::normal_path(path);
  if (Failed f = remove_node(normal)) return failure(*f, OperationKind::remove, normal);
  return {};
}

DiskResult<void> Mount::create_directory(const std::string& path) {
  const std::string normal = SimDisk::normal_path(path);
  for (std::size_t end = 1; end != std::string::npos;) {
    end = normal.find('/', end);
    const std::string ancestor = normal.substr(0, end);
    if (end != std::string::npos) end += 1;
    if (disk_.locate(ancestor).entry.directory && ancestor != normal) continue;
    if (Failed f = create_directory_node(ancestor)) {
      return failure(*f, OperationKind::create_directory, ancestor);
    }
  }
  return {};
}

DiskResult<std::vector<std::string>> Mount::list(const std::string& path) {
  const std::string normal = SimDisk::normal_path(path);
  Operation op = on_path(OperationKind::list, normal);
  Failed failed = admit(op);
  std::vector<std::string> names;
  if (!failed) {
    const Entry entry = disk_.locate(normal).entry;
    if (!entry.directory) {
      failed = DiskFailure::not_found;
    } else {
      for (const auto& [name, child] : entry.directory->entries()) names.push_back(name);
    }
  }
  if (Failed f = conclude(op, failed)) return failure(*f, OperationKind::list, normal);
  return names;
}

DiskResult<void> Mount::sync_directory(const std::string& path) {
  const std::string normal = SimDisk::normal_path(path);
  if (Failed f = sync_directory_node(normal)) {
    return failure(*f, OperationKind::sync_directory, normal);
  }
  return {};
}

}  // namespace holdfast::sim
