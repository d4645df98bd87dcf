// What `--without` makes of an engine: guards of `core` switched off, mutants put around it. One
// list of names, wherever they are read, listed or searched.
#pragma once

#include <string_view>

#include "core/base/guards.hpp"
#include "sim/mutants/mutant_set.hpp"

namespace holdfast::scenarios {

struct Weakened {
  Guards guards = Guards::all();
  sim::mutants::MutantSet mutants = {};

  /// Switches off the guard, or puts in the mutant, of this name. False: nothing is called so.
  bool without(std::string_view name) {
    if (const auto guard = guard_by_name(name)) {
      guards.switch_off(*guard);
      return true;
    }
    const auto mutant = sim::mutants::mutant_by_name(name);
    if (mutant) mutants.add(*mutant);
    return mutant.has_value();
  }
};

/// Calls back with the GuardInfo or MutantInfo of each that there is, and with "guard" or "mutant".
template <class F>
void for_each_weakening(F&& call) {
  for (const GuardInfo& info : k_guards) call(info, "guard");
  for (const sim::mutants::MutantInfo& info : sim::mutants::k_mutants) call(info, "mutant");
}

}  // namespace holdfast::scenarios
