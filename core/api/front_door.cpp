#include "core/api/front_door.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/api/error_responses.hpp"
#include "core/api/json_string.hpp"
#include "core/base/assert.hpp"

namespace holdfast::api {
namespace {

using protocol::Request;
using protocol::Response;

constexpr std::string_view k_exposed_headers =
    "electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,"
    "electric-up-to-date,electric-internal-known-error,retry-after";

bool is_read(const Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

bool same_in_constant_time(std::string_view given, std::string_view expected) {
  std::size_t difference = given.size() ^ expected.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = expected.empty() ? '\0' : expected[i % expected.size()];
    difference |= static_cast<std::size_t>(static_cast<unsigned char>(given[i] ^ other));
  }
  return difference == 0;
}

bool is_decodable(const Request& request) {
  return std::all_of(request.query.begin(), request.query.end(), [](const auto& parameter) {
    return is_utf8(parameter.first) && is_utf8(parameter.second);
  });
}

Response root_answer() {
  Response response;
  add_default_cache_headers(response.headers);
  return response;
}

Response health_answer(HealthStatus health, std::string_view detail) {
  std::string_view word;
  switch (health) {
    case HealthStatus::starting:
      word = "starting";
      break;
    case HealthStatus::waiting:
      word = "waiting";
      break;
    case HealthStatus::active:
      word = "active";
      break;
  }
  const bool active = health == HealthStatus::active;
  Response response{.status = active ? 200 : 202,
                    .headers = {{"content-type", "application/json; charset=utf-8"},
                                {"cache-control", "no-cache, no-store, must-revalidate"}},
                    .body = R"({"status":")" + std::string(word) + '"'};
  if (!active && !detail.empty()) {
    response.body += R"(,"waiting_for":)";
    append_json_string(response.body, detail);
  }
  response.body += '}';
  return response;
}

/// Header names a preflight may ask for are tokens; anything else is not repeated to anyone.
bool is_header_list(std::string_view text) {
  constexpr std::string_view k_others = "!#$%&'*+-.^_`|~, \t";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           k_others.find(c) != std::string_view::npos;
  });
}

Response preflight_answer(const Request& request) {
  Response response{.status = 204,
                    .headers = {{"access-control-max-age", "86400"}, {"connection", "keep-alive"}},
                    .body = {}};
  const std::string* wanted = request.header("access-control-request-headers");
  if (wanted != nullptr && is_header_list(*wanted)) {
    response.headers.emplace_back("access-control-allow-headers", *wanted);
  }
  return response;
}

bool is_request_id(std::string_view text) {
  return text.size() >= 20 && text.size() <= 200 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Resource resolve_path(std::string_view decoded_path) {
  std::array<std::string_view, 2> segments;
  std::size_t count = 0;
  while (!decoded_path.empty()) {
    const std::size_t slash = decoded_path.find('/');
    const std::string_view segment = decoded_path.substr(0, slash);
    if (!segment.empty()) {
      if (count == segments.size()) return Resource::unknown;
      segments[count++] = segment;
    }
    if (slash == std::string_view::npos) break;
    decoded_path.remove_prefix(slash + 1);
  }
  if (count == 0) return Resource::root;
  if (count != 2 || segments[0] != "v1") return Resource::unknown;
  if (segments[1] == "shape") return Resource::shape;
  return segments[1] == "health" ? Resource::health : Resource::unknown;
}

bool is_authorised(const Request& request, const ApiOptions& options) {
  if (options.authentication == Authentication::insecure) return true;
  ASSERT(options.secret.has_value(), "a server without a secret does not start");
  const std::string* given = request.parameter("secret");
  if (given == nullptr) given = request.parameter("api_secret");
  return given != nullptr && same_in_constant_time(*given, *options.secret);
}

std::optional<Response> answer_without_shape(const Request& request, const ApiOptions& options,
                                             HealthStatus health, std::string_view health_detail) {
  if (!is_decodable(request)) return query_undecodable();
  switch (resolve_path(request.path)) {
    case Resource::root:
      return is_read(request) ? root_answer() : route_not_found();
    case Resource::health:
      return is_read(request) ? health_answer(health, health_detail) : route_not_found();
    case Resource::unknown:
      return route_not_found();
    case Resource::shape:
      break;
  }
  if (request.method == "OPTIONS") return preflight_answer(request);
  const bool served = is_read(request) || request.method == "POST" || request.method == "DELETE";
  if (!served) return route_not_found();
  if (!is_authorised(request, options)) return unauthorized();
  return std::nullopt;
}

std::string choose_request_id(const Request& request, std::string_view fresh) {
  const std::string* own = request.header("x-request-id");
  return std::string(own != nullptr && is_request_id(*own) ? std::string_view(*own) : fresh);
}

void complete(const Request& request, const ApiOptions& options, std::string_view fresh_request_id,
              Response& response) {
  const std::string* connection = response.header("connection");
  if (connection != nullptr && *connection == "close" && response.body.empty()) return;
  auto& headers = response.headers;
  headers.reserve(headers.size() + 6);
  headers.emplace_back("electric-server", options.server);
  headers.emplace_back("x-request-id", choose_request_id(request, fresh_request_id));
  if (response.status != 204) headers.emplace_back("vary", "accept-encoding");
  if (request.method == "HEAD") {
    response.omitted_bytes = response.body.size();
    response.body.clear();
  }
  if (response.status == 401) return;  // authenticated before there is CORS (http-api.md §2.1)
  const std::string* origin = request.header("origin");
  headers.emplace_back("access-control-allow-origin", origin != nullptr ? *origin : "*");
  headers.emplace_back("access-control-expose-headers", k_exposed_headers);
  headers.emplace_back("access-control-allow-methods", resolve_path(request.path) == Resource::shape
                                                           ? "GET, POST, HEAD, DELETE, OPTIONS"
                                                           : "GET, HEAD");
}

}  // namespace holdfast::api
