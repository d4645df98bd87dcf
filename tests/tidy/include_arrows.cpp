// The arrows of design.md §3 as a table, and within core those of CMakeLists.txt.
#include <algorithm>
#include <initializer_list>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {
namespace {

/// Files below `folder` may include project files below `targets`, and their own folder. The
/// longest matching folder counts.
struct Arrow {
  std::string_view folder;
  std::vector<std::string_view> targets;
};

const std::vector<Arrow>& arrows() {
  static const std::vector<Arrow> k_arrows = {
      {"core/base", {}},
      {"core/protocol", {"core/base"}},
      {"core/postgres", {"core/base"}},
      {"core/observe", {"core/base"}},
      {"core/env", {"core/base", "core/postgres"}},
      {"core/runtime", {"core/base", "core/env", "core/observe"}},
      {"core/where", {"core/base", "core/postgres"}},
      {"core/shape", {"core/base", "core/postgres", "core/protocol", "core/where"}},
      {"core/routing",
       {"core/base", "core/postgres", "core/protocol", "core/where", "core/shape",
        "core/subquery"}},
      {"core/subquery",
       {"core/base", "core/postgres", "core/protocol", "core/where", "core/shape"}},
      {"core/storage", {"core/base", "core/env", "core/postgres", "core/protocol", "core/observe"}},
      {"core/stack",
       {"core/base", "core/env", "core/observe", "core/postgres", "core/protocol", "core/routing",
        "core/runtime", "core/shape", "core/storage", "core/subquery", "core/where"}},
      {"core/api",
       {"core/base", "core/env", "core/observe", "core/postgres", "core/protocol", "core/routing",
        "core/runtime", "core/shape", "core/stack", "core/storage", "core/subquery", "core/where"}},
      {"core/production", {"core"}},
      {"sim",
       {"core/base", "core/env", "core/runtime", "core/protocol",
        // The value types of core/postgres; not its decoder, which is under test.
        "core/postgres/catalog.hpp", "core/postgres/lsn.hpp", "core/postgres/row_batch.hpp",
        "core/postgres/stream.hpp", "core/postgres/types.hpp"}},
      {"sim/mutants", {"core", "sim"}},
      {"oracle", {"core/base", "core/protocol"}},
      {"scenarios", {"core", "sim", "oracle"}},
      {"tests", {"core", "sim", "oracle", "scenarios", "tools/postgres"}},
      // The commands are functions, so that their exit codes are tested without a shell.
      {"tests/commands", {"core", "sim", "oracle", "scenarios", "tools/sim"}},
      {"tests/live", {"core", "sim", "oracle", "scenarios", "tools/postgres", "tools/sim"}},
      {"tools", {"core", "sim", "oracle", "scenarios"}},
  };
  return k_arrows;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

const Arrow* arrow_of(std::string_view path) {
  const Arrow* best = nullptr;
  for (const Arrow& arrow : arrows()) {
    if (!is_below(path, arrow.folder)) continue;
    if (best == nullptr || arrow.folder.size() > best->folder.size()) best = &arrow;
  }
  return best;
}

bool may_include(const Arrow& arrow, std::string_view target) {
  return is_below(target, arrow.folder) ||
         std::any_of(arrow.targets.begin(), arrow.targets.end(),
                     [&](std::string_view allowed) { return is_below(target, allowed); });
}

bool is_production(std::string_view path) {
  return is_below(path, "core/production");
}

/// Only the server's own programs and tests may know production; the simulated world must not.
bool may_know_production(std::string_view path) {
  return is_production(path) || is_below(path, "tools") || is_below(path, "tests");
}

}  // namespace

Findings check_include_arrows(const Files& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    const Arrow* arrow = arrow_of(file.path);
    if (arrow == nullptr) {
      findings.push_back({file.path, 0, "lies in a folder that has no arrows in design.md §3"});
      continue;
    }
    for (const Include& include : includes_of(file)) {
      if (include.target.starts_with('<')) continue;
      const bool production = is_production(include.target) && !may_know_production(file.path);
      if (!may_include(*arrow, include.target) || production) {
        findings.push_back({file.path, include.line, "may not include " + include.target});
      }
    }
  }
  return findings;
}

}  // namespace holdfast::tidy
