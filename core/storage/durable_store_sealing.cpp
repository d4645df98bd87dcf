// Sealing: the journal becomes runs in segments, shape by shape; and rewriting: the live runs of a
// mostly dead segment move to a new one. Files are written and synced outside any transaction,
// under names nobody used; one transaction then makes them the truth. A crash before it leaves
// files that the next take_over() removes, a crash after it nothing to do.
#include <algorithm>

#include "core/base/assert.hpp"
#include "core/storage/durable_store.hpp"
#include "core/storage/maintenance_jobs.hpp"
#include "core/storage/packing.hpp"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t k_slice_bytes = 8 << 20;
constexpr std::uint64_t k_segment_bytes = 256 << 20;
/// A reader loads whole runs; beyond this one is closed.
constexpr std::size_t k_run_bytes = 256 << 10;
/// Because of one shape's chunk alone the journal is sealed only when this part of it is full.
constexpr std::uint64_t k_chunk_seal_divisor = 8;

}  // namespace

std::uint64_t DurableStore::sealable_row() const {
  return (first_invisible_row_ == 0 ? next_row_ : first_invisible_row_) - 1;
}

bool DurableStore::seal_is_due() const {
  if (sealable_row() <= state_.sealed_row) return false;
  return journal_bytes_ >= options_.journal_bytes ||
         (chunk_waits_ && journal_bytes_ >= options_.journal_bytes / k_chunk_seal_divisor);
}

StoreResult<bool> DurableStore::seal_slice() {
  if (seal_ == nullptr) {
    if (!seal_is_due()) return false;
    seal_ = std::make_unique<SealJob>();
    seal_->through_row = sealable_row();
    seal_->through_item = (first_invisible_row_ == 0 ? next_item_ : first_invisible_item_) - 1;
    seal_->shapes = index_->shapes_with_entries();
  }
  auto advanced = advance_seal(*seal_);
  if (!advanced) {
    // Nothing refers to what was written; the next attempt begins afresh.
    for (const auto& [id, size] : seal_->finished) garbage_.push_back(id);
    if (seal_->file != nullptr) garbage_.push_back(seal_->file->id());
    seal_.reset();
    return advanced.failure();
  }
  if (*advanced) seal_.reset();
  return true;
}

StoreResult<bool> DurableStore::advance_seal(SealJob& job) {
  std::uint64_t written = 0;
  while (job.next_shape < job.shapes.size() && written < k_slice_bytes) {
    auto sealed = seal_shape(job, job.shapes[job.next_shape]);
    if (!sealed) return sealed.failure();
    written += *sealed;
    ++job.next_shape;
  }
  if (job.next_shape < job.shapes.size()) return false;
  auto closed = close_segment(job);
  if (closed) closed = commit_seal(job);
  if (!closed) return closed.failure();
  return true;
}

StoreResult<void> DurableStore::close_segment(SealJob& job) {
  if (job.file == nullptr) return {};
  auto synced = job.file->sync();  // durability point of the runs
  if (!synced) return synced;
  job.finished.emplace_back(job.file->id(), job.file->size());
  job.file.reset();
  return {};
}

StoreResult<std::uint64_t> DurableStore::seal_shape(SealJob& job, std::uint64_t shape) {
  if (!shapes_.contains(shape)) return std::uint64_t{0};
  auto before = catalogue_.sealed_end(shape);
  if (!before) return before.failure();
  RunRow run;
  run.shape = shape;
  run.open_bytes = *before ? (*before)->open_bytes : 0;
  std::string bytes;
  std::uint64_t total = 0;
  StoreResult<void> state;
  for (const JournalEntry& entry : index_->entries_of(shape, job.through_row)) {
    auto visited = journal_.visit(shape, entry, [&](const JournalRecord& record) {
      append_run_record(bytes, {record.offset, record.json, record.last});
      const std::uint64_t counted = chunk_rule_bytes(record.json.size(), record.last);
      job.sealed_bytes[shape] += counted;
      run.last = record.offset;
      run.closes_chunk = record.closes_chunk;
      run.open_bytes = record.closes_chunk ? 0 : run.open_bytes + counted;
      if (!run.closes_chunk && bytes.size() < k_run_bytes) return Visit::more;
      total += bytes.size();
      state = write_run(job, run, bytes);
      return state.ok() ? Visit::more : Visit::stop;
    });
    if (!visited) return visited.failure();
    if (!state) return state.failure();
  }
  if (!bytes.empty()) {
    total += bytes.size();
    state = write_run(job, run, bytes);
    if (!state) return state.failure();
  }
  return total;
}

