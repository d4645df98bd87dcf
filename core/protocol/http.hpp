// Requests and responses as values: what core/api maps onto each other, whoever carries the bytes.
#pragma once

#include <cstdint>
#include <optional>
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
  /// Of a HEAD: how many bytes the body would have, which is not there.
  std::size_t omitted_bytes = 0;

  const std::string* header(std::string_view name) const;
};

/// Splits "/v1/shape?a=b&c" into path and query, percent- and plus-decoded; but for an escaped '/'
/// of the path, which is none of its dividers and stays as it is.
void parse_target(std::string_view target, Request& into);

/// The byte that `text` begins with, escaped: a '%' and two hexadecimal digits. nullopt: it does
/// not begin so.
std::optional<char> percent_decoded(std::string_view text);

}  // namespace holdfast::protocol
