// One run of live mode: a plan carried out by real writers, real clients and real servers over a
// real Postgres, then judged by the oracle. What differs from the simulated run: nothing here is
// repeatable, so whatever is needed to look at it afterwards is kept.
#pragma once

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include "scenarios/plans/live_plan.hpp"
#include "tools/sim/live/judge.hpp"
#include "tools/sim/live/stage.hpp"

namespace holdfast::tools::live {

/// Somebody pressed Ctrl-C.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

struct LiveSetting {
  scenarios::LiveSize size;
  std::filesystem::path server_program;
  std::string postgres_url;       ///< of any database there
  std::filesystem::path folder;   ///< of this run: storage and logs; must exist
  std::string postgres_log = {};  ///< a file, to be copied on failure; empty: not ours
  bool keep_always = false;       ///< the evidence of runs that pass, too
  int signals = -1;               ///< a signalfd; readable: the user wants an end
  Sabotage sabotage = {};
  std::function<void(const std::string&)> progress = {};
};

struct LiveReport {
  std::uint64_t seed = 0;
  Judgement judgement;
  Recording recording;

  bool failed() const { return !judgement.violations.empty(); }
};

/// What the writers, the servers or Postgres cannot go on with throws std::runtime_error; an
/// interruption throws Interrupted. The evidence is in the folder when this
/// returns, if something was found.
LiveReport run_live(std::uint64_t seed, const LiveSetting& setting);

}  // namespace holdfast::tools::live
