// What the HTTP surface is configured with (http-api.md §28), and the states it reports. Values
// only; core/production fills them from the environment, the simulator from a plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/time.hpp"

namespace holdfast::api {

enum class Authentication : std::uint8_t { required, insecure };
enum class Deletion : std::uint8_t { refused, allowed };  ///< ELECTRIC_ENABLE_INTEGRATION_TESTING

struct ApiOptions {
  Authentication authentication = Authentication::required;  ///< ELECTRIC_INSECURE switches it off
  std::optional<std::string> secret = std::nullopt;          ///< ELECTRIC_SECRET
  Deletion deletion = Deletion::refused;
  Duration long_poll_timeout = std::chrono::seconds(20);
  Duration cache_max_age = std::chrono::seconds(60);
  Duration cache_stale_age = std::chrono::seconds(300);
  Duration stack_ready_timeout = std::chrono::seconds(5);
  std::size_t max_body_bytes = 8'000'000;
  std::uint32_t max_initial_requests = 300;  ///< ELECTRIC_MAX_CONCURRENT_REQUESTS
  std::uint32_t max_existing_requests = 10'000;
  std::string server = "ElectricSQL/1.7.12";  ///< value of the electric-server header
};

/// What /v1/health says (http-api.md §3). `waiting`: all is loaded, another instance holds the
/// lock.
enum class HealthStatus : std::uint8_t { starting, waiting, active };

/// The first condition that a request waited for in vain (http-api.md §23.1).
enum class NotReady : std::uint8_t {
  lock,
  replication_client,
  metadata_pool,
  snapshot_pool,
  shape_metadata,
  shape_data,
  integrity_checks,
  stack_restart,
};

}  // namespace holdfast::api
