// The commands of holdfast-sim. Each parses nothing: it gets its options as values and answers the
// exit code of design.md §12.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oracle/violation.hpp"

namespace holdfast::tools {

inline constexpr int k_exit_passed = 0;
inline constexpr int k_exit_found = 1;
inline constexpr int k_exit_usage = 2;
inline constexpr int k_exit_diverged = 3;
inline constexpr int k_exit_other_build = 4;
inline constexpr int k_exit_other_property = 5;

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
  std::string junit;                            ///< a path; empty: none
  std::string save_failures;                    ///< a directory; empty: none
  std::string failures = ".holdfast/failures";  ///< the database's directory; empty: none
  bool shrink = true;
  std::chrono::seconds shrink_time{60};  ///< for all properties together
  std::string program = "holdfast-sim";  ///< for commands to paste
};
int check(const CheckOptions& options);

/// How long a reduction may take; whichever comes first.
struct Budget {
  std::chrono::duration<double> time{60};
  std::uint64_t runs = 1'000'000;
};

struct ShrinkCommandOptions {
  std::string seed_or_file;
  std::string scenario = "mixed";
  std::vector<std::string> without;
  std::string output = "repro.json";
  Budget budget;
};
/// Exit 0: it passes, 1: it fails, and its smallest repro was written.
int shrink(const ShrinkCommandOptions& options);

struct ReplayOptions {
  std::string seed_or_file;
  /// Two runs to compare, or one to compare with itself without guards; empty: none.
  std::vector<std::string> diff;
  std::string scenario = "mixed";
  std::vector<std::string> without;
  bool trace = false;
  std::optional<std::uint64_t> until;   ///< with trace: the last step printed
  std::string timeline;                 ///< a page is written here; empty: none
  std::optional<std::uint64_t> gdb_at;  ///< stop in a debugger before this step
  bool strict = false;                  ///< refuse a file that another build wrote
  std::vector<std::string> command_line;
};
int replay(const ReplayOptions& options);
/// By property, in the order of the first of each, with a few of many: what is broken once is often
/// seen a thousand times.
void print_violations(const std::vector<oracle::Violation>& violations);
/// The first step in which two runs differ. Exit 0: in none, 1: found.
int diff(const ReplayOptions& options);

int list_guards(bool json);

struct KillTableOptions {
  std::vector<std::string> names;  ///< of guards and mutants; empty: all
  std::string scenario;            ///< empty: for each the one whose histories need it
  std::uint64_t budget = 2'000;    ///< histories of one range
  std::uint64_t ranges = 1;        ///< one after the other, from `start` on
  std::uint64_t start = 1;
  unsigned jobs = 0;  ///< worker processes; 0: one a core
  bool json = false;
};
/// Exit 0: each was found in every range, and its history passes when nothing is off or broken; 1:
/// one was not.
int kill_table(const KillTableOptions& options);

}  // namespace holdfast::tools
