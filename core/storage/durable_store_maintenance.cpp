// maintain(): one bounded slice of work that commits do not wait for. First what bounds the journal
// (sealing), then what bounds the WAL (checkpoints), then what frees space.
#include <sqlite3.h>

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/maintenance_jobs.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_wal_frame_bytes = 4096 + 24;

}  // namespace

StoreResult<MaintenanceResult> DurableStore::maintain() {
  auto ready = usable();
  if (!ready) return ready.failure();
  auto more = checkpoint();
  if (!more) return more.failure();
  return MaintenanceResult{*more};
}

StoreResult<bool> DurableStore::checkpoint() {
  const std::uint64_t frames = connection_->wal_frames();
  if (frames < checkpointed_frames_) checkpointed_frames_ = 0;  // the WAL began again
  const std::uint64_t fresh_bytes = (frames - checkpointed_frames_) * k_wal_frame_bytes;
  const bool restart = frames * k_wal_frame_bytes >= options_.checkpoint_restart_bytes;
  if (fresh_bytes < options_.checkpoint_passive_bytes) return false;
  int in_log = 0;
  int copied = 0;
  // Readers' transactions last one look-up, so waiting for them (RESTART) is short.
  const int code = sqlite3_wal_checkpoint_v2(
      connection_->raw(), nullptr, restart ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
      &in_log, &copied);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    return Failure{StoreError{StoreFailure::io, connection_->path() + ": checkpoint: " +
                                                    sqlite3_errmsg(connection_->raw())}};
  if (copied > 0) checkpointed_frames_ = static_cast<std::uint64_t>(copied);
  return false;
}

}  // namespace holdfast::storage
