// The two kinds of journal rows (formats.md §3): item blocks, which hold each encoded item of a
// commit once, and reference rows, which say for each shape which items its records are. Pure
// encoding; no SQLite here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/protocol/offset.hpp"

namespace holdfast::storage {

/// Beyond these a row is closed: small enough that reading one item stays cheap, since a reader
/// loads and checks whole rows.
inline constexpr std::size_t k_item_block_bytes = 16 << 10;
inline constexpr std::size_t k_reference_row_bytes = 3 << 10;

/// Some items of one commit with the offset most of their records have.
class ItemBlock {
 public:
  /// nullopt: checksum, version or lengths are wrong.
  static std::optional<ItemBlock> parse(std::string row);

  std::size_t size() const { return items_.size(); }
  std::string_view json(std::size_t i) const {
    return std::string_view(row_).substr(items_[i].begin, items_[i].size);
  }
  const protocol::LogOffset& offset(std::size_t i) const { return items_[i].offset; }
  std::size_t memory_bytes() const { return row_.size() + items_.size() * sizeof(Item); }

 private:
  struct Item {
    std::size_t begin;
    std::size_t size;
    protocol::LogOffset offset;
  };
  std::string row_;
  std::vector<Item> items_;
};

/// Gathers items into the rows of one commit.
class ItemBlockWriter {
 public:
  void add(std::string_view json, const protocol::LogOffset& offset);
  /// Rows in order. `counts` (same length) says how many items each holds.
  std::vector<std::string> finish();
  const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  void close();
  std::vector<std::string> rows_;
  std::vector<std::uint64_t> counts_;
  std::string directory_;
  std::string bytes_;
  std::uint64_t count_ = 0;
  std::uint64_t previous_tx_ = 0;
};

/// One record as a reference row has it.
struct PackedRecord {
  std::uint64_t item = 0;                     ///< index within the commit
  std::optional<protocol::LogOffset> offset;  ///< only where it is not the item's
  bool last = false;
  bool closes_chunk = false;
};

/// What a section says of its records without decoding them.
struct SectionHeader {
  std::uint64_t shape = 0;
  protocol::LogOffset first;
  protocol::LogOffset last;
  std::uint64_t open_bytes = 0;  ///< bytes in the open protocol chunk after the last record
  std::uint64_t item_bytes = 0;  ///< bytes of all records by the chunk rule
  std::uint64_t count = 0;
};

struct Section {
  SectionHeader header;
  std::uint32_t position = 0;  ///< of the section's body in the row
  std::uint32_t bytes = 0;
  std::string_view records;  ///< packed; see RecordDecoder
};

/// Packs records; the caller states their header once it is known.
class RecordEncoder {
 public:
  void add(const PackedRecord& record);
  const std::string& bytes() const { return bytes_; }
  void clear() {
    bytes_.clear();
    next_item_ = 0;
  }

 private:
  std::string bytes_;
  std::uint64_t next_item_ = 0;
};

class RecordDecoder {
 public:
  explicit RecordDecoder(const Section& section)
      : rest_(section.records), left_(section.header.count) {}
  /// False: no more, or failed().
  bool next(PackedRecord& record);
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  std::uint64_t left_;
  std::uint64_t next_item_ = 0;
  bool failed_ = false;
};

/// Where the items of a commit are: item rows `first_row`, `first_row + 1`, …
struct ItemRows {
  std::uint64_t first_row = 0;
  std::vector<std::uint64_t> counts;
};

/// Encodes one reference row.
class ReferenceRowWriter {
 public:
  explicit ReferenceRowWriter(const ItemRows& items);
  /// Position and length of the section's body in the row.
  std::pair<std::uint32_t, std::uint32_t> add(const SectionHeader& header,
                                              std::string_view records);
  bool full() const { return row_.size() >= k_reference_row_bytes; }
  bool empty() const { return sections_ == 0; }
  std::string finish();

 private:
  std::string row_;
  std::size_t sections_ = 0;
};

/// A decoded reference row; its sections are found by position or in order.
class ReferenceRow {
 public:
  /// nullopt: checksum, version or lengths are wrong.
  static std::optional<ReferenceRow> parse(std::string row);
  const ItemRows& items() const { return items_; }
  /// nullopt: no whole section there.
  std::optional<Section> section(std::uint64_t shape, std::uint32_t position,
                                 std::uint32_t bytes) const;
  /// All of them; nullopt when one is malformed.
  std::optional<std::vector<Section>> sections() const;

 private:
  std::string row_;
  ItemRows items_;
  std::size_t first_section_ = 0;
};

}  // namespace holdfast::storage
