#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "core/base/assert.hpp"
#include "tools/sim/build_identity.hpp"
#include "tools/sim/commands/commands.hpp"
#include "tools/sim/debugger.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/shell.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/timeline/page.hpp"

namespace holdfast::tools {
namespace {

using scenarios::Repro;
using scenarios::RunReport;

/// A line of the trace belongs to a step if it begins with the step's number.
std::optional<std::uint64_t> step_of(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string::npos || line[begin] < '0' || line[begin] > '9') return std::nullopt;
  return std::stoull(line.substr(begin));
}

void print_decisions(const scenarios::Plan& plan) {
  constexpr std::size_t k_shown = 20;
  for (std::size_t i = 0; i < std::min(plan.decisions.size(), k_shown); ++i) {
    const sim::ScheduleDecision& decision = plan.decisions[i];
    std::printf("  schedule: step %llu of %s is passed over %llu times\n",
                static_cast<unsigned long long>(decision.ordinal), decision.path.c_str(),
                static_cast<unsigned long long>(decision.times));
  }
  if (plan.decisions.size() > k_shown)
    std::printf("  schedule: %zu decisions more\n", plan.decisions.size() - k_shown);
}

void print_happenings(const scenarios::Plan& plan, const RunReport& report) {
  std::vector<std::pair<std::uint64_t, std::string>> happened;
  for (const scenarios::RestartBegun& begun : report.restarts_begun)
    for (const scenarios::PlannedRestart& restart : plan.restarts)
      if (restart.number == begun.number)
        happened.emplace_back(begun.step, "restart " + std::string(name_of(restart.kind)));
  for (const scenarios::FaultHit& hit : report.fault_hits)
    happened.emplace_back(hit.step, "fault " + std::string(name_of(plan.faults[hit.fault].kind)) +
                                        (hit.victim.empty() ? "" : " hits " + hit.victim));
  std::sort(happened.begin(), happened.end());
  for (const auto& [step, what] : happened)
    std::printf("step %llu: %s\n", static_cast<unsigned long long>(step), what.c_str());
}

void print_report(const RunReport& report, bool with_last_lines) {
  if (report.failed() && with_last_lines) {
    std::printf("the last steps:\n");
    for (const std::string& line : report.last_lines) std::printf("  %s\n", line.c_str());
    std::printf("\n");
  }
  print_violations(report.violations);
  std::printf(
      "%s: %llu steps, %llu requests, %llu markers compared, %.1f s of virtual time\n"
      "trace hash %s\n",
      report.failed() ? "FAILED" : "passed", static_cast<unsigned long long>(report.steps),
      static_cast<unsigned long long>(report.requests),
      static_cast<unsigned long long>(report.compared_markers),
      static_cast<double>(report.virtual_time.count()) / 1e9, report.trace_hash.to_hex().c_str());
}

/// What the file said and what happened, in one sentence, and the exit code for it.
int judge(const Subject& subject, const std::optional<std::string>& property,
          const RunReport& report) {
  if (!subject.judged) return property ? k_exit_found : k_exit_passed;
  const Repro& file = subject.repro;
  const bool same_steps = !file.trace_hash || *file.trace_hash == report.trace_hash;
  const std::string expected = file.verdict ? file.verdict->property : "";
  if (!property) {
    if (!file.verdict)
      std::printf("passes, as %s says%s\n", subject.name.c_str(),
                  same_steps ? "" : ", after other steps");
    else
      std::printf("passes now: '%s', which %s says, is not violated\n", expected.c_str(),
                  subject.name.c_str());
    return k_exit_passed;
  }
  if (!file.verdict) {
    std::printf("fails now: %s says that it passes\n", subject.name.c_str());
    return k_exit_found;
  }
  if (*property != expected) {
    std::printf("another property: '%s' is violated, %s says '%s'\n", property->c_str(),
                subject.name.c_str(), expected.c_str());
    return k_exit_other_property;
  }
  if (same_steps) {
    std::printf("the same violation after the same steps as %s says\n", subject.name.c_str());
    return k_exit_found;
  }
  std::printf("diverged: the same property is violated, but after other steps (trace hash %s)\n",
              file.trace_hash->to_hex().c_str());
  if (!report.inapplicable.empty())
    std::printf("  the first choice that does not apply: step %llu of %s is not passed over\n",
                static_cast<unsigned long long>(report.inapplicable.front().ordinal),
                report.inapplicable.front().path.c_str());
  return k_exit_diverged;
}

/// False, and said so: the page could not be written.
bool write_page(const Subject& subject, const ReplayOptions& options, const RunReport& report,
                const scenarios::timeline::Recorder& recorder) {
  std::string command;
  for (const std::string& word : options.command_line)
    command += (command.empty() ? "" : " ") + quoted_for_shell(word);
  const auto written = write_timeline(
      {subject.repro.plan, report, recorder.recording(), std::move(command)}, options.timeline);
  if (written.ok())
    std::printf("timeline: %s\n", options.timeline.c_str());
  else
    std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written.ok();
}

/// Of this process: a run that ends it by a failed ASSERT is told here first.
thread_local std::function<void(std::string_view)> last_words;

/// A page of what was recorded, also if the run does not come back from run_plan().
void write_page_at_the_last(const Subject& subject, const ReplayOptions& options,
                            scenarios::timeline::Recorder& recorder) {
  last_words = [&](std::string_view words) {
    // On a thread of its own, since the failed process has a small stack.
    std::thread([&] {
      RunReport report;
      report.violations =
          recorder.finish_with(crash_property(std::string(words)), std::string(words));
      write_page(subject, options, report, recorder);
      std::fflush(stdout);
    }).join();
  };
  set_assert_observer([](std::string_view words) { last_words(words); });
}

int run_and_judge(const Subject& subject, const ReplayOptions& options) {
  scenarios::RunOptions run{.weakened = subject.repro.weakened()};
  bool over = false;
  if (options.trace)
    run.trace = [&](const std::string& line) {
      if (options.until && step_of(line).value_or(0) > *options.until) over = true;
      if (!over) std::printf("%s\n", line.c_str());
    };
  run.stop_at = options.gdb_at;
  run.at_stop = stop_in_debugger;
  scenarios::timeline::Recorder recorder;
  if (!options.timeline.empty() || options.trace) run.recorder = &recorder;
  if (!options.timeline.empty()) write_page_at_the_last(subject, options, recorder);
  const RunReport report = scenarios::run_plan(subject.repro.plan, run);
  set_assert_observer(nullptr);
  print_happenings(subject.repro.plan, report);
  print_report(report, !options.trace);
  if (!options.timeline.empty() && !write_page(subject, options, report, recorder))
    return k_exit_usage;
  return judge(subject,
               report.failed() ? std::optional(report.violations.front().property) : std::nullopt,
               report);
}

/// In a process of its own, so that a run that ends its process is judged too.
int run_apart(const Subject& subject, const ReplayOptions& options) {
  std::fflush(nullptr);
  int words[2];
  if (pipe(words) != 0) return run_and_judge(subject, options);
  const pid_t child = fork();
  if (child < 0) return run_and_judge(subject, options);
  if (child == 0) {
    dup2(words[1], STDERR_FILENO);
    close(words[0]);
    const int code = run_and_judge(subject, options);
    std::fflush(nullptr);
    _exit(code);
  }
  close(words[1]);
  std::string said;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(words[0], buffer, sizeof buffer)) > 0) {
    said.append(buffer, static_cast<std::size_t>(count));
    std::fwrite(buffer, 1, static_cast<std::size_t>(count), stderr);
  }
  close(words[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  const std::string property = crash_property(said);
  std::printf("FAILED: the run ended the process: %s\n", property.c_str());
  RunReport report;  // a run that crashed has no hash, and its file none
  return judge(subject, property, report);
}

}  // namespace

