// Requests that are refused by what they say alone, each with the errors that http-api.md §5.4 to
// §5.8 gives for it.
#pragma once

#include <cstdint>
#include <string>

#include "core/protocol/http.hpp"

namespace holdfast::scenarios {

/// Spoils a good request from the start of a shape (offset=-1, no handle); `pick` chooses how.
/// Answers the JSON object of the errors.
std::string spoil(protocol::Request& request, std::uint64_t pick);

}  // namespace holdfast::scenarios
