// Who began with offset=now holds no rows, so no comparison of a view finds that a change is
// missing: what differs between the shape when it was answered and the shape at a later marker must
// have been told between the two (http-api.md §14).
#pragma once

#include <cstdint>
#include <vector>

#include "oracle/client/messages.hpp"
#include "oracle/client/tag_tracker.hpp"
#include "oracle/truth.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {

/// Objects to keys whose row at `to` is not as at `from` and that no message names. Says nothing of
/// shapes with subqueries, and of tables that were altered. Answers how many keys had to be named.
std::size_t check_nothing_missed(Truth& truth, const ShapeSpec& spec, std::uint64_t from,
                                 std::uint64_t to, const std::vector<Message>& messages,
                                 const Object& object);

}  // namespace holdfast::oracle
