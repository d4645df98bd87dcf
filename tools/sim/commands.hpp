// The commands of holdfast-sim. Each parses nothing: it gets its options as values and answers the
// exit code of design.md §12.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::tools {

inline constexpr int k_exit_passed = 0;
inline constexpr int k_exit_found = 1;
inline constexpr int k_exit_usage = 2;
inline constexpr int k_exit_diverged = 3;

struct CheckOptions {
  std::uint64_t seeds = 1'000;
  std::uint64_t start = 1;
  unsigned jobs = 0;  ///< worker processes; 0: one a core
  std::string scenario = "mixed";
  std::vector<std::string> without;  ///< names of guards
  bool twice = false;
  std::chrono::seconds time{0};  ///< 0: no limit
  unsigned shard = 1, shards = 1;
  bool json = false;
  std::string junit;          ///< a path; empty: none
  std::string save_failures;  ///< a directory; empty: none
};
int check(const CheckOptions& options);

struct ReplayOptions {
  std::string seed_or_file;
  std::string scenario = "mixed";
  std::vector<std::string> without;
  bool trace = false;
  std::uint64_t until = 0;  ///< with trace: the last step printed; 0: all
};
int replay(const ReplayOptions& options);

int list_guards(bool json);

}  // namespace holdfast::tools
