#include "core/storage/segment.hpp"

#include <algorithm>
#include <cstdio>

#include "core/base/assert.hpp"
#include "core/storage/packing.hpp"

namespace holdfast::storage {
namespace {

constexpr std::string_view k_magic = "HFSEGMT1";
constexpr std::size_t k_write_buffer_bytes = 1 << 20;
constexpr std::size_t k_open_files = 16;
constexpr std::uint64_t k_counter_mask = (1ULL << k_segment_counter_bits) - 1;

std::string make_header(SegmentId id, SegmentKind kind) {
  std::string header(k_magic);
  put_u64(header, id.value);
  put_u32(header, static_cast<std::uint32_t>(kind));
  put_u64(header, 0);  // reserved
  put_u32(header, checksum(header));
  ASSERT(header.size() == k_segment_header_bytes, "a segment header has 32 bytes");
  return header;
}

class SnapshotSegmentWriter final : public SnapshotWriter {
 public:
  explicit SnapshotSegmentWriter(std::unique_ptr<SegmentFileWriter> file)
      : file_(std::move(file)) {}

  StoreResult<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t room = k_frame_bytes - frame_.size();
      frame_.append(bytes.substr(0, room));
      bytes.remove_prefix(std::min(room, bytes.size()));
      if (frame_.size() < k_frame_bytes) break;
      auto written = write_frame();
      if (!written) return written;
    }
    return {};
  }

  StoreResult<std::string> finish() override {
    if (!frame_.empty()) {
      auto written = write_frame();
      if (!written) return written.failure();
    }
    auto synced = file_->sync();
    if (!synced) return synced.failure();
    return file_->id().name();
  }

 private:
  StoreResult<void> write_frame() {
    std::string header;
    put_u32(header, static_cast<std::uint32_t>(frame_.size()));
    put_u32(header, checksum(frame_));
    auto written = file_->append(header);
    if (written) written = file_->append(frame_);
    frame_.clear();
    return written;
  }

  std::unique_ptr<SegmentFileWriter> file_;
  std::string frame_;
};

}  // namespace

std::string SegmentId::name() const {
  char text[40];
  std::snprintf(text, sizeof text, "%010llx-%06llx.seg",
                static_cast<unsigned long long>(value >> k_segment_counter_bits),
                static_cast<unsigned long long>(value & k_counter_mask));
  return text;
}

std::optional<SegmentId> SegmentId::parse(std::string_view name) {
  unsigned long long epoch = 0;
  unsigned long long counter = 0;
  if (std::sscanf(std::string(name).c_str(), "%10llx-%6llx.seg", &epoch, &counter) != 2)
    return std::nullopt;
  const SegmentId id{(epoch << k_segment_counter_bits) | counter};
  if (id.name() != name) return std::nullopt;
  return id;
}

std::string segment_directory(const std::string& store_directory) {
  return store_directory + "/segments";
}

StoreError from_disk(const env::DiskError& error) {
  return {StoreFailure::io, error.message};
}

StoreResult<std::unique_ptr<SegmentFileWriter>> SegmentFileWriter::create(
    env::Disk& disk, const std::string& directory, SegmentId id, SegmentKind kind) {
  auto file = disk.open(directory + "/" + id.name(), env::OpenMode::create_new);
  if (!file) return Failure{from_disk(file.error())};
  std::unique_ptr<SegmentFileWriter> writer(
      new SegmentFileWriter(disk, directory, id, std::move(*file)));
  auto written = writer->append(make_header(id, kind));
  if (!written) return written.failure();
  return writer;
}

StoreResult<void> SegmentFileWriter::append(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() < k_write_buffer_bytes) return {};
  return flush();
}

StoreResult<void> SegmentFileWriter::flush() {
  if (buffer_.empty()) return {};
  auto written = file_->write_at(flushed_, buffer_);
  if (!written) return Failure{from_disk(written.error())};
  flushed_ += buffer_.size();
  buffer_.clear();
  return {};
}

StoreResult<void> SegmentFileWriter::sync() {
  auto flushed = flush();
  if (!flushed) return flushed;
  auto synced = file_->sync();
  if (synced) synced = disk_.sync_directory(directory_);
  if (!synced) return Failure{from_disk(synced.error())};
  return {};
}

std::unique_ptr<SnapshotWriter> make_snapshot_writer(std::unique_ptr<SegmentFileWriter> file) {
  return std::make_unique<SnapshotSegmentWriter>(std::move(file));
}

std::uint64_t snapshot_file_size(std::uint64_t bytes) {
  const std::uint64_t frames = (bytes + k_frame_bytes - 1) / k_frame_bytes;
  return k_segment_header_bytes + bytes + frames * k_frame_header_bytes;
}

