#include <algorithm>
#include <cstdio>

#include "tools/sim/commands/commands.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/subject.hpp"

namespace holdfast::tools {
namespace {

using scenarios::RunReport;

/// Steps before the first difference that are shown, and steps of each run from there on.
constexpr std::uint64_t k_before = 5;
constexpr std::uint64_t k_after = 8;

RunReport run_hashed(const Subject& subject) {
  scenarios::RunOptions options{.weakened = subject.repro.weakened()};
  options.keep_every_step = true;
  return scenarios::run_plan(subject.repro.plan, options);
}

/// The lines of steps [first, last), with the notes between them.
std::vector<std::string> lines_of(const Subject& subject, std::uint64_t first, std::uint64_t last) {
  std::vector<std::string> lines;
  std::uint64_t steps = 0;  // that have begun
  scenarios::RunOptions options{.weakened = subject.repro.weakened()};
  options.trace = [&](const std::string& line) {
    const bool note = line.starts_with(sim::Trace::k_no_step);
    if (!note) ++steps;
    if (steps > first && steps <= last) lines.push_back(line);
  };
  scenarios::run_plan(subject.repro.plan, options);
  return lines;
}

void print_lines(const char* mark, const std::vector<std::string>& lines) {
  constexpr std::size_t k_columns = 180;
  for (const std::string& line : lines)
    std::printf("%s %s%s\n", mark, line.substr(0, k_columns).c_str(),
                line.size() > k_columns ? " ..." : "");
}

std::string verdict(const RunReport& report) {
  return report.failed() ? "violates '" + report.violations.front().property + "'" : "passes";
}

void compare(const Subject& a, const Subject& b, const RunReport& first, const RunReport& second,
             std::uint64_t step) {
  const std::uint64_t begin = step > k_before ? step - k_before : 0;
  std::printf("\n");
  print_lines(" ", lines_of(a, begin, step));
  print_lines("A", lines_of(a, step, step + k_after));
  std::printf("\n");
  print_lines("B", lines_of(b, step, step + k_after));
  std::printf("\nA %s after %llu steps, B %s after %llu steps\n", verdict(first).c_str(),
              static_cast<unsigned long long>(first.steps), verdict(second).c_str(),
              static_cast<unsigned long long>(second.steps));
}

}  // namespace

int diff(const ReplayOptions& options) {
  const bool itself = options.diff.size() == 1;
  if (itself && options.without.empty()) {
    std::fprintf(stderr,
                 "holdfast-sim replay --diff: one run is compared with itself without "
                 "guards; give a second run, or --without\n");
    return k_exit_usage;
  }
  const auto a = find_subject(options.diff[0], options.scenario, {});
  const auto b = find_subject(options.diff[itself ? 0 : 1], options.scenario, options.without);
  if (!a.ok() || !b.ok()) {
    std::fprintf(stderr, "holdfast-sim replay: %s\n",
                 (a.ok() ? b.error() : a.error()).message.c_str());
    return k_exit_usage;
  }
  const RunReport first = run_hashed(*a);
  const RunReport second = run_hashed(*b);
  if (first.trace_hash == second.trace_hash && first.steps == second.steps) {
    std::printf("the same %llu steps, trace hash %s\n",
                static_cast<unsigned long long>(first.steps), first.trace_hash.to_hex().c_str());
    return k_exit_passed;
  }
  const std::size_t common = std::min(first.every_step.size(), second.every_step.size());
  std::size_t step = 0;
  while (step < common && first.every_step[step] == second.every_step[step]) ++step;
  std::printf("A: %s\nB: %s", a->name.c_str(), b->name.c_str());
  for (const std::string& name : b->repro.without) std::printf(" without %s", name.c_str());
  std::printf("\nthe first difference is step %zu", step);
  if (step == common) std::printf(", which only %s has", first.steps > second.steps ? "A" : "B");
  std::printf("\n");
  compare(*a, *b, first, second, step);
  return k_exit_found;
}

}  // namespace holdfast::tools
