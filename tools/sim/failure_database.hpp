// The failure database: a folder with the smallest repro of each property that was found violated.
// The next check replays it first; what passes is dropped. One file a scenario, set of guards and
// property, so that it does not grow with the number of checks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "scenarios/repro/repro.hpp"

namespace holdfast::tools {

class FailureDatabase {
 public:
  /// An empty directory: there is none, and nothing is kept.
  explicit FailureDatabase(std::string directory) : directory_(std::move(directory)) {}

  struct Entry {
    std::string file;
    scenarios::Repro repro;
  };
  /// What was found in this scenario without these guards, by name of file. A file that cannot be
  /// read is told about on standard error and stays.
  std::vector<Entry> entries(const std::string& scenario,
                             const std::vector<std::string>& without) const;
  /// Keeps the smaller of this one and what is there. Answers the file; empty: nothing is kept.
  std::string keep(const scenarios::Repro& repro) const;
  void drop(const Entry& entry) const;

 private:
  std::string directory_;
};

/// "I-5 view_equals_query" as a part of a file's name.
std::string name_for_file(const std::string& text);

}  // namespace holdfast::tools
