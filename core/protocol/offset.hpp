// Offsets and handles as the wire shows them (http-api.md §6, §7). Values only.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::protocol {

/// A position in a shape's log: (tx, op), compared in that order. "-1" is before everything; tx 0
/// is the snapshot (0_n ends chunk n); op may be infinite.
struct LogOffset {
  static constexpr std::uint64_t k_infinite = std::numeric_limits<std::uint64_t>::max();

  /// False orders before everything: "-1". The other fields are then zero.
  bool started = false;
  std::uint64_t tx = 0;
  std::uint64_t op = 0;

  auto operator<=>(const LogOffset&) const = default;

  static constexpr LogOffset before_all() { return {}; }
  static constexpr LogOffset at(std::uint64_t tx, std::uint64_t op) { return {true, tx, op}; }
  /// "0_inf": the end of the snapshot, before any change.
  static constexpr LogOffset snapshot_end() { return {true, 0, k_infinite}; }

  bool is_real() const { return started && tx > 0; }
  /// "-1", "0_inf", "26884928_2".
  std::string to_string() const;
  /// Accepts what upstream accepts: leading zeros, a leading '+', "-1_0" as "-1". Numbers beyond 64
  /// bits saturate. nullopt: "has invalid format". "now" is not an offset.
  static std::optional<LogOffset> parse(std::string_view text);
};

/// Names one incarnation of one shape, for ever. "<digits>-<digits>" (http-api.md §7).
struct ShapeHandle {
  std::string text;
  auto operator<=>(const ShapeHandle&) const = default;
};

}  // namespace holdfast::protocol
