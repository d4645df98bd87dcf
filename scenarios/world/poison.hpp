// A poisoned shape: from some moment on the consumer of one shape dies of whatever it is given, in
// whichever instance, until the poison is gone. Whose: of the shape that is given something first.
#pragma once

#include <optional>
#include <string>

#include "core/protocol/offset.hpp"
#include "sim/scheduler/simulated_executor.hpp"

namespace holdfast::scenarios {

class Poison {
 public:
  void begin() { active_ = true; }
  void end() { active_ = false; }
  /// To be called before each step: kills who is about to take something. True: the first one.
  bool observe(const sim::StepInfo& step);

  /// The shape, while it is poisoned.
  std::optional<protocol::ShapeHandle> victim() const { return active_ ? victim_ : std::nullopt; }

 private:
  bool active_ = false;
  std::optional<protocol::ShapeHandle> victim_;
};

}  // namespace holdfast::scenarios
