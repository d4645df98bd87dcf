// A growing array of bytes in blocks of 16 KiB: appending never moves what is there, and no block
// is so large that the allocator would ask the kernel for it (page faults were half of a run's
// cost).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

class BlockBytes {
 public:
  BlockBytes() = default;
  BlockBytes(const BlockBytes& other);
  BlockBytes& operator=(const BlockBytes&) = delete;

  std::uint64_t size() const { return size_; }
  /// Growth is zeros.
  void resize(std::uint64_t size);
  /// REQUIRES: [offset, offset + count) lies within the size.
  void read(std::uint64_t offset, char* into, std::size_t count) const;
  /// Whether these bytes are there already; false beyond the end.
  bool holds(std::uint64_t offset, std::string_view bytes) const;
  /// Extends as needed. REQUIRES: offset <= size().
  void write(std::uint64_t offset, std::string_view bytes);
  /// REQUIRES: [begin, end) lies within the size.
  void clear(std::uint64_t begin, std::uint64_t end);

 private:
  static constexpr std::uint64_t k_block_bytes = 16 << 10;
  /// Calls f(position in the range, address, count) for each block's part of [begin, end).
  template <class F>
  void for_each_part(std::uint64_t begin, std::uint64_t end, F f) const;
  void reserve(std::uint64_t size);

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::sim
