// Requests and responses as values: what core/api maps onto each other, whoever carries the bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::protocol {

using Headers =
    std::vector<std::pair<std::string, std::string>>;  ///< names in lower case, in order

struct Request {
  std::string method;                                      ///< upper case
  std::string path;                                        ///< decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  Headers headers;
  std::string body;

  /// The last value of a parameter, as upstream reads repeated ones; nullptr if absent.
  const std::string* parameter(std::string_view name) const;
  const std::string* header(std::string_view name) const;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;

  const std::string* header(std::string_view name) const;
};

/// Splits "/v1/shape?a=b&c" into path and query, percent- and plus-decoded.
void parse_target(std::string_view target, Request& into);

}  // namespace holdfast::protocol
