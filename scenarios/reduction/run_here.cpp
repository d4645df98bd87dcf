#include "scenarios/reduction/shrink.hpp"

namespace holdfast::scenarios {
namespace {

/// A candidate that lives so much longer than any history is not worth waiting for.
constexpr std::uint64_t k_most_steps_of_a_candidate = 1'000'000;

}  // namespace

Outcome run_here(const Repro& candidate, Extent extent, Reused* reused) {
  RunOptions options{.weakened = candidate.weakened()};
  options.reused = reused;
  options.stop_when_violated = extent == Extent::first_violation;
  options.record_schedule = extent == Extent::whole_and_record;
  if (extent == Extent::first_violation) options.most_steps = k_most_steps_of_a_candidate;
  Outcome outcome;
  outcome.report = run_plan(candidate.plan, options);
  if (outcome.report.failed())
    outcome.verdict = {outcome.report.violations.front().property,
                       outcome.report.violations.front().what};
  return outcome;
}

}  // namespace holdfast::scenarios
