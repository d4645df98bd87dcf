#include "core/base/assert.hpp"
#include "sim/disk/mount.hpp"

namespace holdfast::sim {

OpenFile::OpenFile(Mount& mount, std::shared_ptr<FileNode> node, std::string path)
    : mount_(mount), node_(std::move(node)), path_(std::move(path)) {
  mount_.open_handles_ += 1;
}

OpenFile::~OpenFile() {
  ASSERT(mount_.open_handles_ > 0, "a handle is closed while its mount still stands");
  mount_.open_handles_ -= 1;
}

Operation OpenFile::operation(OperationKind kind, std::uint64_t offset,
                              std::uint64_t size_bytes) const {
  Operation operation;
  operation.kind = kind;
  operation.path = path_;
  operation.offset = offset;
  operation.size_bytes = size_bytes;
  return operation;
}

Failed OpenFile::read(std::uint64_t offset, std::span<char> into, std::size_t& count) {
  Operation op = operation(OperationKind::read, offset, into.size());
  const Failed failed = mount_.admit(op);
  if (!failed) count = node_->content.read(offset, into);
  return mount_.conclude(op, failed);
}

Failed OpenFile::write(std::uint64_t offset, std::string_view bytes) {
  Operation op = operation(OperationKind::write, offset, bytes.size());
  std::uint64_t prefix = 0;
  const Failed failed = mount_.admit(op, &prefix);
  if (!failed) {
    node_->content.write(offset, bytes);
  } else if (failed != env::DiskFailure::dead) {
    node_->content.write(offset, bytes.substr(0, prefix));
  }
  return mount_.conclude(op, failed);
}

Failed OpenFile::truncate(std::uint64_t size) {
  Operation op = operation(OperationKind::truncate, size, 0);
  const Failed failed = mount_.admit(op);
  if (!failed) node_->content.truncate(size);
  return mount_.conclude(op, failed);
}

Failed OpenFile::sync() {
  Operation op = operation(OperationKind::sync, 0, 0);
  const Failed failed = mount_.admit(op);
  if (!failed) {
    if (!op.without_effect) node_->content.sync();
  } else if (failed != env::DiskFailure::dead) {
    mount_.disk_.mishaps_ += 1;
    node_->content.fail_sync(
        mount_.disk_.fates_for(node_->key, node_->content.pending(), CrashPolicy::drawn));
  }
  return mount_.conclude(op, failed);
}

Failed OpenFile::size(std::uint64_t& size) {
  Operation op = operation(OperationKind::stat, 0, 0);
  const Failed failed = mount_.admit(op);
  if (!failed) size = node_->content.size();
  return mount_.conclude(op, failed);
}

}  // namespace holdfast::sim
