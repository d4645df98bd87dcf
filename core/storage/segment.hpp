// Segment files (formats.md §5): immutable, written and synced under their final name before a
// transaction refers to them. Log segments hold runs of records, snapshot segments the bytes of one
// snapshot in checked frames. Their names are never used twice: epoch and counter.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/env/disk.hpp"
#include "core/storage/store.hpp"

namespace holdfast::storage {

enum class SegmentKind : std::uint8_t { log = 1, snapshot = 2 };

inline constexpr std::uint64_t k_segment_header_bytes = 32;
inline constexpr std::uint64_t k_frame_bytes = 64 << 10;
inline constexpr std::uint64_t k_frame_header_bytes = 8;
inline constexpr unsigned k_segment_counter_bits = 24;

/// Epoch in the high bits, counter in the low 24.
struct SegmentId {
  std::uint64_t value = 0;
  auto operator<=>(const SegmentId&) const = default;
  /// "0000000003-00000a.seg": epoch and counter in hexadecimal.
  std::string name() const;
  static std::optional<SegmentId> parse(std::string_view name);
};

std::string segment_directory(const std::string& store_directory);
StoreError from_disk(const env::DiskError& error);

/// Creates a segment file and appends to it.
class SegmentFileWriter {
 public:
  static StoreResult<std::unique_ptr<SegmentFileWriter>> create(env::Disk& disk,
                                                                const std::string& directory,
                                                                SegmentId id, SegmentKind kind);
  StoreResult<void> append(std::string_view bytes);
  /// Durability point: content, then directory entry.
  StoreResult<void> sync();
  /// Where the next byte goes.
  std::uint64_t size() const { return flushed_ + buffer_.size(); }
  SegmentId id() const { return id_; }

 private:
  SegmentFileWriter(env::Disk& disk, std::string directory, SegmentId id,
                    std::unique_ptr<env::File> file)
      : disk_(disk), directory_(std::move(directory)), id_(id), file_(std::move(file)) {}
  StoreResult<void> flush();

  env::Disk& disk_;
  std::string directory_;
  SegmentId id_;
  std::unique_ptr<env::File> file_;
  std::string buffer_;
  std::uint64_t flushed_ = 0;
};

/// SnapshotWriter over a snapshot segment.
std::unique_ptr<SnapshotWriter> make_snapshot_writer(std::unique_ptr<SegmentFileWriter> file);
/// Size of the file that holds `bytes` bytes of a snapshot.
std::uint64_t snapshot_file_size(std::uint64_t bytes);

/// One record of a run.
struct RunRecord {
  protocol::LogOffset offset;
  std::string_view json;
  bool last = false;
};

void append_run_record(std::string& out, const RunRecord& record);
/// nullopt: malformed.
std::optional<std::vector<RunRecord>> parse_run(std::string_view bytes);

/// Opens segments and reads checked parts of them. Keeps the last few files open.
class SegmentReader {
 public:
  SegmentReader(env::Disk& disk, std::string directory)
      : disk_(disk), directory_(std::move(directory)) {}
  /// The bytes of a run; corrupt when their checksum is not `crc`.
  StoreResult<std::string> read_run(SegmentId id, std::uint64_t position, std::uint64_t length,
                                    std::uint32_t crc);
  /// Bytes [begin, end) of a snapshot.
  StoreResult<std::string> read_snapshot(SegmentId id, std::uint64_t begin, std::uint64_t end);

 private:
  StoreResult<env::File*> file(SegmentId id, SegmentKind kind);
  StoreResult<void> read_exactly(env::File& file, SegmentId id, std::uint64_t position,
                                 std::span<char> into);
  StoreError corrupt(SegmentId id, std::uint64_t position, std::string_view what) const;

  struct OpenFile {
    SegmentId id;
    std::unique_ptr<env::File> file;
  };
  env::Disk& disk_;
  std::string directory_;
  std::vector<OpenFile> open_;  ///< most recently used last
};

}  // namespace holdfast::storage
