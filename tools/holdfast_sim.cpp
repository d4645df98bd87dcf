// holdfast-sim: the simulator's command line. Parses options; the commands are in tools/sim.
#include <CLI/CLI.hpp>
#include <chrono>

#include "core/storage/store.hpp"
#include "tools/sim/arguments.hpp"
#include "tools/sim/commands/commands.hpp"
#include "tools/sim/live/live_command.hpp"
#include "tools/sim/subject.hpp"
#include "tools/sim/workers/allocator.hpp"

namespace {

using namespace holdfast::tools;

/// What was parsed, or a usage error.
template <class T>
T value_of(const char* option, const holdfast::Result<T>& parsed) {
  if (!parsed.ok()) throw CLI::ValidationError(option, parsed.error().message);
  return *parsed;
}

void add_check(CLI::App& app, int& code, const std::string& program) {
  auto* command = app.add_subcommand("check", "Runs many random histories under the oracle.");
  command->footer(
      "Examples:\n"
      "  holdfast-sim check --seeds 1000\n"
      "  holdfast-sim check --seeds 200 --twice --scenario reference --jobs 1\n"
      "  holdfast-sim check --without gone_asks_the_store\n"
      "  holdfast-sim check --seeds-from HEAD --seeds 2000 --shard 1/4 --junit report.xml\n"
      "Failures are grouped by property; the smallest of each is reduced and kept in "
      ".holdfast/failures,\n"
      "which the next check replays first.\n"
      "Exit code: 0 none failed, 1 found, 2 usage.");
  auto options = std::make_shared<CheckOptions>();
  auto seconds = std::make_shared<std::uint64_t>(0);
  auto shard = std::make_shared<std::string>();
  auto first = std::make_shared<std::string>();
  auto revision = std::make_shared<std::string>();
  auto no_database = std::make_shared<bool>(false);
  auto no_shrink = std::make_shared<bool>(false);
  auto shrink_seconds = std::make_shared<int>(60);
  command->add_option("--seeds", options->seeds, "how many histories")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  auto* start = command->add_option("--start", *first, "the first seed; 1 by default");
  command
      ->add_option("--seeds-from", *revision,
                   "seeds of their own for this commit: a revision that git knows here")
      ->excludes(start);
  command->add_option("--jobs", options->jobs, "worker processes; 0: one a core");
  command
      ->add_option("--scenario", options->scenario,
                   "one of scenarios/README.md; a wrong name lists all")
      ->capture_default_str();
  command->add_option("--without", options->without, "guards to switch off, mutants to put in")
      ->delimiter(',');
  command->add_flag("--twice", options->twice, "run each seed twice and compare");
  command->add_option("--time", *seconds, "stop after so many seconds; 0: no limit")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{31'536'000}));
  command->add_option("--shard", *shard, "i/n: the i-th of n equal parts, from 1");
  command->add_flag("--json", options->json, "print a summary for machines");
  command->add_option("--junit", options->junit, "write a JUnit report to this file");
  command->add_option("--save-failures", options->save_failures,
                      "write the repro file of each property here as well");
  auto* database =
      command->add_option("--failures", options->failures, "the folder of the failure database")
          ->capture_default_str();
  command->add_flag("--no-database", *no_database, "neither replay nor keep failures")
      ->excludes(database);
  command->add_flag("--no-shrink", *no_shrink, "do not reduce what is found");
  command->add_option("--shrink-time", *shrink_seconds, "seconds for all reductions together")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  command->callback([=, &code] {
    options->program = program;
    options->shrink = !*no_shrink;
    options->shrink_time = std::chrono::seconds(*shrink_seconds);
    if (*no_database) options->failures.clear();
    if (!first->empty()) options->start = value_of("--start", parse_seed(*first));
    if (!revision->empty())
      options->start = value_of("--seeds-from", first_seed_of_commit(*revision));
    if (options->start > ~std::uint64_t{0} - (options->seeds - 1))
      throw CLI::ValidationError("--start", "the last of so many seeds would be above 2^64 - 1");
    options->time = std::chrono::seconds(*seconds);
    if (!shard->empty()) {
      const Shard part = value_of("--shard", parse_shard(*shard));
      options->shard = part.number;
      options->shards = part.of;
    }
    code = check(*options);
  });
}

