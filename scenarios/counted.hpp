// How often each kind of a family was injected in a run, and how often it had an effect.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace holdfast::scenarios {

template <class Kind, std::size_t N>
struct Counted {
  std::array<std::uint64_t, N> injected{};
  std::array<std::uint64_t, N> consequential{};

  void count(Kind kind, bool effect) {
    injected[static_cast<std::size_t>(kind)]++;
    if (effect) had_effect(kind);
  }
  void had_effect(Kind kind) { consequential[static_cast<std::size_t>(kind)]++; }
};

}  // namespace holdfast::scenarios
