// Every answer with a status >= 400, and the 409, as a value (http-api.md §29). Functions only;
// they add what belongs to the answer itself. The headers every answer has come from
// front_door.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/admission.hpp"
#include "core/api/api_options.hpp"
#include "core/api/caching.hpp"
#include "core/protocol/http.hpp"
#include "core/protocol/offset.hpp"
#include "core/shape/definition.hpp"

namespace holdfast::api {

/// Field -> sentences: the `errors` of a 400.
using FieldErrors = std::map<std::string, std::vector<std::string>>;

// -- the request is wrong (§5.2, §5.4, §17) -------------------------------------------------------
protocol::Response invalid_request(Method method, const FieldErrors& errors);
protocol::Response definition_invalid(Method method, const shape::DefinitionError& error);
/// The table is not in the catalogue (§5.5); both parts are quoted.
protocol::Response table_missing(Method method, const postgres::RelationName& table);
protocol::Response out_of_bounds(Method method);
protocol::Response body_not_json(std::string_view details);
protocol::Response body_not_object();
protocol::Response body_too_large();
protocol::Response unauthorized();
protocol::Response route_not_found();
/// The query is not UTF-8 (§2.5): 400 with nothing but `connection: close`.
protocol::Response query_undecodable();

// -- the shape is gone or never was (§18.2, §20) --------------------------------------------------
/// `reason` is a machine-readable word for the header `electric-reason`; empty: no such header.
protocol::Response must_refetch(Method method,
                                const std::optional<protocol::ShapeHandle>& successor,
                                std::string_view reason);
protocol::Response deletion_refused();
protocol::Response no_such_shape();
protocol::Response definition_and_handle_differ();

// -- not now (§22, §23) ---------------------------------------------------------------------------
/// REQUIRES: 6 <= retry_after_s <= 10, drawn by the caller.
protocol::Response admission_refused(Method method, Admission kind, const ApiOptions& options,
                                     unsigned retry_after_s);
/// `cause` is what is known to stand in the way; it is appended after a colon.
protocol::Response not_ready(Method method, NotReady condition, std::string_view cause = {});
/// A long poll timed out while the shape subsystem is down: as not_ready, with a longer
/// retry-after.
protocol::Response stack_down_at_timeout(Method method, NotReady condition,
                                         std::string_view cause = {});
/// Its input is set aside (design.md §7); `reason` is what it died of.
protocol::Response shape_quarantined(Method method, std::string_view reason);
protocol::Response creation_failed(Method method);
/// A known failure of the snapshot: lock timeout, slow query, configuration (§23.3).
protocol::Response snapshot_failed(Method method, std::string_view text);

// -- our fault (§23.3, §23.4) ---------------------------------------------------------------------
protocol::Response snapshot_unexpected(Method method, std::string_view database_message);
protocol::Response log_unreadable(Method method, std::string_view text);
protocol::Response internal_error();

}  // namespace holdfast::api
