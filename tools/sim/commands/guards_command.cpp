#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/base/guard_list.hpp"
#include "scenarios/world/weakened.hpp"
#include "tools/sim/commands/commands.hpp"

namespace holdfast::tools {

namespace {

void print(std::string_view name, std::string_view failure_mode, std::string_view summary) {
  std::printf("%-46s %-5s %s\n", std::string(name).c_str(), std::string(failure_mode).c_str(),
              std::string(summary).c_str());
}

/// All that stand in one cut with it.
std::vector<std::string_view> cut_of(std::string_view name) {
  for (scenarios::Weakening& one : scenarios::weakenings())
    if (std::find(one.members.begin(), one.members.end(), name) != one.members.end())
      return std::move(one.members);
  return {};
}

}  // namespace

int list_guards(bool as_json) {
  using nlohmann::json;
  json list = json::array();
  const auto add = [&](const auto& info, const char* kind) {
    list.push_back({{"name", info.name},
                    {"kind", kind},
                    {"cut", cut_of(info.name)},
                    {"failure_mode", info.failure_mode},
                    {"summary", info.summary},
                    {"file", info.file}});
    if (!as_json) print(info.name, info.failure_mode, info.summary);
  };
  if (!as_json) std::printf("guards: rules of core that --without switches off\n");
  for (const GuardInfo& info : k_guards) add(info, "guard");
  if (!as_json) std::printf("\nmutants: broken structures that --without puts around core\n");
  for (const auto& info : sim::mutants::k_mutants) add(info, "mutant");
  if (as_json) std::printf("%s\n", list.dump().c_str());
  return k_exit_passed;
}

}  // namespace holdfast::tools