void add_replay(CLI::App& app, int& code, const std::vector<std::string>& command_line) {
  auto* command = app.add_subcommand("replay", "Runs one history again and explains it.");
  command->footer(
      "Examples:\n"
      "  holdfast-sim replay 4711\n"
      "  holdfast-sim replay failures/mixed-4711.json --trace --until 900\n"
      "  holdfast-sim replay 4711 --timeline out.html\n"
      "  holdfast-sim replay --diff 4711 4712\n"
      "  holdfast-sim replay --diff 55 --without gone_asks_the_store\n"
      "  holdfast-sim replay 4711 --gdb-at 812\n"
      "Exit code: 0 nothing is violated, 1 a violation (of a repro file: the same, after the same\n"
      "steps), 2 usage or a file that cannot be read, 3 diverged: the file's property, but other\n"
      "steps, 4 with --strict: the file is of another build, 5 another property than the file's.\n"
      "With --diff: 0 the same steps, 1 a difference.");
  auto options = std::make_shared<ReplayOptions>();
  auto* what =
      command->add_option("seed-or-file", options->seed_or_file, "a seed, or a repro file");
  command->add_option("--scenario", options->scenario)->capture_default_str();
  command->add_option("--without", options->without, "guards to switch off, mutants to put in")
      ->delimiter(',');
  command->add_flag("--trace", options->trace, "print every step");
  command->add_option("--until", options->until, "with --trace: print no step after this one")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}));
  command->add_option("--gdb-at", options->gdb_at, "stop in gdb before this step")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}));
  command->add_option("--timeline", options->timeline, "write the run as an HTML page");
  command->add_flag("--strict", options->strict, "refuse a file that another build wrote");
  command
      ->add_option("--diff", options->diff,
                   "find the first step in which two runs (seeds, files) differ, or one run and "
                   "itself --without guards")
      ->expected(1, 2)
      ->excludes(what);
  command->callback([options, command_line, &code] {
    if (options->seed_or_file.empty() && options->diff.empty())
      throw CLI::RequiredError("a seed or a repro file");
    options->command_line = command_line;
    code = replay(*options);
  });
}

void add_shrink(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("shrink", "Takes away what a failing history can fail without.");
  command->footer(
      "Examples:\n"
      "  holdfast-sim shrink 4711 -o small.json\n"
      "  holdfast-sim shrink 55 --without gone_asks_the_store --time 20\n"
      "Keeps only what violates the same property, replays the result twice, and says for each\n"
      "choice that is left what happens without it. With --max-runs alone (--time 0) the result "
      "is\n"
      "the same on every machine.\n"
      "Exit code: 0 it passes, nothing to shrink; 1 it fails and the repro was written; 2 usage.");
  auto options = std::make_shared<ShrinkCommandOptions>();
  auto seconds = std::make_shared<double>(60);
  command->add_option("seed-or-file", options->seed_or_file, "a seed, or a repro file")->required();
  command->add_option("--scenario", options->scenario, "of a seed")->capture_default_str();
  command->add_option("--without", options->without, "guards to switch off, mutants to put in")
      ->delimiter(',');
  command->add_option("-o,--output", options->output, "where the repro goes")
      ->capture_default_str();
  command->add_option("--time", *seconds, "seconds; 0: no limit")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_option("--max-runs", options->budget.runs, "histories")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command->callback([options, seconds, &code] {
    if (*seconds == 0) *seconds = 1e6;
    options->budget.time = std::chrono::duration<double>(*seconds);
    code = shrink(*options);
  });
}

void add_guards(CLI::App& app, int& code) {
  auto* command = app.add_subcommand("guards", "Lists the guards that can be switched off.");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "for machines");
  command->callback([json, &code] { code = list_guards(*json); });
}

