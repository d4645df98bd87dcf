#include "sim/disk/file_content.hpp"

#include <algorithm>

#include "core/base/assert.hpp"

namespace holdfast::sim {

namespace {

/// A kernel writes back on its own after a while. Beyond this many operations the older half counts
/// as written, which bounds the undo list of a file that nobody ever syncs.
constexpr std::size_t k_pending_limit = 1U << 15;

/// One past the last sector that [begin, end) touches.
std::uint64_t sector_end(std::uint64_t begin, std::uint64_t end) {
  return end <= begin ? begin / k_sector_bytes : (end - 1) / k_sector_bytes + 1;
}

}  // namespace

std::size_t FileContent::read(std::uint64_t offset, std::span<char> into) const {
  if (offset >= bytes_.size()) return 0;
  const std::size_t count = std::min(into.size(), static_cast<std::size_t>(bytes_.size() - offset));
  bytes_.read(offset, into.data(), count);
  return count;
}

std::string FileContent::text() const {
  std::string text(bytes_.size(), '\0');
  read(0, text);
  return text;
}

void FileContent::write(std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  // The platter has nothing else, whatever becomes of this write: a log that is written over itself
  // costs a comparison.
  const bool clean = pending_.empty() && lost_.empty() && !lost_size_;
  if (clean && bytes_.holds(offset, bytes)) return;
  const std::uint64_t end = offset + bytes.size();
  const std::uint64_t old_size = bytes_.size();
  // The gap is part of the change: whether its zeros arrive is as open as the rest.
  record(std::min(offset, old_size), end, std::min(end, old_size), std::max(end, old_size));
  if (offset > old_size) bytes_.resize(offset);
  bytes_.write(offset, bytes);
}

void FileContent::truncate(std::uint64_t size) {
  if (size == bytes_.size()) return;
  record(std::min<std::uint64_t>(size, bytes_.size()), std::max<std::uint64_t>(size, bytes_.size()),
         bytes_.size(), size);
  bytes_.resize(size);
}

void FileContent::record(std::uint64_t begin, std::uint64_t end, std::uint64_t undo_end,
                         std::uint64_t new_size) {
  if (durability_ == Durability::temporary) return;
  if (pending_.size() >= k_pending_limit) forget(pending_.size() / 2);
  undo_end = std::max(undo_end, begin);
  pending_.push_back(Change{.ordinal = next_ordinal_++,
                            .begin = begin,
                            .end = end,
                            .old_size = bytes_.size(),
                            .new_size = new_size,
                            .undo = undo_.size(),
                            .undo_end = undo_end});
  if (undo_end == begin) return;
  undo_.resize(undo_.size() + (undo_end - begin));
  bytes_.read(begin, undo_.data() + pending_.back().undo, undo_end - begin);
}

void FileContent::forget(std::size_t count) {
  if (count == 0) return;
  if (!lost_.empty()) {
    for (std::size_t i = 0; i < count; ++i) {
      const Change& change = pending_[i];
      lost_.erase(lost_.lower_bound(change.begin / k_sector_bytes),
                  lost_.lower_bound(sector_end(change.begin, change.end)));
    }
  }
  lost_size_.reset();
  if (count == pending_.size()) {
    pending_.clear();
    undo_.clear();
    return;
  }
  const std::size_t cut = pending_[count].undo;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
  undo_.erase(undo_.begin(), undo_.begin() + static_cast<std::ptrdiff_t>(cut));
  for (Change& change : pending_) change.undo -= cut;
}

void FileContent::sync() {
  forget(pending_.size());
}

/// Walks the pending changes from the last to the first and leaves in `file.bytes_` what the
/// platter holds. A sector is settled once a kept change was met.
class FileContent::Rewind {
 public:
  Rewind(FileContent& file, const Fates& fates, Mishap mishap)
      : file_(file), fates_(fates), mishap_(mishap), size_(file.bytes_.size()) {
    std::uint64_t longest = size_;
    for (const Change& change : file.pending_) longest = std::max(longest, change.old_size);
    if (!file.lost_.empty()) {
      longest = std::max(longest, (file.lost_.rbegin()->first + 1) * k_sector_bytes);
    }
    file.bytes_.resize(longest);
    settled_.resize(sector_end(0, longest));
  }

