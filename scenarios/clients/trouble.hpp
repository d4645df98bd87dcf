// What clients do to the engine beside asking in turn, and what lies between them and it: families
// with a count each. A plan says who (PlannedClient); this is what came of it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

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

struct ClientTroubleCounters {
  std::array<std::uint64_t, k_client_troubles> injected{};
  std::array<std::uint64_t, k_client_troubles> consequential{};

  void count(ClientTrouble trouble, bool effect) {
    injected[static_cast<std::size_t>(trouble)]++;
    if (effect) consequential[static_cast<std::size_t>(trouble)]++;
  }
};

std::string_view name_of(ClientTrouble trouble);

}  // namespace holdfast::scenarios