void append_run_record(std::string& out, const RunRecord& record) {
  put_varint(out, record.offset.tx);
  put_varint(out, record.offset.op);
  put_varint(out, (static_cast<std::uint64_t>(record.json.size()) << 1) | (record.last ? 1U : 0U));
  out.append(record.json);
}

std::optional<std::vector<RunRecord>> parse_run(std::string_view bytes) {
  std::vector<RunRecord> records;
  Unpacker unpack(bytes);
  while (!unpack.empty()) {
    RunRecord record;
    const std::uint64_t tx = unpack.varint();
    record.offset = protocol::LogOffset::at(tx, unpack.varint());
    const std::uint64_t size = unpack.varint();
    record.last = (size & 1) != 0;
    record.json = unpack.bytes(size >> 1);
    if (unpack.failed()) return std::nullopt;
    records.push_back(record);
  }
  return records;
}

StoreError SegmentReader::corrupt(SegmentId id, std::uint64_t position,
                                  std::string_view what) const {
  return {StoreFailure::corrupt, directory_ + "/" + id.name() + ": " + std::string(what) +
                                     " at offset " + std::to_string(position)};
}

StoreResult<env::File*> SegmentReader::file(SegmentId id, SegmentKind kind) {
  const auto found =
      std::find_if(open_.begin(), open_.end(), [&](const OpenFile& open) { return open.id == id; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back().file.get();
  }
  auto opened = disk_.open(directory_ + "/" + id.name(), env::OpenMode::read_only);
  if (!opened) {
    const bool missing = opened.error().kind == env::DiskFailure::not_found;
    return Failure{
        StoreError{missing ? StoreFailure::not_found : StoreFailure::io, opened.error().message}};
  }
  std::string header(k_segment_header_bytes, '\0');
  auto read = read_exactly(**opened, id, 0, header);
  if (!read) return read.failure();
  if (header != make_header(id, kind)) return Failure{corrupt(id, 0, "wrong header or version")};
  if (open_.size() == k_open_files) open_.erase(open_.begin());
  open_.push_back({id, std::move(*opened)});
  return open_.back().file.get();
}

StoreResult<void> SegmentReader::read_exactly(env::File& file, SegmentId id, std::uint64_t position,
                                              std::span<char> into) {
  auto read = file.read(position, into);
  if (!read) return Failure{from_disk(read.error())};
  if (*read != into.size()) return Failure{corrupt(id, position + *read, "the file ends early")};
  return {};
}

StoreResult<std::string> SegmentReader::read_run(SegmentId id, std::uint64_t position,
                                                 std::uint64_t length, std::uint32_t crc) {
  auto opened = file(id, SegmentKind::log);
  if (!opened) return opened.failure();
  std::string bytes(static_cast<std::size_t>(length), '\0');
  auto read = read_exactly(**opened, id, position, bytes);
  if (!read) return read.failure();
  if (checksum(bytes) != crc) return Failure{corrupt(id, position, "wrong checksum of a run")};
  return bytes;
}

StoreResult<std::string> SegmentReader::read_snapshot(SegmentId id, std::uint64_t begin,
                                                      std::uint64_t end) {
  std::string result;
  if (begin >= end) return result;
  auto opened = file(id, SegmentKind::snapshot);
  if (!opened) return opened.failure();
  result.reserve(static_cast<std::size_t>(end - begin));
  std::string frame;
  for (std::uint64_t n = begin / k_frame_bytes; n * k_frame_bytes < end; ++n) {
    const std::uint64_t position =
        k_segment_header_bytes + n * (k_frame_bytes + k_frame_header_bytes);
    std::string header(k_frame_header_bytes, '\0');
    auto read = read_exactly(**opened, id, position, header);
    if (!read) return read.failure();
    Unpacker unpack(header);
    const std::uint32_t size = unpack.u32();
    const std::uint32_t crc = unpack.u32();
    if (size > k_frame_bytes) return Failure{corrupt(id, position, "wrong length of a frame")};
    frame.resize(size);
    read = read_exactly(**opened, id, position + k_frame_header_bytes, frame);
    if (!read) return read.failure();
    if (checksum(frame) != crc) return Failure{corrupt(id, position, "wrong checksum of a frame")};
    const std::uint64_t from = std::max(begin, n * k_frame_bytes) - n * k_frame_bytes;
    const std::uint64_t to = std::min(end - n * k_frame_bytes, k_frame_bytes);
    if (to > size) return Failure{corrupt(id, position, "the snapshot ends early")};
    result.append(frame, static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
  }
  return result;
}

}  // namespace holdfast::storage
