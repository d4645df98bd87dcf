// The store's directory before SQLite opens anything in it: made and synced with all its parents,
// and the write-ahead log made durable again after whatever befell the process before. Called by
// the holder's open and take_over, and by readers of a standby.
#pragma once

#include <string>

#include "core/storage/store.hpp"

namespace holdfast::storage {

/// Creates the directory and its parents, and makes their names survive power loss. A directory
/// that holds the database went through this before, and nothing is written.
StoreResult<void> prepare_directory(env::Disk& disk, const std::string& directory);

/// Writes the bytes of the write-ahead log over themselves and syncs them, and the directory. After
/// a failed sync a log can be read whole while the platter has gaps in it, and no later sync,
/// commit or checkpoint closes them: the pages count as clean. Rewritten they are dirty again.
/// REQUIRES: this process holds SQLite's write lock, so that no other instance appends to the log
/// or begins it anew meanwhile. Nothing but the log is opened: closing a second descriptor of the
/// database file would drop SQLite's locks on it.
StoreResult<void> rewrite_wal(env::Disk& disk, const std::string& directory);

}  // namespace holdfast::storage
