#include "scenarios/clients/bad_requests.hpp"

#include <array>
#include <vector>

namespace holdfast::scenarios {
namespace {

struct Spoiled {
  std::string_view parameter;
  std::string_view value;  ///< empty: the parameter is left out
  std::string_view errors;
};

constexpr std::array k_spoiled = {
    Spoiled{"offset", "", R"({"offset":["can't be blank"]})"},
    Spoiled{"offset", "invalid", R"({"offset":["has invalid format"]})"},
    Spoiled{"offset", "1_2_3", R"({"offset":["has invalid format"]})"},
    Spoiled{"offset", "-2_0", R"({"offset":["has invalid format"]})"},
    Spoiled{"offset", "10_0", R"({"handle":["can't be blank when offset != -1"]})"},
    Spoiled{"live", "true", R"({"live":["can't be true when offset == -1"]})"},
    Spoiled{"live_sse", "true", R"({"live_sse":["can't be true unless live is also true"]})"},
    Spoiled{"table", "", R"({"table":["can't be blank"]})"},
    Spoiled{"table", "foo bar",
            R"({"table":["Invalid unquoted identifier contains special characters: foo bar"]})"},
    Spoiled{"table", "\"\"", R"({"table":["Invalid zero-length delimited identifier"]})"},
    Spoiled{"table", "a.b.c",
            R"({"table":["Invalid relation identifier, too many delimiters: a.b.c"]})"},
    Spoiled{"table", "nonexistent",
            R"({"table":["Table \"public\".\"nonexistent\" does not exist. If the table name )"
            R"(contains capitals or special characters you must quote it."]})"},
    Spoiled{"replica", "banana", R"({"replica":["is invalid"]})"},
    Spoiled{"log", "banana", R"({"log":["is invalid"]})"},
    Spoiled{"params", "banana", R"({"params":["is invalid"]})"},
};

}  // namespace

std::string spoil(protocol::Request& request, std::uint64_t pick) {
  const Spoiled& how = k_spoiled[pick % k_spoiled.size()];
  std::erase_if(request.query, [&](const auto& each) { return each.first == how.parameter; });
  if (!how.value.empty()) request.query.emplace_back(how.parameter, how.value);
  return std::string(how.errors);
}

}  // namespace holdfast::scenarios
