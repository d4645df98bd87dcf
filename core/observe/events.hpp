// Structured events: what the engine tells the people who run it. A sink prints them (production)
// or keeps them for a failing run (simulator). Emitting one never suspends, draws or decides
// anything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::observe {

enum class Level : std::uint8_t { debug, info, warning, error };

struct Event {
  Level level = Level::info;
  std::string_view name;  ///< a constant, "shape_removed"
  std::vector<std::pair<std::string_view, std::string>> fields;
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Thread-safe.
  virtual void emit(const Event& event) = 0;
};

}  // namespace holdfast::observe
