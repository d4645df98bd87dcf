// What `--without` makes of an engine: cuts of guards of `core` switched off, mutants put around
// it. One list of names, wherever they are read, listed or searched.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "core/base/guard_list.hpp"
#include "sim/mutants/mutant_set.hpp"

namespace holdfast::scenarios {

struct Weakened {
  Guards guards = Guards::all();
  sim::mutants::MutantSet mutants = {};

  /// Switches off the guard or all guards of the cut, or puts in the mutant, of this name. False:
  /// nothing is called so.
  bool without(std::string_view name) {
    if (const auto guard = guard_by_name(name)) {
      guards.switch_off(*guard);
      return true;
    }
    bool known = false;
    for (const GuardInfo& info : k_guards)
      if (info.cut == name && !name.empty()) {
        guards.switch_off(info.guard);
        known = true;
      }
    if (known) return true;
    const auto mutant = sim::mutants::mutant_by_name(name);
    if (mutant) mutants.add(*mutant);
    return mutant.has_value();
  }
};

/// One row of the kill table: what goes together off, or in.
struct Weakening {
  std::string_view name;
  std::string_view kind;  ///< "guard" (a cut of one or more) or "mutant"
  std::string_view failure_mode;
  std::vector<std::string_view> members;  ///< of a cut, its guards; of a mutant, itself
  std::string_view scenario = "mixed";    ///< whose histories need it
};

/// What histories of `mixed` do not need.
inline constexpr std::pair<std::string_view, std::string_view> k_own_scenarios[] = {
    {"shutdown_race", "bug6_shutdown_race"},
    {"negate_before_coercing", "awkward_values"},
    {"hash_canonical_values", "awkward_values"},
    {"cancel_within_a_commit", "awkward_values"},
    {"convert_at_the_splice", "awkward_values"},
    {"handled_once", "awkward_values"},
    {"subscribe_by_difference", "awkward_values"},
    {"query_sees_what_was_given_before", "awkward_values"},
    {"markers_stay_below_the_buffer", "awkward_values"},
    {"position_of_transactions", "awkward_values"},
    {"state_read_in_part", "awkward_values"},
    {"state_read_twice", "awkward_values"},
};

inline std::vector<Weakening> weakenings() {
  std::vector<Weakening> all;
  for (const GuardInfo& info : k_guards) {
    const std::string_view cut = info.cut.empty() ? info.name : info.cut;
    bool added = false;
    for (Weakening& one : all)
      if (one.name == cut) {
        one.members.push_back(info.name);
        added = true;
      }
    if (!added) all.push_back({cut, "guard", info.failure_mode, {info.name}});
  }
  for (const sim::mutants::MutantInfo& info : sim::mutants::k_mutants)
    all.push_back({info.name, "mutant", info.failure_mode, {info.name}});
  for (Weakening& one : all)
    for (const auto& [name, scenario] : k_own_scenarios)
      if (one.name == name) one.scenario = scenario;
  return all;
}

}  // namespace holdfast::scenarios
