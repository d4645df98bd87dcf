// Everything that makes answers safe to cache by URL: cache-control, etags, cursors (http-api.md
// §9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/api_options.hpp"
#include "core/base/time.hpp"
#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"

namespace holdfast::api {

/// How a request reached the shape route. HEAD counts as `get` (§2.1).
enum class Method : std::uint8_t { get, post, remove };

/// Which row of the table in §9.1 a successful answer falls into.
enum class CacheClass : std::uint8_t { initial, log, live };

/// cache-control of a 200 or 304.
void add_cache_headers(protocol::Headers& headers, Method method, CacheClass cache_class,
                       const ApiOptions& options);
/// cache-control, and surrogate-control where §9.1 wants it, of a status >= 400 other than a 409.
void add_no_store_headers(protocol::Headers& headers, Method method);
/// §2.3: answers that choose no caching of their own.
void add_default_cache_headers(protocol::Headers& headers);

/// `"<handle>:<requested>:<end>"` with its quotes (§9.2). `requested` is an offset's text, or
/// `now`.
std::string entity_tag(const protocol::ShapeHandle& handle, std::string_view requested,
                       const protocol::LogOffset& end);
/// The form of empty replies: `unique` differs each time, so that none can ever be revalidated.
std::string unique_entity_tag(const protocol::ShapeHandle& handle, std::string_view requested,
                              const protocol::LogOffset& end, std::uint64_t unique);

/// The tags of all If-None-Match headers without blanks, quotes and a leading `W/`.
std::vector<std::string> read_if_none_match(const protocol::Headers& headers);

/// The `cursor` parameter as a number. What is no plain integer of at most 18 digits counts as 0.
std::uint64_t read_cursor(std::string_view text);
/// §9.3. ENSURES: greater than `previous`, unless the timeout is under a second: then 0.
/// `random` is any number; it only matters within one interval.
std::uint64_t next_cursor(WallTime now, Duration long_poll_timeout, std::uint64_t previous,
                          std::uint64_t random);

}  // namespace holdfast::api
