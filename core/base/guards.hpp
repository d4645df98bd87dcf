// Guards: defensive rules at one decision point each (guard_list.hpp names them). Code asks the set
// its stack was started with: `guards.on(Guard::gone_asks_the_store)`. Production always runs with
// Guards::all(). "Off" is the code a competent author would have written first; it never throws or
// corrupts on purpose.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace holdfast {

enum class Guard : std::uint8_t;

/// The set a stack runs with. A value.
class Guards {
 public:
  static constexpr std::size_t k_capacity = 128;

  static Guards all() {
    Guards guards;
    guards.on_.set();
    return guards;
  }
  bool on(Guard guard) const { return on_.test(static_cast<std::size_t>(guard)); }
  void switch_off(Guard guard) { on_.reset(static_cast<std::size_t>(guard)); }

 private:
  std::bitset<k_capacity> on_;
};

}  // namespace holdfast
