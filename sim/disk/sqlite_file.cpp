#include "sim/disk/sqlite_file.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/assert.hpp"
#include "sim/disk/sqlite_vfs.hpp"

namespace holdfast::sim {

namespace {

constexpr int k_sector_size = 4096;  // SQLite's default; with POWERSAFE_OVERWRITE nothing is padded

int code_or(const Failed& failed, int code) {
  if (!failed) return SQLITE_OK;
  return failed == env::DiskFailure::no_space ? SQLITE_FULL : code;
}

SqliteHandle& handle(sqlite3_file* file) {
  return *reinterpret_cast<SqliteFile*>(file)->handle;
}

}  // namespace

SqliteHandle::SqliteHandle(Mount& mount, std::shared_ptr<FileNode> node, std::string path,
                           DirectorySync directory_sync)
    : file_(mount, std::move(node), std::move(path)), directory_sync_(directory_sync) {
  mount.sqlite_handles_.push_back(this);
}

SqliteHandle::~SqliteHandle() {
  file_.node().locks.release(lock_, LockLevel::none);
  unmap_shared_memory(false);
  std::erase(file_.mount().sqlite_handles_, this);
}

void SqliteHandle::on_kill() {
  file_.node().locks.release(lock_, LockLevel::none);
  if (shared_.view) file_.node().shared_memory.abandon(shared_);
}

void SqliteHandle::publish() {
  if (shared_.view && file_.mount().alive()) file_.node().shared_memory.publish(shared_);
}

Failed SqliteHandle::pass(OperationKind kind) {
  Operation operation;
  operation.kind = kind;
  operation.path = file_.path();
  const Failed failed = file_.mount().admit(operation);
  return file_.mount().conclude(operation, failed);
}

int SqliteHandle::read(void* into, int count, sqlite3_int64 offset) {
  const std::span<char> bytes(static_cast<char*>(into), static_cast<std::size_t>(count));
  std::size_t done = 0;
  if (file_.read(static_cast<std::uint64_t>(offset), bytes, done)) return SQLITE_IOERR_READ;
  if (done == bytes.size()) return SQLITE_OK;
  std::memset(bytes.data() + done, 0, bytes.size() - done);
  return SQLITE_IOERR_SHORT_READ;
}

int SqliteHandle::write(const void* from, int count, sqlite3_int64 offset) {
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(count));
  return code_or(file_.write(static_cast<std::uint64_t>(offset), bytes), SQLITE_IOERR_WRITE);
}

int SqliteHandle::truncate(sqlite3_int64 size) {
  return file_.truncate(static_cast<std::uint64_t>(size)) ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int SqliteHandle::sync() {
  publish();
  if (file_.sync()) return SQLITE_IOERR_FSYNC;
  if (directory_sync_ == DirectorySync::with_first_sync) {
    directory_sync_ = DirectorySync::none;
    // Like unix, which neither reports nor repeats a failed sync of the directory here.
    const Failed failed = file_.mount().sync_directory_node(parent_directory(file_.path()));
    if (failed == env::DiskFailure::dead) return SQLITE_IOERR_FSYNC;
  }
  return SQLITE_OK;
}

int SqliteHandle::size(sqlite3_int64* into) {
  std::uint64_t bytes = 0;
  if (file_.size(bytes)) return SQLITE_IOERR_FSTAT;
  *into = static_cast<sqlite3_int64>(bytes);
  return SQLITE_OK;
}

int SqliteHandle::lock(int level) {
  const auto wanted = static_cast<LockLevel>(level);
  if (lock_.level >= wanted && file_.mount().alive()) return SQLITE_OK;
  if (pass(OperationKind::lock)) return SQLITE_IOERR_LOCK;
  return file_.node().locks.acquire(lock_, wanted) ? SQLITE_OK : SQLITE_BUSY;
}

int SqliteHandle::unlock(int level) {
  file_.node().locks.release(lock_, static_cast<LockLevel>(level));
  return SQLITE_OK;
}

int SqliteHandle::check_reserved(int* reserved) {
  if (!file_.mount().alive()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  *reserved = file_.node().locks.is_reserved() ? 1 : 0;
  return SQLITE_OK;
}

int SqliteHandle::control(int operation, void* argument) {
  switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE:
      *static_cast<int*>(argument) = static_cast<int>(lock_.level);
      return SQLITE_OK;
    case SQLITE_FCNTL_LAST_ERRNO:
      *static_cast<int*>(argument) = 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
      return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL: {
      int& value = *static_cast<int*>(argument);
      if (value >= 0) persist_wal_ = value != 0;
      value = persist_wal_ ? 1 : 0;
      return SQLITE_OK;
    }
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
      *static_cast<int*>(argument) = 1;  // a property of this disk, not a wish
      return SQLITE_OK;
    case SQLITE_FCNTL_VFSNAME:
      *static_cast<char**>(argument) = sqlite3_mprintf("%s", file_.mount().sqlite_vfs());
      return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED: {
      const Entry entry = file_.mount().disk_.locate(file_.path()).entry;
      *static_cast<int*>(argument) = entry.file.get() == &file_.node() ? 0 : 1;
      return SQLITE_OK;
    }
    default:
      return SQLITE_NOTFOUND;
  }
}

int SqliteHandle::attach_shared_memory() {
  // The unix VFS maps this file, so it is there to be listed; its content is never durable.
  Mount& mount = file_.mount();
  const std::string path = file_.path() + "-shm";
  const SimDisk::Place place = mount.disk_.locate(path);
  if (place.parent == nullptr) return SQLITE_CANTOPEN;
  if (!place.entry) mount.disk_.create_file(place, path);
  file_.node().shared_memory.attach(shared_, mount.number_);
  return SQLITE_OK;
}

int SqliteHandle::map_shared_memory(int region, int size_bytes, int extend, void volatile** into) {
  *into = nullptr;
  publish();
  if (pass(OperationKind::shared_memory)) return SQLITE_IOERR_SHMMAP;
  if (!shared_.view) {
    if (const int failed = attach_shared_memory()) return failed;
  }
  *into = file_.node().shared_memory.map(shared_, static_cast<std::size_t>(region),
                                         static_cast<std::size_t>(size_bytes), extend != 0);
  return SQLITE_OK;
}

int SqliteHandle::lock_shared_memory(int first, int count, int flags) {
  const auto mask = static_cast<std::uint16_t>(((1U << count) - 1U) << first);
  SqliteSharedMemory& memory = file_.node().shared_memory;
  publish();
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    memory.unlock(shared_, mask);
    return SQLITE_OK;
  }
  if (pass(OperationKind::shared_memory)) return SQLITE_IOERR_SHMLOCK;
  ASSERT(shared_.view != nullptr, "a slot is locked by a connection that mapped the index");
  const bool locked = (flags & SQLITE_SHM_SHARED) != 0 ? memory.lock_shared(shared_, mask)
                                                       : memory.lock_exclusive(shared_, mask);
  return locked ? SQLITE_OK : SQLITE_BUSY;
}

