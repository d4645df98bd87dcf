// The text form of one-dimensional arrays: "{1,NULL,\"a b\"}". Pure; used by the model only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/postgres/values/value.hpp"

namespace holdfast::sim::postgres {

/// The elements' texts; nullopt is NULL. Error 22P02 if it is no array, 0A000 if it is nested.
SqlResult<std::vector<std::optional<std::string>>> read_array_literal(std::string_view text);

}  // namespace holdfast::sim::postgres
