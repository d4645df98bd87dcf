#include "tools/sim/workers/allocator.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOLDFAST_OWN_NEW 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HOLDFAST_OWN_NEW 0
#endif
#endif
#ifndef HOLDFAST_OWN_NEW
#define HOLDFAST_OWN_NEW 1
#endif

namespace holdfast::tools {

void tune_allocator() {
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace holdfast::tools

#if HOLDFAST_OWN_NEW
namespace {

// Small blocks lie in one reserved range of addresses, so that delete tells them from malloc's
// without a header. The range is cut into slabs of blocks of one size, which begin with that size;
// a freed block goes to the list of its size in the thread that frees it, and stays there.
constexpr std::size_t k_grain = 16;
constexpr std::size_t k_largest = 1024;
constexpr std::size_t k_slab = 64 << 10;
constexpr std::size_t k_range = std::size_t{64} << 30;
constexpr std::uintptr_t k_no_range = std::uintptr_t{1} << 63;  // no address lies above it

struct Block {
  Block* next;
};

struct alignas(k_grain) SlabHead {
  std::size_t size_class;
};

// Constant initialisation: constructors of other files call new before this file's would run.
constinit std::atomic<std::uintptr_t> range_begin{k_no_range};
constinit std::atomic<std::size_t> range_used{0};
constinit thread_local Block* free_blocks[k_largest / k_grain + 1] = {};

/// True if it was reserved; otherwise every block is malloc's.
bool reserve_range() {
  void* memory = mmap(nullptr, k_range + k_slab, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  range_begin = (reinterpret_cast<std::uintptr_t>(memory) + k_slab - 1) / k_slab * k_slab;
  return true;
}

bool cut_slab(std::size_t size_class) {
  static const bool reserved = reserve_range();
  if (!reserved) return false;
  const std::size_t offset = range_used.fetch_add(k_slab);
  if (offset >= k_range) return false;
  char* const slab = reinterpret_cast<char*>(range_begin.load() + offset);
  new (slab) SlabHead{size_class};
  const std::size_t size = size_class * k_grain;
  for (std::size_t at = sizeof(SlabHead); at + size <= k_slab; at += size)
    free_blocks[size_class] = new (slab + at) Block{free_blocks[size_class]};
  return true;
}

bool is_block(void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) - range_begin.load(std::memory_order_relaxed) <
         k_range;
}

void put_back(void* memory, std::size_t size_class) {
  free_blocks[size_class] = new (memory) Block{free_blocks[size_class]};
}

}  // namespace

void* operator new(std::size_t size) {
  if (size <= k_largest) {
    const std::size_t size_class = size == 0 ? 1 : (size + k_grain - 1) / k_grain;
    if (free_blocks[size_class] != nullptr || cut_slab(size_class)) {
      Block* const block = free_blocks[size_class];
      free_blocks[size_class] = block->next;
      return block;
    }
  }
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept {
  if (!is_block(memory)) return std::free(memory);
  const std::uintptr_t slab = reinterpret_cast<std::uintptr_t>(memory) / k_slab * k_slab;
  put_back(memory, reinterpret_cast<const SlabHead*>(slab)->size_class);
}

void operator delete(void* memory, std::size_t size) noexcept {
  if (!is_block(memory)) return std::free(memory);
  put_back(memory, size == 0 ? 1 : (size + k_grain - 1) / k_grain);
}
#endif
