// Stores and readers that do not keep their contract, around those that do.
#pragma once

#include <memory>

#include "core/storage/store.hpp"
#include "sim/mutants/mutant_set.hpp"

namespace holdfast::sim::mutants {

/// `inner` itself where no mutant of the set concerns it.
std::shared_ptr<storage::StoreSource> break_stores(const MutantSet& set,
                                                   std::shared_ptr<storage::StoreSource> inner);

}  // namespace holdfast::sim::mutants
