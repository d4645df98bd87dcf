#include "sim/disk/block_bytes.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/assert.hpp"

namespace holdfast::sim {

template <class F>
void BlockBytes::for_each_part(std::uint64_t begin, std::uint64_t end, F f) const {
  for (std::uint64_t at = begin; at < end;) {
    const std::uint64_t within = at % k_block_bytes;
    const std::uint64_t count = std::min(k_block_bytes - within, end - at);
    f(at - begin, blocks_[at / k_block_bytes].get() + within, count);
    at += count;
  }
}

BlockBytes::BlockBytes(const BlockBytes& other) {
  reserve(other.size_);
  size_ = other.size_;
  other.for_each_part(0, size_, [&](std::uint64_t at, const char* bytes, std::uint64_t count) {
    std::memcpy(blocks_[at / k_block_bytes].get(), bytes, count);
  });
}

void BlockBytes::reserve(std::uint64_t size) {
  const std::uint64_t blocks = (size + k_block_bytes - 1) / k_block_bytes;
  while (blocks_.size() < blocks) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(k_block_bytes));
  }
}

void BlockBytes::resize(std::uint64_t size) {
  const std::uint64_t old_size = size_;
  size_ = size;
  if (size > old_size) {
    reserve(size);
    clear(old_size, size);
  } else {
    blocks_.resize((size + k_block_bytes - 1) / k_block_bytes);
  }
}

void BlockBytes::read(std::uint64_t offset, char* into, std::size_t count) const {
  ASSERT(offset + count <= size_, "only bytes that are there are read");
  for_each_part(offset, offset + count,
                [&](std::uint64_t at, const char* bytes, std::uint64_t part) {
                  std::memcpy(into + at, bytes, part);
                });
}

bool BlockBytes::holds(std::uint64_t offset, std::string_view bytes) const {
  if (offset + bytes.size() > size_) return false;
  bool same = true;
  for_each_part(offset, offset + bytes.size(),
                [&](std::uint64_t at, const char* here, std::uint64_t part) {
                  same = same && std::memcmp(here, bytes.data() + at, part) == 0;
                });
  return same;
}

void BlockBytes::write(std::uint64_t offset, std::string_view bytes) {
  ASSERT(offset <= size_, "a write leaves no gap");
  const std::uint64_t end = offset + bytes.size();
  if (end > size_) {
    reserve(end);
    size_ = end;
  }
  for_each_part(offset, end, [&](std::uint64_t at, char* into, std::uint64_t part) {
    std::memcpy(into, bytes.data() + at, part);
  });
}

void BlockBytes::clear(std::uint64_t begin, std::uint64_t end) {
  ASSERT(end <= size_, "only bytes that are there are cleared");
  for_each_part(begin, end,
                [](std::uint64_t, char* into, std::uint64_t part) { std::memset(into, 0, part); });
}

}  // namespace holdfast::sim