  void run() {
    for (std::size_t i = file_.pending_.size(); i-- > 0;) {
      const Change& change = file_.pending_[i];
      const Fate fate = fates_.of(i, change.ordinal);
      if (change.truncates()) {
        truncation(change, fate);
      } else {
        growth_or_overwrite(change, fate);
      }
    }
    for (const auto& [sector, platter] : file_.lost_) {
      if (settled_[sector]) continue;
      file_.bytes_.write(sector * k_sector_bytes, platter);
    }
    if (!size_settled_ && file_.lost_size_) size_ = *file_.lost_size_;
    file_.bytes_.resize(std::max(size_, size_floor_));
  }

 private:
  void growth_or_overwrite(const Change& change, Fate fate) {
    const std::uint64_t last = sector_end(change.begin, change.end);
    for (std::uint64_t s = change.begin / k_sector_bytes; s < last; ++s) {
      if (settled_[s]) continue;
      if (fate == Fate::kept || (fate == Fate::torn && fates_.keeps_sector(change.ordinal, s))) {
        settled_[s] = true;
        const std::uint64_t reach = std::min((s + 1) * k_sector_bytes, change.new_size);
        size_floor_ = std::max(size_floor_, reach);
        grew_ |= reach > change.old_size;
      } else {
        restore(change, s);
      }
    }
    if (change.new_size == change.old_size || size_settled_) return;
    if (fate == Fate::kept || (fate == Fate::torn && fates_.keeps_size(change.ordinal))) {
      size_settled_ = true;
    } else {
      size_ = change.old_size;
    }
  }

  /// Lengths go through the file system's journal in order: a growth that is on the platter has
  /// brought the truncations before it along. The journal is not what a failed sync loses.
  void truncation(const Change& change, Fate fate) {
    const bool kept = size_settled_ || grew_ || fate == Fate::kept ||
                      mishap_ == Mishap::failed_sync ||
                      (fate == Fate::torn && fates_.keeps_size(change.ordinal));
    const std::uint64_t last = sector_end(change.begin, change.end);
    for (std::uint64_t s = change.begin / k_sector_bytes; s < last; ++s) {
      if (settled_[s]) continue;
      if (kept) {
        settled_[s] = true;
      } else {
        restore(change, s);
      }
    }
    if (kept) {
      size_settled_ = true;
    } else {
      size_ = change.old_size;
    }
  }

  /// Puts back what `change` replaced in this sector; what lay beyond the old end becomes zero.
  void restore(const Change& change, std::uint64_t sector) {
    const std::uint64_t begin = std::max(change.begin, sector * k_sector_bytes);
    const std::uint64_t end = std::min(change.end, (sector + 1) * k_sector_bytes);
    const std::uint64_t known = std::clamp(change.undo_end, begin, end);
    if (known > begin) {
      const char* const old = file_.undo_.data() + change.undo + (begin - change.begin);
      file_.bytes_.write(begin, {old, known - begin});
    }
    file_.bytes_.clear(known, end);
  }

  FileContent& file_;
  const Fates& fates_;
  Mishap mishap_;
  std::vector<bool> settled_;
  std::uint64_t size_;
  std::uint64_t size_floor_ = 0;  ///< a sector on the platter is not beyond the end
  bool size_settled_ = false;
  bool grew_ = false;
};

void FileContent::power_loss(const Fates& fates) {
  if (durability_ == Durability::temporary) return;
  become_platter(fates, Mishap::power_loss);
}

void FileContent::become_platter(const Fates& fates, Mishap mishap) {
  if (!pending_.empty() || !lost_.empty() || lost_size_) Rewind(*this, fates, mishap).run();
  pending_.clear();
  undo_.clear();
  lost_.clear();
  lost_size_.reset();
}

void FileContent::fail_sync(const Fates& fates) {
  if (durability_ == Durability::temporary) return;
  FileContent platter = *this;
  platter.become_platter(fates, Mishap::failed_sync);
  pending_.clear();
  undo_.clear();
  lost_.clear();
  lost_size_.reset();
  if (platter.size() != size()) lost_size_ = platter.size();
  const std::uint64_t common = std::max(size(), platter.size());
  platter.bytes_.resize(sector_end(0, common) * k_sector_bytes);
  for (std::uint64_t s = 0; s < sector_end(0, common); ++s) {
    const std::uint64_t begin = s * k_sector_bytes;
    std::string on_platter(k_sector_bytes, '\0');
    platter.read(begin, on_platter);
    std::string in_cache(k_sector_bytes, '\0');
    read(begin, in_cache);
    if (on_platter != in_cache) lost_.emplace(s, on_platter);
  }
}

}  // namespace holdfast::sim
