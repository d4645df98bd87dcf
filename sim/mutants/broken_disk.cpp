#include "sim/mutants/broken_disk.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace holdfast::sim::mutants {
namespace {

bool is_log(std::string_view path) {
  return path.ends_with("-wal");
}

/// A file that keeps what was written to it for as long as the power lasts, or that does not even
/// write.
class BrokenFile final : public env::File {
 public:
  enum class Does : std::uint8_t { not_sync, nothing };
  BrokenFile(std::unique_ptr<env::File> inner, Does does) : inner_(std::move(inner)), does_(does) {}

  env::DiskResult<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    return inner_->read(offset, into);
  }
  env::DiskResult<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    if (does_ == Does::nothing) return {};
    return inner_->write_at(offset, bytes);
  }
  env::DiskResult<void> truncate(std::uint64_t size) override { return inner_->truncate(size); }
  env::DiskResult<std::uint64_t> size() override { return inner_->size(); }
  env::DiskResult<void> sync() override { return {}; }

 private:
  std::unique_ptr<env::File> inner_;
  Does does_;
};

}  // namespace

env::DiskResult<std::unique_ptr<env::File>> BrokenDisk::open(const std::string& path,
                                                             env::OpenMode mode) {
  auto opened = inner_.open(path, mode);
  if (!opened.ok()) return opened;
  if (is_log(path) && set_.on(Mutant::log_kept_as_found))
    return std::unique_ptr<env::File>(
        std::make_unique<BrokenFile>(std::move(*opened), BrokenFile::Does::nothing));
  if (!is_log(path) && set_.on(Mutant::segment_without_sync))
    return std::unique_ptr<env::File>(
        std::make_unique<BrokenFile>(std::move(*opened), BrokenFile::Does::not_sync));
  return opened;
}

env::DiskResult<void> BrokenDisk::sync_directory(const std::string& path) {
  if (set_.on(Mutant::segment_without_sync)) return {};
  return inner_.sync_directory(path);
}

FaultDecision LogWithoutSync::decide(const Operation& operation) {
  FaultDecision decision = inner_.decide(operation);
  if (set_.on(Mutant::commit_without_sync) && operation.kind == OperationKind::sync &&
      is_log(operation.path))
    decision.without_effect = true;
  return decision;
}

}  // namespace holdfast::sim::mutants
