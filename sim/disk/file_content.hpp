// The bytes of one simulated file: what every reader sees (the page cache) and, as an undo list,
// how far the platter may still lag behind. Knows nothing of names, handles or SQLite.
//
// An append records only its extent, an overwrite also the bytes it covers; a sync forgets the
// list. At a power loss the list is walked from its end: a sector shows the state right after the
// last kept operation that touched it (write-back writes whole sectors as they are in the cache),
// so a kept operation brings along what earlier ones did to the same sector. Bytes of a sector that
// no pending operation touched never change: SQLite's POWERSAFE_OVERWRITE holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk/block_bytes.hpp"
#include "sim/disk/fates.hpp"

namespace holdfast::sim {

inline constexpr std::uint64_t k_sector_bytes = 512;

/// Whether a power loss can show more than nothing of the file (a temporary file has no name).
enum class Durability : std::uint8_t { durable, temporary };

class FileContent {
 public:
  explicit FileContent(Durability durability) : durability_(durability) {}

  std::uint64_t size() const { return bytes_.size(); }
  /// All of it, for comparisons.
  std::string text() const;
  /// Fewer bytes than asked for only at the end of the file.
  std::size_t read(std::uint64_t offset, std::span<char> into) const;
  /// A gap between the old end and `offset` reads as zeros.
  void write(std::uint64_t offset, std::string_view bytes);
  void truncate(std::uint64_t size);

  /// Everything up to here survives power loss, except what an earlier failed sync lost.
  void sync();
  /// The platter gets what `fates` keep. The cache stays as it is and counts as clean.
  void fail_sync(const Fates& fates);
  /// The cache becomes what the platter holds after `fates`.
  void power_loss(const Fates& fates);

  /// Operations since the last sync: what Fates are drawn for.
  std::uint64_t pending() const { return pending_.size(); }

 private:
  struct Change {
    std::uint64_t ordinal = 0;
    std::uint64_t begin = 0;  ///< of what changed
    std::uint64_t end = 0;
    std::uint64_t old_size = 0;  ///< of the file, before
    std::uint64_t new_size = 0;
    std::size_t undo = 0;  ///< position in undo_ of the old bytes of [begin, undo_end)
    std::uint64_t undo_end = 0;
    bool truncates() const { return new_size < old_size; }
  };
  enum class Mishap : std::uint8_t { power_loss, failed_sync };
  class Rewind;

  void become_platter(const Fates& fates, Mishap mishap);
  void record(std::uint64_t begin, std::uint64_t end, std::uint64_t undo_end,
              std::uint64_t new_size);
  void forget(std::size_t count);

  Durability durability_;
  BlockBytes bytes_;
  std::vector<Change> pending_;
  std::vector<char> undo_;
  std::uint64_t next_ordinal_ = 1;
  /// Sectors whose platter differs from the clean cache since a failed sync, by number.
  std::map<std::uint64_t, std::string> lost_;
  std::optional<std::uint64_t> lost_size_;
};

}  // namespace holdfast::sim
