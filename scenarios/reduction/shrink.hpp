// The reducer: from a failing run to a run that violates the same property with as few choices as
// it can find, on four axes at once: workload, schedule, faults, knobs. It knows runs only through
// a function, so that runs may happen in another process and die there.
//
// Delta debugging: whole groups of choices first, then halves, then single ones, from the end to
// the beginning, until nothing more can go. A candidate counts only if its first violation is of
// the same property; what runs differently or passes is no evidence and is dropped. The order
// depends on outcomes alone, so the same limit of runs gives the same result on every machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/reduction/choices.hpp"
#include "scenarios/repro/repro.hpp"

namespace holdfast::scenarios {

/// What a run of a candidate gave.
struct Outcome {
  std::optional<Verdict> verdict;  ///< the first violation; nullopt: it passes
  RunReport report;                ///< empty if the run ended its process
};

enum class Extent : std::uint8_t {
  first_violation,   ///< ends there: quick, its trace hash means nothing
  whole,             ///< as `replay` runs it
  whole_and_record,  ///< and with the schedule as decisions over FIFO
};

/// Runs a candidate. Must give the same for the same.
using RunCandidate = std::function<Outcome(const Repro& candidate, Extent extent)>;

/// The run in this process, which a violated assertion ends.
Outcome run_here(const Repro& candidate, Extent extent, Reused* reused);

struct ShrinkProgress {
  std::uint64_t runs = 0;
  ChoiceCounts choices;
  std::string trying;  ///< which kind of choice
};

struct ShrinkOptions {
  std::uint64_t most_runs = 20'000;
  std::function<bool()> out_of_time = [] { return false; };
  std::function<void(const ShrinkProgress&)> progress = [](const ShrinkProgress&) {};
};

struct ShrinkResult {
  Repro repro;  ///< with verdict and trace hash, replayed once more from its text
  std::uint64_t runs = 0;
  bool finished = false;  ///< nothing more can go; else the limit came first
  ChoiceCounts before, after;
  /// One sentence for each choice that is left, and what happens without it.
  std::vector<std::string> necessity;
};

/// Fails if `failing` does not fail, or fails differently when it is run again.
Result<ShrinkResult> shrink(const Repro& failing, const RunCandidate& run,
                            const ShrinkOptions& options);

}  // namespace holdfast::scenarios
