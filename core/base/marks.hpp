// Marks: states that a run declares it must reach ("SOMETIMES assertions"; mark_list.hpp names
// them). The engine reports them; the harness fails when a declared one was not visited within its
// budget. Counting never suspends, draws or decides anything.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace holdfast {

enum class Mark : std::uint8_t;

/// Counters of one world or server. Thread-safe.
class Marks {
 public:
  static constexpr std::size_t k_capacity = 128;

  void reached(Mark mark) {
    counts_[static_cast<std::size_t>(mark)].fetch_add(1, std::memory_order_relaxed);
  }
  std::uint64_t count(Mark mark) const {
    return counts_[static_cast<std::size_t>(mark)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, k_capacity> counts_{};
};

}  // namespace holdfast
