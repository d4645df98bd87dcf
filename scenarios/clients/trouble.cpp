#include "scenarios/clients/trouble.hpp"

#include <array>

namespace holdfast::scenarios {

std::string_view name_of(ClientTrouble trouble) {
  constexpr std::array<std::string_view, k_client_troubles> k_names = {
      "vanishing_client", "slow_client",       "crowd",       "caching_proxy",
      "stale_answer",     "replayed_conflict", "revalidation"};
  return k_names[static_cast<std::size_t>(trouble)];
}

}  // namespace holdfast::scenarios
