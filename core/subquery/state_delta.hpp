// What the values of this folder store, as changes of a map: spaces, opaque keys and values. They
// go into the engine's one commit with what they belong to (design.md §7). Spaces are numbers that
// are never given another meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::subquery {

enum class Space : std::uint32_t {
  header = 0,           ///< of an outer shape: one entry
  pending_move = 1,     ///< the move whose query is under way: at most one entry
  buffer = 2,           ///< transactions that wait for the splice, by commit LSN
  rows = 3,             ///< of a materializer, by row key
  first_of_views = 16,  ///< + dependency: the values of its view
};

struct StateDelta {
  std::uint32_t space = 0;
  std::optional<std::string> key = {};    ///< none: the whole space, which becomes empty
  std::optional<std::string> value = {};  ///< none: the key goes
};

constexpr std::uint32_t number(Space space) {
  return static_cast<std::uint32_t>(space);
}

}  // namespace holdfast::subquery
