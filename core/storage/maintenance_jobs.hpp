// Work of maintain() that spans several slices: sealing the journal into segments, and rewriting a
// segment that is mostly dead. Both write files outside any transaction and end in one transaction
// of the store that makes the files the truth.
#pragma once

#include <map>
#include <vector>

#include "core/storage/journal_index.hpp"
#include "core/storage/segment.hpp"

namespace holdfast::storage {

/// A row of table `run`.
struct RunRow {
  std::uint64_t shape = 0;
  protocol::LogOffset last;
  SegmentId segment;
  std::uint64_t position = 0;
  std::uint64_t length = 0;
  std::uint32_t crc = 0;
  bool closes_chunk = false;
  std::uint64_t open_bytes = 0;
};

/// Sealing everything up to one journal row, shape by shape.
struct SealJob {
  std::uint64_t through_row = 0;
  std::uint64_t through_item = 0;
  std::vector<std::uint64_t> shapes;  ///< ascending
  std::size_t next_shape = 0;
  std::unique_ptr<SegmentFileWriter> file;                    ///< the one being written
  std::vector<std::pair<SegmentId, std::uint64_t>> finished;  ///< synced files and their sizes
  std::vector<RunRow> runs;
  std::map<std::uint64_t, std::uint64_t> sealed_bytes;  ///< by shape, counted by the chunk rule
};

/// Copying the live runs of one segment to another.
struct RewriteJob {
  SegmentId source;
  std::unique_ptr<SegmentFileWriter> file;
  std::vector<RunRow> runs;              ///< as they are in the source
  std::vector<std::uint64_t> positions;  ///< in the new file, of those copied so far
};

}  // namespace holdfast::storage
