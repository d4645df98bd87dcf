// What happens to every request before and after its handler: route, secret, CORS, the answers that
// need no engine (http-api.md §2, §3, §21). Pure functions; the server and the simulated network
// call `answer_without_shape` first, then the shape handler where it leaves the request, then
// `complete`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/api_options.hpp"
#include "core/protocol/http.hpp"

namespace holdfast::api {

enum class Resource : std::uint8_t { root, shape, health, unknown };

/// By the decoded path with empty segments dropped, so that no spelling of a path escapes the
/// secret (§2.2).
Resource resolve_path(std::string_view decoded_path);

/// §2.4: the shape route's secret, compared in time that depends on lengths only.
bool is_authorised(const protocol::Request& request, const ApiOptions& options);

/// The answer to everything that needs no shape: 404, 401, OPTIONS, `/`, health, undecodable
/// queries. nullopt: a GET, HEAD, POST or DELETE of a shape, authorised, for the handler.
/// `health_detail` says what a server that is not active waits for; empty: nothing known.
std::optional<protocol::Response> answer_without_shape(const protocol::Request& request,
                                                       const ApiOptions& options,
                                                       HealthStatus health,
                                                       std::string_view health_detail = {});

/// The request id to answer with: the client's own if it has 20 to 200 characters, else `fresh`.
std::string choose_request_id(const protocol::Request& request, std::string_view fresh);

/// Adds what every answer has (server, request id, CORS, vary) and drops the body for HEAD.
/// Bare transport answers (`connection: close` and no type) stay bare.
void complete(const protocol::Request& request, const ApiOptions& options,
              std::string_view fresh_request_id, protocol::Response& response);

}  // namespace holdfast::api
