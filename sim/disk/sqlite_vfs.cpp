#include "sim/disk/sqlite_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/base/assert.hpp"
#include "sim/disk/sqlite_file.hpp"

namespace holdfast::sim {

namespace {

constexpr int k_max_path = 512;
constexpr std::int64_t k_julian_ms_of_1970 = 210'866'760'000'000;
constexpr WallTime k_default_wall_time{1'767'225'600'000'000};

}  // namespace

void seed_sqlite(std::uint32_t seed) {
  // Zero would mean "seed from the operating system".
  const std::uint32_t nonzero = seed == 0 ? 1U : seed;
  sqlite3_initialize();
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(nonzero), nullptr);
}

SqliteVfs::SqliteVfs(Mount& mount) : mount_(mount) {
  // The name is for SQLite's list only and decides nothing; other disks may have mounts too.
  std::uint64_t number = mount.number_;
  do {
    name_ = "holdfast-sim-" + std::to_string(number++);
  } while (sqlite3_vfs_find(name_.c_str()) != nullptr);

  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(SqliteFile);
  vfs_.mxPathname = k_max_path;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = [](sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* into, int flags,
                  int* out_flags) noexcept { return self(vfs).open(name, into, flags, out_flags); };
  vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync) noexcept {
    return self(vfs).remove(name, sync != 0);
  };
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int, int* exists) noexcept {
    return self(vfs).access(name, exists);
  };
  vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* into) noexcept {
    const std::string normal = SimDisk::normal_path(name);
    if (normal.size() + 1 > static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
    std::memcpy(into, normal.c_str(), normal.size() + 1);
    return SQLITE_OK;
  };
  vfs_.xRandomness = [](sqlite3_vfs* vfs, int count, char* into) noexcept {
    self(vfs).randomness(count, into);
    return count;
  };
  vfs_.xSleep = [](sqlite3_vfs* vfs, int microseconds) noexcept {
    return self(vfs).sleep(microseconds);
  };
  vfs_.xCurrentTime = [](sqlite3_vfs* vfs, double* days) noexcept {
    *days = static_cast<double>(self(vfs).julian_ms()) / 86'400'000.0;
    return SQLITE_OK;
  };
  vfs_.xCurrentTimeInt64 = [](sqlite3_vfs* vfs, sqlite3_int64* ms) noexcept {
    *ms = self(vfs).julian_ms();
    return SQLITE_OK;
  };
  vfs_.xGetLastError = [](sqlite3_vfs*, int, char*) noexcept { return 0; };
  const int registered = sqlite3_vfs_register(&vfs_, 0);
  ASSERT(registered == SQLITE_OK, "SQLite accepts a VFS with a fresh name");
}

SqliteVfs::~SqliteVfs() {
  sqlite3_vfs_unregister(&vfs_);
}

int SqliteVfs::open(const char* name, sqlite3_file* into, int flags, int* out_flags) {
  into->pMethods = nullptr;  // SQLite closes what has methods, also after a failed open
  std::shared_ptr<FileNode> node;
  std::string path;
  if (name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
    // Opened and unlinked at once: no crash can show it again, so it never gets a name.
    if (!mount_.alive()) return SQLITE_IOERR;
    node = std::make_shared<FileNode>(mount_.disk_.next_temporary_++, Durability::temporary);
  } else {
    path = name;
    OpenHow how = OpenHow::existing;
    if ((flags & SQLITE_OPEN_CREATE) != 0) how = OpenHow::create_if_missing;
    if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0) how = OpenHow::create_new;
    if (const Failed failed = mount_.open_node(path, how, node)) {
      return failed == env::DiskFailure::dead ? SQLITE_IOERR : SQLITE_CANTOPEN;
    }
  }
  constexpr int k_journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  const bool new_journal = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & k_journals) != 0;
  auto* file = reinterpret_cast<SqliteFile*>(into);
  file->handle = new SqliteHandle(mount_, std::move(node), std::move(path),
                                  new_journal ? SqliteHandle::DirectorySync::with_first_sync
                                              : SqliteHandle::DirectorySync::none);
  file->base.pMethods = SqliteHandle::methods();
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int SqliteVfs::remove(const char* name, bool sync_directory) {
  const std::string path = name;
  if (const Failed failed = mount_.remove_node(path)) {
    return failed == env::DiskFailure::not_found ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
  }
  if (sync_directory && mount_.sync_directory_node(parent_directory(path))) {
    return SQLITE_IOERR_DIR_FSYNC;
  }
  return SQLITE_OK;
}

int SqliteVfs::access(const char* name, int* exists) {
  std::optional<std::uint64_t> size;
  if (mount_.stat_node(name, size)) return SQLITE_IOERR_ACCESS;
  *exists = size.value_or(0) > 0 ? 1 : 0;  // as in unix: an empty file does not count
  return SQLITE_OK;
}

void SqliteVfs::randomness(int count, char* into) {
  const std::uint64_t path = combine64(mount_.disk_.options_.path, mount_.incarnation_);
  for (int done = 0; done < count;) {
    const std::uint64_t draw =
        mount_.disk_.options_.random.draw(path, "disk.sqlite_randomness", draws_++);
    const int part = std::min(count - done, static_cast<int>(sizeof draw));
    std::memcpy(into + done, &draw, static_cast<std::size_t>(part));
    done += part;
  }
}

int SqliteVfs::sleep(int microseconds) {
  const SimDiskOptions& options = mount_.disk_.options_;
  if (options.pause && mount_.alive()) {
    mount_.waiting_ += 1;
    options.pause("disk.sqlite_sleep", std::chrono::microseconds(microseconds));
    mount_.waiting_ -= 1;
  }
  return microseconds;
}

std::int64_t SqliteVfs::julian_ms() const {
  const auto& wall_time = mount_.disk_.options_.wall_time;
  const WallTime now = wall_time ? wall_time() : k_default_wall_time;
  return now.unix_us / 1000 + k_julian_ms_of_1970;
}

}  // namespace holdfast::sim