void SqliteHandle::barrier() {
  publish();
}

int SqliteHandle::unmap_shared_memory(bool remove) {
  if (!shared_.view) return SQLITE_OK;
  Mount& mount = file_.mount();
  if (!mount.alive()) {
    shared_.view.reset();
    return SQLITE_OK;
  }
  publish();
  const bool last = file_.node().shared_memory.detach(shared_);
  if (last && remove) {
    const SimDisk::Place place = mount.disk_.locate(file_.path() + "-shm");
    if (place.entry.file) place.parent->remove(place.name);
  }
  return SQLITE_OK;
}

const sqlite3_io_methods* SqliteHandle::methods() {
  // Version 2: no xFetch, so SQLite never maps the database itself.
  static constexpr sqlite3_io_methods k_methods = {
      .iVersion = 2,
      .xClose =
          [](sqlite3_file* f) noexcept {
            delete &handle(f);
            f->pMethods = nullptr;
            return SQLITE_OK;
          },
      .xRead = [](sqlite3_file* f, void* into, int count,
                  sqlite3_int64 offset) noexcept { return handle(f).read(into, count, offset); },
      .xWrite = [](sqlite3_file* f, const void* from, int count,
                   sqlite3_int64 offset) noexcept { return handle(f).write(from, count, offset); },
      .xTruncate = [](sqlite3_file* f,
                      sqlite3_int64 size) noexcept { return handle(f).truncate(size); },
      .xSync = [](sqlite3_file* f, int) noexcept { return handle(f).sync(); },
      .xFileSize = [](sqlite3_file* f,
                      sqlite3_int64* into) noexcept { return handle(f).size(into); },
      .xLock = [](sqlite3_file* f, int level) noexcept { return handle(f).lock(level); },
      .xUnlock = [](sqlite3_file* f, int level) noexcept { return handle(f).unlock(level); },
      .xCheckReservedLock =
          [](sqlite3_file* f, int* reserved) noexcept {
            return handle(f).check_reserved(reserved);
          },
      .xFileControl =
          [](sqlite3_file* f, int operation, void* argument) noexcept {
            return handle(f).control(operation, argument);
          },
      .xSectorSize = [](sqlite3_file*) noexcept { return k_sector_size; },
      .xDeviceCharacteristics =
          [](sqlite3_file*) noexcept { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; },
      .xShmMap =
          [](sqlite3_file* f, int region, int size, int extend, void volatile** into) noexcept {
            return handle(f).map_shared_memory(region, size, extend, into);
          },
      .xShmLock =
          [](sqlite3_file* f, int first, int count, int flags) noexcept {
            return handle(f).lock_shared_memory(first, count, flags);
          },
      .xShmBarrier = [](sqlite3_file* f) noexcept { handle(f).barrier(); },
      .xShmUnmap = [](sqlite3_file* f,
                      int remove) noexcept { return handle(f).unmap_shared_memory(remove != 0); },
      .xFetch = nullptr,
      .xUnfetch = nullptr,
  };
  return &k_methods;
}

}  // namespace holdfast::sim