StoreResult<void> DurableStore::write_run(SealJob& job, RunRow& run, std::string& bytes) {
  if (job.file != nullptr && job.file->size() >= k_segment_bytes) {
    auto closed = close_segment(job);
    if (!closed) return closed;
  }
  if (job.file == nullptr) {
    auto file = SegmentFileWriter::create(disk_, segment_directory(options_.directory),
                                          next_segment_id(), SegmentKind::log);
    if (!file) return file.failure();
    job.file = std::move(*file);
  }
  run.segment = job.file->id();
  run.position = job.file->size();
  run.length = bytes.size();
  run.crc = checksum(bytes);
  auto written = job.file->append(bytes);
  if (!written) return written;
  job.runs.push_back(run);
  bytes.clear();
  return {};
}

bool DurableStore::insert_run(const RunRow& run) {
  const std::string last = offset_key(run.last);
  return connection_->run(insert_run_, run.shape, Blob{last}, run.segment.value, run.position,
                          run.length, std::uint64_t{run.crc},
                          std::uint64_t{run.closes_chunk ? 1U : 0U}, run.open_bytes);
}

StoreResult<void> DurableStore::commit_seal(SealJob& job) {
  auto begun = begin();
  if (!begun) return begun;
  std::map<SegmentId, std::uint64_t> live;
  bool ok = true;
  for (const RunRow& run : job.runs) {
    if (!shapes_.contains(run.shape)) continue;  // removed while the files were written
    live[run.segment] += run.length;
    ok = ok && insert_run(run);
  }
  const auto kind = static_cast<std::uint64_t>(SegmentKind::log);
  for (const auto& [id, size] : job.finished)
    if (live.contains(id))
      ok = ok && connection_->run(insert_segment_, id.value, kind, size, live.at(id));
  ok = ok && connection_->run(set_sealed_, job.through_row, job.through_item);
  if (!ok) return Failure{roll_back(failed("sealing the journal"))};
  auto done = finish();
  if (!done) return done;
  state_.sealed_row = job.through_row;
  state_.sealed_item = job.through_item;
  // Between the commit and this line readers see a version their index does not speak for.
  index_->set_version({state_.epoch, state_.sealed_row});
  index_->trim();
  for (const auto& [id, size] : job.finished) {
    if (live.contains(id))
      segment_use_[id] = {SegmentKind::log, size, live.at(id)};
    else
      garbage_.push_back(id);
  }
  job.finished.clear();  // the database refers to them: no longer the job's to give up
  maintained_.sealed = !live.empty();
  return after_seal(job);
}

StoreResult<void> DurableStore::after_seal(const SealJob& job) {
  for (const auto& [shape, bytes] : job.sealed_bytes) {
    const auto found = shapes_.find(shape);
    if (found == shapes_.end()) continue;
    ASSERT(found->second.journal_bytes >= bytes, "no more is sealed than the journal held");
    found->second.journal_bytes -= bytes;
  }
  chunk_waits_ = std::any_of(shapes_.begin(), shapes_.end(), [&](const auto& shape) {
    return shape.second.journal_bytes >= options_.chunk_bytes;
  });
  return measure_journal();
}

