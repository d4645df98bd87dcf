#include "tools/sim/live/live_command.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/base/result.hpp"
#include "tools/postgres/throwaway_postgres.hpp"
#include "tools/sim/commands/commands.hpp"
#include "tools/sim/live/failure_folder.hpp"
#include "tools/sim/live/live_run.hpp"
#include "tools/sim/live/live_summary.hpp"

namespace holdfast::tools {
namespace {

using live::Interrupted;
using live::LiveReport;
using live::LiveSetting;
using live::LiveSummary;
using live::PostgresSession;
using scenarios::RestartKind;
namespace fs = std::filesystem;

/// Tells what the user has to do next.
class CannotRun : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

constexpr RestartKind k_live_kinds[] = {RestartKind::graceful, RestartKind::brutal,
                                        RestartKind::rolling, RestartKind::frozen};

RestartKind kind_of(const std::string& name) {
  std::string known;
  for (const RestartKind kind : k_live_kinds) {
    if (name == scenarios::name_of(kind)) return kind;
    known += (known.empty() ? "" : ", ") + std::string(scenarios::name_of(kind));
  }
  throw CannotRun("--restarts: \"" + name + "\" is no restart of live mode; there are " + known);
}

scenarios::LiveSize size_of(const LiveOptions& options) {
  scenarios::LiveSize size;
  size.scenario = scenarios::find_live_scenario(options.scenario);
  if (size.scenario == nullptr) {
    std::string known;
    for (const scenarios::LiveScenario& one : scenarios::live_scenarios())
      known += (known.empty() ? "" : ", ") + std::string(one.name);
    throw CannotRun("--scenario: there is no \"" + options.scenario + "\"; there are " + known);
  }
  size.shapes = options.shapes;
  size.batches = options.batches;
  size.restart_every = options.restart_every;
  size.kinds.clear();
  for (const std::string& name : options.restarts) size.kinds.push_back(kind_of(name));
  return size;
}

fs::path server_program(const LiveOptions& options) {
  const fs::path program = options.server.empty()
                               ? fs::read_symlink("/proc/self/exe").parent_path() / "holdfast"
                               : fs::absolute(options.server);
  if (::access(program.c_str(), X_OK) != 0)
    throw CannotRun(program.string() +
                    " is no program; build it with \"ninja -C build/release holdfast\", or name "
                    "another one with --server");
  return program;
}

std::unique_ptr<ThrowawayPostgres> throwaway(const LiveOptions& options) {
  if (!options.database_url.empty()) return nullptr;
  if (!ThrowawayPostgres::installed())
    throw CannotRun(
        "no Postgres server is installed for a throwaway database; install one "
        "(apt-get install postgresql-15), or name a database with --database-url");
  std::fprintf(stderr, "no --database-url: starting a throwaway Postgres\n");
  return std::make_unique<ThrowawayPostgres>(
      std::vector<std::string>{"log_line_prefix = '%m [%p] %a '", "log_statement = ddl"});
}

/// Before minutes of work, not after them.
void check_database(const std::string& url) {
  const std::string shown = live::without_password(url);
  const auto refuse = [&](const std::string& why) { throw CannotRun(shown + ": " + why); };
  std::unique_ptr<PostgresSession> session;
  try {
    session = std::make_unique<PostgresSession>(url);
  } catch (const std::runtime_error& error) {
    refuse(std::string("cannot be reached: ") + error.what() +
           "\nTry the same URL with psql, or leave --database-url away for a throwaway Postgres.");
  }
  const std::string level = session->cell("SHOW wal_level");
  if (level != "logical")
    refuse("wal_level is " + level +
           ", but a sync engine needs logical replication: run ALTER SYSTEM SET wal_level = "
           "logical, and restart the server");
  if (session->cell("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user") !=
      "t")
    refuse(
        "this user may not create databases, and each run has one of its own: ALTER ROLE … "
        "CREATEDB");
  if (session->cell("SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = "
                    "current_user") != "t")
    refuse("this user may not replicate: ALTER ROLE … REPLICATION");
  if (session->cell("SELECT current_setting('max_replication_slots')::int - count(*) >= 2 FROM "
                    "pg_replication_slots") != "t")
    refuse(
        "fewer than two replication slots are free: raise max_replication_slots, or drop slots "
        "that nobody uses (pg_replication_slots)");
}

/// SIGINT and SIGTERM as something to read, so that a run can end in order.
class Signals {
 public:
  Signals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set_, &before_);
    descriptor_ = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Signals() {
    signalfd_siginfo taken;
    while (::read(descriptor_, &taken, sizeof taken) > 0) {
    }
    ::close(descriptor_);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  sigset_t set_{};
  sigset_t before_{};
  int descriptor_ = -1;
};

/// A folder for the runs at work, gone in the end.
class WorkFolder {
 public:
  WorkFolder() {
    std::string path = (fs::temp_directory_path() / "holdfast-live-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw CannotRun("no temporary folder can be made");
    path_ = path;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// On a terminal one line that changes, else a line for each run.
class Progress {
 public:
  explicit Progress(std::uint64_t runs) : runs_(runs) {}
  void begin(std::uint64_t number, std::uint64_t seed) {
    head_ = "run " + std::to_string(number) + " of " + std::to_string(runs_) + ", seed " +
            std::to_string(seed) + ": ";
  }
  void step(const std::string& what) const {
    if (terminal_) std::fprintf(stderr, "\r%s%-24s", head_.c_str(), what.c_str());
  }
  void end(const std::string& what) const {
    if (!terminal_) std::fprintf(stderr, "%s%s\n", head_.c_str(), what.c_str());
  }
  ~Progress() {
    if (terminal_) std::fprintf(stderr, "\r%60s\r", "");
  }

 private:
  std::uint64_t runs_;
  std::string head_;
  bool terminal_ = ::isatty(STDERR_FILENO) != 0;
};

/// The run's folder becomes one of the failures; answers where.
fs::path keep(const fs::path& folder, const LiveOptions& options, std::uint64_t seed) {
  fs::create_directories(options.failures);
  fs::path target = fs::absolute(options.failures) / ("seed-" + std::to_string(seed));
  for (int number = 2; fs::exists(target); ++number)
    target = fs::absolute(options.failures) /
             ("seed-" + std::to_string(seed) + "-" + std::to_string(number));
  fs::copy(folder, target, fs::copy_options::recursive);
  return target;
}

void run_all(const LiveOptions& options, LiveSummary& summary) {
  LiveSetting setting;
  setting.size = size_of(options);
  setting.server_program = server_program(options);
  setting.keep_always = options.keep;
  const Signals signals;
  const auto postgres = throwaway(options);
  setting.postgres_url = postgres ? postgres->url() : options.database_url;
  if (postgres) setting.postgres_log = postgres->directory() + "/log";
  setting.signals = signals.descriptor();
  check_database(setting.postgres_url);
  const WorkFolder work;
  Progress progress(options.runs);
  for (std::uint64_t i = 0; i < options.runs; ++i) {
    const std::uint64_t seed = options.start + i;
    setting.folder = work.path() / std::to_string(seed);
    fs::create_directories(setting.folder);
    progress.begin(i + 1, seed);
    setting.progress = [&](const std::string& what) { progress.step(what); };
    const LiveReport report = live::run_live(seed, setting);
    std::string kept;
    if (report.failed() || options.keep) kept = keep(setting.folder, options, seed);
    summary.add(report, kept, live::live_command(seed, setting));
    progress.end(live::one_line(report));
    fs::remove_all(setting.folder);
  }
}

}  // namespace

int live_mode(const LiveOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  LiveSummary summary;
  bool interrupted = false;
  try {
    run_all(options, summary);
  } catch (const Interrupted&) {
    interrupted = true;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast-sim live: %s\n", error.what());
    return k_exit_usage;
  }
  summary.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  std::printf("%s\n", (options.json ? to_json(summary) : to_text(summary)).c_str());
  if (interrupted) std::fprintf(stderr, "interrupted\n");
  return summary.found() ? k_exit_found : interrupted ? k_exit_usage : k_exit_passed;
}

}  // namespace holdfast::tools
