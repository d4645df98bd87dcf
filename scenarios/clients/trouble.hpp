// What clients do to the engine beside asking in turn, and what lies between them and it: families
// with a count each. A plan says who (PlannedClient); this is what came of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "scenarios/counted.hpp"

namespace holdfast::scenarios {

enum class ClientTrouble : std::uint8_t {
  vanishing_client,   ///< it gives a request up; with effect: one that had reached the server
  slow_client,        ///< it is long in reading; with effect: there was more to read then
  crowd,              ///< requests of clients that stay for a few answers; with effect: two at once
  caching_proxy,      ///< requests by way of the proxy; with effect: not answered by the engine
  stale_answer,       ///< past its time; with effect: the engine had another by then
  replayed_conflict,  ///< a 409 out of the cache; with effect: it was first given to somebody else
  revalidation,       ///< the proxy asks whether its copy still holds; with effect: it does
};
inline constexpr std::size_t k_client_troubles = 7;

using ClientTroubleCounters = Counted<ClientTrouble, k_client_troubles>;

std::string_view name_of(ClientTrouble trouble);

}  // namespace holdfast::scenarios