StoreResult<void> DurableStore::start_rewrite() {
  const auto source =
      std::find_if(segment_use_.begin(), segment_use_.end(), [](const auto& segment) {
        const SegmentUse& use = segment.second;
        return use.kind == SegmentKind::log && use.live * 2 < use.size - k_segment_header_bytes;
      });
  if (source == segment_use_.end()) return {};
  auto job = std::make_unique<RewriteJob>();
  job->source = source->first;
  Query rows = connection_->query(select_runs_of_segment_, job->source.value);
  while (rows.next()) {
    RunRow run;
    run.shape = rows.number(0);
    if (rows.bytes(1).size() != 16)
      return Failure{connection_->corrupt("table run: an offset key has not 16 bytes")};
    run.last = offset_from_key(rows.bytes(1));
    run.position = rows.number(2);
    run.length = rows.number(3);
    run.crc = static_cast<std::uint32_t>(rows.number(4));
    job->runs.push_back(run);
  }
  if (rows.failed()) return Failure{failed("reading the runs of a segment")};
  auto file = SegmentFileWriter::create(disk_, segment_directory(options_.directory),
                                        next_segment_id(), SegmentKind::log);
  if (!file) return file.failure();
  job->file = std::move(*file);
  rewrite_ = std::move(job);
  return {};
}

StoreResult<bool> DurableStore::rewrite_slice() {
  if (rewrite_ == nullptr) {
    auto started = start_rewrite();
    if (!started) return started.failure();
    if (rewrite_ == nullptr) return false;
  }
  if (!segment_use_.contains(rewrite_->source)) {  // collected in the meantime
    garbage_.push_back(rewrite_->file->id());
    rewrite_.reset();
    return true;
  }
  auto advanced = advance_rewrite(*rewrite_);
  if (!advanced) {
    garbage_.push_back(rewrite_->file->id());
    rewrite_.reset();
    return advanced.failure();
  }
  if (*advanced) rewrite_.reset();
  return true;
}

StoreResult<bool> DurableStore::advance_rewrite(RewriteJob& job) {
  std::uint64_t copied = 0;
  while (job.positions.size() < job.runs.size() && copied < k_slice_bytes) {
    const RunRow& run = job.runs[job.positions.size()];
    auto bytes = segments_.read_run(job.source, run.position, run.length, run.crc);
    if (!bytes) return bytes.failure();
    job.positions.push_back(job.file->size());
    auto written = job.file->append(*bytes);
    if (!written) return written.failure();
    copied += run.length;
  }
  if (job.positions.size() < job.runs.size()) return false;
  auto synced = job.file->sync();  // durability point of the copies
  if (synced) synced = commit_rewrite(job);
  if (!synced) return synced.failure();
  return true;
}

StoreResult<void> DurableStore::commit_rewrite(RewriteJob& job) {
  auto begun = begin();
  if (!begun) return begun;
  bool ok = true;
  std::uint64_t live = 0;
  const SegmentId target = job.file->id();
  for (std::size_t i = 0; ok && i < job.runs.size(); ++i) {
    const RunRow& run = job.runs[i];
    const std::string last = offset_key(run.last);
    ok = connection_->run(move_run_, run.shape, Blob{last}, job.source.value, target.value,
                          job.positions[i]);
    if (ok && connection_->changes() > 0) live += run.length;  // else collected in the meantime
  }
  const auto kind = static_cast<std::uint64_t>(SegmentKind::log);
  if (live > 0)
    ok = ok && connection_->run(insert_segment_, target.value, kind, job.file->size(), live);
  ok = ok && connection_->run(delete_segment_, job.source.value);
  if (!ok) return Failure{roll_back(failed("replacing a segment"))};
  auto done = finish();
  if (!done) return done;
  maintained_.rewritten = live > 0;
  if (segment_use_.erase(job.source) > 0) garbage_.push_back(job.source);
  if (live > 0)
    segment_use_[target] = {SegmentKind::log, job.file->size(), live};
  else
    garbage_.push_back(target);
  return {};
}

}  // namespace holdfast::storage
