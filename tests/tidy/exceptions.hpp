// What breaks a rule of the tree on purpose. Each line needs a reason that a reader would accept;
// an entry that is not needed any more must leave.
#pragma once

#include <array>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {

inline constexpr std::array<LongFile, 0> k_long_files = {};

inline constexpr std::array k_shared_names = {
    SharedName{"connection", "the HTTP server's and libpq's, each in its own folder"},
    SharedName{"fixture", "each test program's own"},
};

}  // namespace holdfast::tidy
