// What breaks a rule of the tree on purpose. Each line needs a reason that a reader would accept;
// an entry that is not needed any more must leave.
#pragma once

#include <array>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {

inline constexpr std::array<LongFile, 0> k_long_files = {};

inline constexpr std::string_view k_model =
    "the Postgres model mirrors what it models and shares no code";

inline constexpr std::array k_shared_names = {
    SharedName{"catalog", k_model},
    SharedName{"decimal", k_model},
};

}  // namespace holdfast::tidy