void print_violations(const std::vector<oracle::Violation>& violations) {
  constexpr std::size_t k_shown = 3;
  std::vector<std::string> properties;
  std::map<std::string, std::size_t> count;
  for (const oracle::Violation& violation : violations)
    if (count[violation.property]++ == 0) properties.push_back(violation.property);
  for (const std::string& property : properties) {
    std::size_t shown = 0;
    for (const oracle::Violation& violation : violations)
      if (violation.property == property && shown++ < k_shown)
        std::printf("violated at %lld ms by %s: %s\n  %s\n",
                    static_cast<long long>(violation.at.since_start.count() / 1'000'000),
                    violation.client.empty() ? "the engine" : violation.client.c_str(),
                    property.c_str(), violation.what.c_str());
    if (count[property] > k_shown)
      std::printf("violated %zu times in all: %s\n", count[property], property.c_str());
  }
}

int replay(const ReplayOptions& options) {
  if (!options.diff.empty()) return diff(options);
  const auto subject = find_subject(options.seed_or_file, options.scenario, options.without);
  if (!subject.ok()) {
    std::fprintf(stderr, "holdfast-sim replay: %s\n", subject.error().message.c_str());
    return k_exit_usage;
  }
  const Repro& repro = subject->repro;
  if (options.strict && subject->judged && repro.build != build_identity()) {
    std::fprintf(stderr, "%s was written by another build: %s; this is %s\n", subject->name.c_str(),
                 repro.build.c_str(), build_identity().c_str());
    return k_exit_other_build;
  }
  if (options.gdb_at && !in_debugger()) return start_debugger(options.command_line);
  std::printf("%s", repro.plan.to_text().c_str());
  print_decisions(repro.plan);
  for (const std::string& name : repro.without) std::printf("  without %s\n", name.c_str());
  std::printf("\n");
  return options.gdb_at ? run_and_judge(*subject, options) : run_apart(*subject, options);
}

}  // namespace holdfast::tools
