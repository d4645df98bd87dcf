// Aiming: restarts and faults wait for a moment of the engine, a label of the trace, and then a few
// steps more, so that they hit inside of it and not only at its beginning.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/time.hpp"
#include "scenarios/plans/plan.hpp"

namespace holdfast::scenarios {

/// Who waits for a moment that does not come acts anyway.
inline constexpr Duration k_patience = std::chrono::seconds(2);

class Aim {
 public:
  /// REQUIRES: a moment that has a label. `draw` says how many steps into it to hit.
  Aim(Moment moment, std::uint64_t draw, const Knobs& knobs);

  /// To be told of each step before it is run. True: now, once.
  bool take(std::string_view label);
  /// The moment has begun.
  bool found() const { return steps_to_go_.has_value(); }

 private:
  std::string_view label_;
  bool is_one_step_;  ///< of the process whose moment it is, which is hit before it
  unsigned steps_;
  std::optional<unsigned> steps_to_go_;
};

}  // namespace holdfast::scenarios
