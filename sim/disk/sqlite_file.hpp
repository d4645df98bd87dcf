// What SQLite allocates for each open file, and the helper both halves of the VFS need. Internal to
// this folder.
#pragma once

#include <sqlite3.h>

#include <string>

namespace holdfast::sim {

class SqliteHandle;

/// SQLite owns these bytes and knows only `base`.
struct SqliteFile {
  sqlite3_file base;
  SqliteHandle* handle;
};

inline std::string parent_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace holdfast::sim
