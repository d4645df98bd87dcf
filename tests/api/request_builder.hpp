// How the API's tests write requests: as the line a client sends.
#pragma once

#include <string>
#include <string_view>

#include "core/protocol/http.hpp"

namespace holdfast::api {

inline protocol::Request request(std::string method, std::string_view target,
                                 protocol::Headers headers = {}, std::string body = {}) {
  protocol::Request result;
  result.method = std::move(method);
  protocol::parse_target(target, result);
  result.headers = std::move(headers);
  result.body = std::move(body);
  return result;
}

inline protocol::Request get(std::string_view target, protocol::Headers headers = {}) {
  return request("GET", target, std::move(headers));
}

/// A shape request with these query parameters.
inline protocol::Request shape(std::string_view query, protocol::Headers headers = {}) {
  return get("/v1/shape?" + std::string(query), std::move(headers));
}

/// "name: value" lines in the order of the answer, for whole-answer comparisons.
inline std::string header_lines(const protocol::Response& response) {
  std::string lines;
  for (const auto& [name, value] : response.headers) lines += name + ": " + value + "\n";
  return lines;
}

inline std::string header_or(const protocol::Response& response, std::string_view name) {
  const std::string* value = response.header(name);
  return value == nullptr ? "(absent)" : *value;
}

}  // namespace holdfast::api
