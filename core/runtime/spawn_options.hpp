// What a process is to be: how its parent describes it, and how it is made.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace holdfast::runtime {

class Process;
using ProcessFactory = std::function<std::unique_ptr<Process>()>;

struct SpawnOptions {
  std::string role = {};  ///< what it is, e.g. "consumer"; part of the structural id
  std::string key = {};   ///< which one, e.g. a handle; unique among live siblings of a role
  std::string registered_name = {};  ///< non-empty: registered before init(), gone with the process
  bool link_to_parent = false;
};

}  // namespace holdfast::runtime
