#include "core/storage/store_directory.hpp"

#include <algorithm>
#include <vector>

#include "core/base/assert.hpp"
#include "core/storage/schema.hpp"
#include "core/storage/segment.hpp"

namespace holdfast::storage {
namespace {

constexpr std::size_t k_rewrite_bytes = 64 << 10;

StoreResult<void> store_result(env::DiskResult<void> result) {
  if (!result) return Failure{from_disk(result.error())};
  return {};
}

/// The directory above; empty: none, or the current one, which is the operator's.
std::string parent(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return {};
  const std::size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return {};
  return slash == 0 ? "/" : path.substr(0, slash);
}

StoreResult<bool> exists(env::Disk& disk, const std::string& directory) {
  const auto names = disk.list(directory);
  if (names) return true;
  if (names.error().kind == env::DiskFailure::not_found) return false;
  return Failure{from_disk(names.error())};
}

/// Makes one directory after the other, from above, each name durable before the next is made: so
/// after a kill only the deepest one that is found can have a name that is not.
StoreResult<void> make_durably(env::Disk& disk, const std::string& directory) {
  std::vector<std::string> missing;
  std::string found = directory;
  for (; !found.empty(); found = parent(found)) {
    auto there = exists(disk, found);
    if (!there) return there.failure();
    if (*there) break;
    missing.push_back(found);
  }
  // Most likely it was always there, and what is above it may well not be ours to open.
  if (!missing.empty() && !parent(found).empty()) (void)disk.sync_directory(parent(found)).ok();
  if (missing.empty() && !parent(directory).empty())
    return store_result(disk.sync_directory(parent(directory)));
  for (auto name = missing.rbegin(); name != missing.rend(); ++name) {
    auto made = store_result(disk.create_directory(*name));
    if (made && !parent(*name).empty()) made = store_result(disk.sync_directory(parent(*name)));
    if (!made) return made;
  }
  return {};
}

}  // namespace

StoreResult<void> prepare_directory(env::Disk& disk, const std::string& directory) {
  const auto names = disk.list(directory);
  if (names && std::find(names->begin(), names->end(), k_database_name) != names->end()) return {};
  // Without a database the directories may be there and their names not yet durable.
  auto made = make_durably(disk, directory);
  if (made) made = store_result(disk.create_directory(segment_directory(directory)));
  if (made) made = store_result(disk.sync_directory(directory));
  return made;
}

StoreResult<void> rewrite_wal(env::Disk& disk, const std::string& directory) {
  const std::string path = database_path(directory) + "-wal";
  auto opened = disk.open(path, env::OpenMode::read_write);
  if (!opened) return Failure{from_disk(opened.error())};
  env::File& wal = **opened;
  const auto size = wal.size();
  if (!size) return Failure{from_disk(size.error())};
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(*size, k_rewrite_bytes)), 0);
  for (std::uint64_t offset = 0; offset < *size;) {
    const auto count = wal.read(offset, bytes);
    if (!count) return Failure{from_disk(count.error())};
    ASSERT(*count > 0, "the log keeps its length while the write lock is held");
    auto written = store_result(wal.write_at(offset, std::string_view(bytes).substr(0, *count)));
    if (!written) return written;
    offset += *count;
  }
  // Durability point of everything that its caller reads and that will be served. The directory:
  // SQLite does not report when the sync of a new log's name fails.
  auto synced = *size == 0 ? StoreResult<void>{} : store_result(wal.sync());
  if (!synced) return synced;
  return store_result(disk.sync_directory(directory));
}

}  // namespace holdfast::storage
