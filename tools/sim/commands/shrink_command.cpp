#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "tools/sim/build_identity.hpp"
#include "tools/sim/commands/commands.hpp"
#include "tools/sim/reducing.hpp"
#include "tools/sim/shell.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/workers/candidate_worker.hpp"

namespace holdfast::tools {

using std::chrono::steady_clock;

Result<scenarios::ShrinkResult> reduce(const scenarios::Repro& failing, const Budget& budget) {
  CandidateWorker worker;
  const auto started = steady_clock::now();
  const bool on_terminal = isatty(STDERR_FILENO) != 0;
  auto shown = started;
  scenarios::ShrinkOptions options;
  options.most_runs = budget.runs;
  options.out_of_time = [&] { return steady_clock::now() - started >= budget.time; };
  options.progress = [&](const scenarios::ShrinkProgress& progress) {
    const auto now = steady_clock::now();
    if (now - shown < (on_terminal ? std::chrono::milliseconds(200) : std::chrono::seconds(5)))
      return;
    shown = now;
    std::fprintf(stderr, "%sreducing: %s after %llu runs, %.0f s, trying %s%s",
                 on_terminal ? "\r\033[K" : "", progress.choices.to_text().c_str(),
                 static_cast<unsigned long long>(progress.runs),
                 std::chrono::duration<double>(now - started).count(), progress.trying.c_str(),
                 on_terminal ? "" : "\n");
    std::fflush(stderr);
  };
  auto result = scenarios::shrink(
      failing,
      [&](const scenarios::Repro& candidate, scenarios::Extent extent) {
        return worker.run(candidate, extent);
      },
      options);
  if (on_terminal) std::fprintf(stderr, "\r\033[K");
  if (result.ok()) result->repro.build = build_identity();
  return result;
}

void print_reduction(const scenarios::ShrinkResult& result) {
  std::printf("%s\n  reduced to %s\n  (before: %s) in %llu runs%s\n",
              result.repro.verdict->property.c_str(), result.after.to_text().c_str(),
              result.before.to_text().c_str(), static_cast<unsigned long long>(result.runs),
              result.finished ? "" : "; the limit came before the end");
  for (const std::string& sentence : result.necessity) std::printf("  %s\n", sentence.c_str());
}

int shrink(const ShrinkCommandOptions& options) {
  const auto subject = find_subject(options.seed_or_file, options.scenario, options.without);
  if (!subject.ok()) {
    std::fprintf(stderr, "holdfast-sim shrink: %s\n", subject.error().message.c_str());
    return k_exit_usage;
  }
  const auto started = steady_clock::now();
  auto result = reduce(subject->repro, options.budget);
  if (!result.ok()) {
    std::fprintf(stderr, "holdfast-sim shrink: %s: %s\n", subject->name.c_str(),
                 result.error().message.c_str());
    return k_exit_passed;
  }
  print_reduction(*result);
  const auto written = write_repro(result->repro, options.output);
  if (!written.ok()) {
    std::fprintf(stderr, "holdfast-sim shrink: %s\n", written.error().message.c_str());
    return k_exit_usage;
  }
  std::printf("%.1f s\n\nholdfast-sim replay %s\n",
              std::chrono::duration<double>(steady_clock::now() - started).count(),
              quoted_for_shell(options.output).c_str());
  return k_exit_found;
}

}  // namespace holdfast::tools