void add_kill_table(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "kill-table", "How many histories it takes to miss each guard and to find each mutant.");
  command->footer(
      "Examples:\n"
      "  holdfast-sim kill-table --ranges 5\n"
      "  holdfast-sim kill-table --guard visible_only_after_commit,no_replay --budget 300\n"
      "Exit code: 0 each is found in every range, and its history passes when nothing is off or\n"
      "broken; 1 one is not; 2 usage.");
  auto options = std::make_shared<KillTableOptions>();
  command->add_option("--guard", options->names, "only these guards and mutants")->delimiter(',');
  command->add_option("--budget", options->budget, "histories of a range at most")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  command->add_option("--ranges", options->ranges, "ranges of seeds, one after the other")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command->add_option("--start", options->start, "first seed")->capture_default_str();
  command->add_option("--scenario", options->scenario, "by default that whose histories need it");
  command->add_option("--jobs", options->jobs, "worker processes; 0: one a core");
  command->add_flag("--json", options->json, "for machines");
  command->callback([options, &code] { code = kill_table(*options); });
}

void add_live(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "live", "The same workloads and oracle against real servers and a real Postgres.");
  command->footer(
      "Examples:\n"
      "  holdfast-sim live\n"
      "  holdfast-sim live --database-url postgresql://postgres@localhost/postgres --runs 50\n"
      "  holdfast-sim live --runs 5 --restarts frozen --restart-every 1\n"
      "  holdfast-sim live --scenario hierarchy --restarts brutal,rolling\n"
      "Each run has a database and slots of its own, which are gone afterwards. Restarts: "
      "graceful\n"
      "(SIGTERM), brutal (SIGKILL), rolling (a second server takes over), frozen (SIGSTOP, the\n"
      "sessions end, a second server takes over, SIGCONT). A run that fails leaves a folder with\n"
      "its plan, requests, logs and storage.\n"
      "Exit code: 0 nothing was found, 1 something was, 2 usage or nothing can be run.");
  auto options = std::make_shared<LiveOptions>();
  command->add_option("--database-url", options->database_url,
                      "a Postgres with wal_level = logical; without it a throwaway one is started");
  command->add_option("--runs", options->runs)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--start", options->start, "the first seed")->capture_default_str();
  command
      ->add_option("--scenario", options->scenario,
                   "whose tables and shapes: plain, hierarchy, issue_tracker, …")
      ->capture_default_str();
  command->add_option("--shapes", options->shapes)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{200}))
      ->capture_default_str();
  command->add_option("--batches", options->batches, "of 10 transactions each")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000}))
      ->capture_default_str();
  command->add_option("--restart-every", options->restart_every, "so many batches; 0: never")
      ->capture_default_str();
  command->add_option("--restarts", options->restarts, "the kinds to draw from")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--failures", options->failures, "where folders of failing runs go")
      ->capture_default_str();
  command->add_flag("--keep", options->keep, "keep the folders of runs that pass, too");
  command->add_option("--server", options->server, "the server; by default holdfast beside this");
  command->add_flag("--json", options->json, "print a summary for machines");
  command->callback([options, &code] { code = live_mode(*options); });
}

}  // namespace

int main(int argc, char** argv) {
  tune_allocator();
  holdfast::storage::configure_sqlite();
  CLI::App app("Holdfast's deterministic simulator: property runs, replay, reduction.");
  app.require_subcommand(1);
  int code = k_exit_passed;
  add_check(app, code, argv[0]);
  add_replay(app, code, std::vector<std::string>(argv, argv + argc));
  add_shrink(app, code);
  add_guards(app, code);
  add_kill_table(app, code);
  add_live(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? k_exit_passed : k_exit_usage;
  } catch (const std::exception& error) {  // a file or directory that cannot be read or written
    std::fprintf(stderr, "holdfast-sim: %s\n", error.what());
    return k_exit_usage;
  }
  return code;
}
