// From a request on the shape route to what it asks for: every rule of http-api.md §5 that needs no
// catalogue, in its order and with its exact answer. Pure functions: no clock, no database.
//
// Deviations from upstream, each a clear 400 instead of silence: subset snapshots (§19) and SSE
// (§16) are not served; a body nested deeper than 128 levels is refused. Compaction (§5.9) is
// accepted and has no effect, as §5.9 allows. Subqueries are refused by where::Condition.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/api_options.hpp"
#include "core/api/caching.hpp"
#include "core/base/result.hpp"
#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::api {

enum class Live : std::uint8_t { no, long_poll };

struct ShapeParameters {
  Method method = Method::get;
  shape::DefinitionRequest definition;  ///< `columns` falls back on queryable_columns (§5.6)
  std::optional<std::vector<std::string>> queryable_columns;
  bool compaction = false;  ///< asked for; there is none, but where it may be asked for is checked
  std::optional<protocol::LogOffset> offset;    ///< none: `now`
  std::optional<protocol::ShapeHandle> handle;  ///< present iff offset is neither `-1` nor `now`
  Live live = Live::no;
  std::uint64_t previous_cursor = 0;       ///< 0: absent
  std::vector<std::string> if_none_match;  ///< tags without quotes

  bool is_now() const { return !offset.has_value(); }
  bool is_initial() const { return offset.has_value() && !offset->started; }
};

/// Step 3 of §4 on its own, for a POST: an unreadable body is refused before the wait for
/// readiness.
std::optional<protocol::Response> check_body(const protocol::Request& request,
                                             const ApiOptions& options);

/// REQUIRES: a GET, HEAD or POST on the shape route.
Result<ShapeParameters, protocol::Response> parse_shape_request(const protocol::Request& request,
                                                                const ApiOptions& options);

/// The rules of §5.6 on queryable_columns, once the table is known; to be asked before
/// shape::Definition::resolve. nullopt: nothing to object to.
std::optional<shape::DefinitionError> check_queryable_columns(
    const ShapeParameters& parameters, const postgres::RelationInfo& relation);

/// What a DELETE names: at least one of the two (§20).
struct DeleteParameters {
  std::optional<shape::DefinitionRequest> definition;
  std::optional<protocol::ShapeHandle> handle;
};

/// REQUIRES: the service is active; §20 puts that wait before permission and validation.
Result<DeleteParameters, protocol::Response> parse_delete_request(const protocol::Request& request,
                                                                  const ApiOptions& options);

}  // namespace holdfast::api
