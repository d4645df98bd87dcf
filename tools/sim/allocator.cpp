#include "tools/sim/allocator.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

namespace holdfast::tools {

void tune_allocator(char** argv) {
  // Of each size seven freed blocks are at hand by default, and a history frees hundreds at a time.
  if (std::getenv("GLIBC_TUNABLES") == nullptr) {
    setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=2000", 1);
    execv("/proc/self/exe", argv);  // returns only if it cannot: then it is slower, that is all
  }
  // The kernel is not asked for the same memory at each history.
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace holdfast::tools
