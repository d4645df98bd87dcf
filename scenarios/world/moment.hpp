// Moments of the engine that something in a plan waits for, so that it hits there
// (scenarios/world/aim.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::scenarios {

enum class Moment : std::uint8_t {
  any_time,
  commit,
  snapshot,
  removal,
  takeover,
  slot_made,
  fragment,      ///< of a transaction that is taken from the stream in several
  move,          ///< the query of rows that move into a shape with subqueries
  confirmation,  ///< of a position, to Postgres
  doubt,         ///< a commit has failed, and nobody knows what of it is on the disk
  spill,         ///< the file of a snapshot is finished, after its table was given up
  judgement,     ///< a snapshot was taken, and is to be judged by what has passed
};
inline constexpr std::size_t k_moments = 12;

std::string_view name_of(Moment moment);
/// All names, by value.
std::span<const std::string_view> names_of(Moment);

}  // namespace holdfast::scenarios
