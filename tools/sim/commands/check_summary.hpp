// What all histories of a check add up to, and its telling: to people, to machines.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/result.hpp"
#include "tools/sim/commands/commands.hpp"

namespace holdfast::tools {

struct Failure {
  std::uint64_t seed = 0;
  std::string property;
  std::string what;
  std::string file;  ///< its repro; empty: none was written
  std::optional<Hash128> trace_hash = {};
};

/// A repro of the failure database that was replayed first.
struct Replayed {
  std::string file;
  std::string property;
  std::string what;
  bool fails = false;
};

/// Failures of one property, which are taken for one defect.
struct FailureGroup {
  std::string property;
  std::vector<std::uint64_t> seeds;  ///< ascending
  std::string file;                  ///< the smallest repro
  std::string size;                  ///< of it, in words; empty: not reduced
  std::vector<std::string> necessity;
  std::string command;  ///< shows it again
};

struct Summary {
  std::uint64_t histories = 0;
  std::uint64_t steps = 0, requests = 0, markers = 0, legitimate = 0, spurious = 0, crossed = 0;
  std::uint64_t committed = 0, refused = 0;  ///< transactions of the workload
  std::vector<std::uint64_t> restarts, during, injected, consequential, marks;
  std::vector<std::uint64_t> client_trouble, client_trouble_felt;
  std::vector<std::uint64_t> probes, probes_answered, sights;
  std::map<std::uint64_t, Hash128> hashes;
  std::vector<Failure> failures;
  std::vector<Replayed> replayed;
  std::vector<FailureGroup> groups;
  double seconds = 0;

  Summary();
  void add(const nlohmann::json& history);
  Hash128 hash() const;
  bool found() const;
};

/// Marks that a run of this scenario must reach in so many histories; a miss means that the harness
/// no longer gets where it should.
std::vector<std::string> missing_marks(const Summary& summary, const CheckOptions& options);

nlohmann::json to_json(const Summary& summary, const CheckOptions& options);
void print_summary(const Summary& summary, const CheckOptions& options);
/// Fails if the file cannot be written.
Result<void> write_junit(const Summary& summary, const CheckOptions& options);
/// Lines that GitHub shows beside the change; nothing elsewhere.
void print_annotations(const Summary& summary, const CheckOptions& options);

}  // namespace holdfast::tools
