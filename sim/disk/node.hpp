// Inodes of the simulated disk and the names that lead to them. A directory keeps two tables: what
// every reader sees, and what the platter knows; the difference is its list of pending entries,
// each of which is kept or dropped on its own at a power loss.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/disk/file_content.hpp"
#include "sim/disk/sqlite_locks.hpp"
#include "sim/disk/sqlite_shared_memory.hpp"

namespace holdfast::sim {

/// A regular file. Lives as long as a directory, a pending entry or an open handle refers to it.
struct FileNode {
  FileNode(std::uint64_t node_key, Durability durability) : key(node_key), content(durability) {}

  /// Structural: from the path it was created under and how often that path had been created
  /// before. Keys the draws.
  std::uint64_t key;
  FileContent content;
  SqliteLocks locks;
  SqliteSharedMemory shared_memory;
};

class DirectoryNode;

/// What a name leads to: exactly one of the two.
struct Entry {
  std::shared_ptr<FileNode> file;
  std::shared_ptr<DirectoryNode> directory;
  explicit operator bool() const { return file != nullptr || directory != nullptr; }
};

class DirectoryNode {
 public:
  explicit DirectoryNode(std::uint64_t key) : key_(key) {}

  std::uint64_t key() const { return key_; }
  const std::map<std::string, Entry>& entries() const { return entries_; }
  /// An empty Entry if there is no such name.
  Entry find(const std::string& name) const;

  /// REQUIRES: the name is free. Returns how often it had been created before.
  std::uint64_t creations_of(const std::string& name) { return created_[name]++; }
  void add(const std::string& name, Entry entry);
  /// REQUIRES: the name is there.
  void remove(const std::string& name);

  void sync();
  /// As with files: what is not kept is lost, and still visible until the next power loss.
  void fail_sync(const Fates& fates);
  void power_loss(const Fates& fates);
  std::uint64_t pending() const { return pending_.size(); }

 private:
  struct Change {
    std::uint64_t ordinal = 0;
    std::string name;
    Entry entry;  ///< empty: a removal
  };
  void write_back(const Change& change);

  std::uint64_t key_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> on_platter_;
  std::vector<Change> pending_;
  std::map<std::string, std::uint64_t> created_;
  std::uint64_t next_ordinal_ = 1;
};

}  // namespace holdfast::sim
