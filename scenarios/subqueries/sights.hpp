// What clients of shapes with subqueries have seen in a run: a harness that no longer gets there
// would pass whatever the engine does. Counts, and what a plan says of each shape.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/client/client_view.hpp"
#include "oracle/oracle.hpp"

namespace holdfast::scenarios {

enum class Sight : std::uint8_t {
  move_in,                ///< the event alone
  rows_moved_in,          ///< it brought rows
  move_out,               ///< the event alone
  rows_moved_out,         ///< rows left with it
  move_of_nested_shape,   ///< whose clause reads four tables, one inside the other
  move_of_shared_inner,   ///< one of whose subqueries is another shape's, too
  move_of_not_in,         ///< of a shape with NOT IN
  move_over_restart,      ///< by a client that went on over a restart
  membership_judged,      ///< the rows at a marker were, by what their tests may know (I-29)
  membership_lagged,      ///< of these, such that only an earlier position explains
  membership_of_unknown,  ///< of these, such that a test was neither true nor false: NULLs
};
inline constexpr std::size_t k_sights = 11;

std::string_view name_of(Sight sight);

struct SightCounters {
  std::array<std::uint64_t, k_sights> seen{};
  void count(Sight sight, std::uint64_t times = 1) {
    seen[static_cast<std::size_t>(sight)] += times;
  }
};

/// What a shape's moves are worth as sights.
struct ShapeTraits {
  bool nested = false;
  bool shared_inner = false;
  bool not_in = false;  ///< or NOT around an IN
};
/// By spec.
std::vector<ShapeTraits> traits_of(const std::vector<oracle::ShapeSpec>& specs);
/// How many sub-selects stand inside each other, at most.
std::size_t subquery_depth(const std::string& clause);

/// What an answer brought a client, by its view's tallies before and after.
void count_moves(SightCounters& counters, const ShapeTraits& traits, bool crossed_a_restart,
                 const oracle::MoveTally& before, const oracle::MoveTally& after);
void count_memberships(SightCounters& counters, const oracle::MembershipCounters& judged);

}  // namespace holdfast::scenarios
