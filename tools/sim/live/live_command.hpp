// The command `holdfast-sim live`: many runs against real servers and a real Postgres, and what
// came of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::tools {

struct LiveOptions {
  std::string database_url;  ///< empty: a throwaway Postgres
  std::uint64_t runs = 10;
  std::uint64_t start = 1;  ///< the first seed
  std::string scenario = "plain";
  std::uint64_t shapes = 20;
  std::uint64_t batches = 10;
  std::uint64_t restart_every = 2;
  std::vector<std::string> restarts = {"graceful", "brutal", "rolling", "frozen"};
  std::string failures = ".holdfast/live";  ///< a folder for what was found
  bool keep = false;                        ///< the evidence of runs that pass, too
  bool json = false;
  std::string server;  ///< the program; empty: `holdfast` beside this one
};
/// Exit 0: nothing was found, 1: something was, 2: usage, or a world in which nothing can be run.
int live_mode(const LiveOptions& options);

}  // namespace holdfast::tools
