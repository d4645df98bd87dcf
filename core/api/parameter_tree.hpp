// Query parameters and a POST's JSON body as one tree of values (http-api.md §2.5, §5.2). Internal
// to core/api: parameters.cpp reads the tree, nobody else sees it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/api_options.hpp"
#include "core/base/result.hpp"
#include "core/protocol/http.hpp"

namespace holdfast::api {

/// Whether a request asks for a subset snapshot (§19) instead of a part of the log.
enum class SubsetUse : std::uint8_t { none, wanted, malformed };

/// The parameters by name, in order of appearance: few, so that looking through them is fastest.
class ParameterValues {
 public:
  const nlohmann::json* find(std::string_view name) const;
  /// Made null if there is none.
  nlohmann::json& operator[](std::string_view name);
  void reserve(std::size_t count) { values_.reserve(count); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::vector<std::pair<std::string, nlohmann::json>> values_;
};

struct ParameterTree {
  ParameterValues values;  ///< strings, lists and maps; from a body, any JSON
  SubsetUse subset = SubsetUse::none;
};

/// `a=1` is a string, `a[b]=1` a map, `a[]=1` a list; the last value of a repeated key wins.
ParameterTree read_query(const protocol::Request& request);

/// The query, with the body of a POST merged into it. The error is the finished answer.
Result<ParameterTree, protocol::Response> read_query_and_body(const protocol::Request& request,
                                                              const ApiOptions& options);

}  // namespace holdfast::api
