#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/base/guards.hpp"
#include "tools/sim/commands.hpp"

namespace holdfast::tools {

int list_guards(bool as_json) {
  using nlohmann::json;
  json list = json::array();
  for (const GuardInfo& info : k_guards) {
    list.push_back({{"name", info.name},
                    {"kind", "guard"},
                    {"cut", json::array({info.name})},
                    {"failure_mode", info.failure_mode},
                    {"summary", info.summary},
                    {"file", info.file}});
    if (!as_json)
      std::printf("%-46s %-5s %s\n", std::string(info.name).c_str(),
                  std::string(info.failure_mode).c_str(), std::string(info.summary).c_str());
  }
  if (as_json) std::printf("%s\n", list.dump().c_str());
  return k_exit_passed;
}

}  // namespace holdfast::tools
