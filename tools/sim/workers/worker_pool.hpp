// Worker processes of `check`: each runs its share of the seeds and writes a line of JSON for each.
// Processes, not threads, since SQLite, libpg_query and RapidCheck keep state per process
// (design.md §16). A worker that dies in a seed (an assertion) is replaced, and the seed is
// reported as crashed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::tools {

struct PoolOptions {
  std::vector<std::uint64_t> seeds;
  unsigned jobs = 1;
  /// Runs in a worker; answers the line.
  std::function<std::string(std::uint64_t seed)> run;
  /// In the parent, for each finished seed, in no particular order. False: stop early.
  std::function<bool(std::uint64_t seed, const std::string& line)> finished;
  /// In the parent: the worker died in this seed; `words` is what it said on standard error.
  std::function<bool(std::uint64_t seed, const std::string& words)> crashed;
};

void run_pool(const PoolOptions& options);

}  // namespace holdfast::tools
