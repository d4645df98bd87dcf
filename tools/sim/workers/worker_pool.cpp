#include "tools/sim/workers/worker_pool.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "core/base/assert.hpp"
#include "core/base/sanitizers.hpp"

#ifdef HOLDFAST_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace holdfast::tools {
namespace {

/// A worker ends by _exit, which looks for no leaks; under AddressSanitizer each history is asked
/// by itself, so that the report names the seed. The words are on standard error.
bool history_leaked() {
#ifdef HOLDFAST_ASAN
  return __lsan_do_recoverable_leak_check() != 0;
#else
  return false;
#endif
}

void write_all(int descriptor, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(descriptor, text.data() + done, text.size() - done);
    if (count <= 0) _exit(3);
    done += static_cast<std::size_t>(count);
  }
}

/// One worker process as its parent sees it.
struct Child {
  pid_t pid = -1;
  int lines = -1;                   ///< read end: its results
  int errors = -1;                  ///< read end: its standard error
  std::deque<std::uint64_t> seeds;  ///< still to come, the current one first
  std::string partial;
  std::string words;
};

[[noreturn]] void work(const PoolOptions& options, const std::deque<std::uint64_t>& seeds,
                       int lines) {
  for (const std::uint64_t seed : seeds) {
    const std::string result = options.run(seed) + "\n";
    if (history_leaked()) _exit(4);
    write_all(lines, result);
  }
  _exit(0);
}

void start(const PoolOptions& options, Child& child) {
  int lines[2];
  int errors[2];
  ASSERT(pipe(lines) == 0 && pipe(errors) == 0, "the machine has pipes left");
  std::fflush(nullptr);
  child.pid = fork();
  ASSERT(child.pid >= 0, "the machine has processes left");
  if (child.pid == 0) {
    close(lines[0]);
    close(errors[0]);
    dup2(errors[1], STDERR_FILENO);
    work(options, child.seeds, lines[1]);
  }
  close(lines[1]);
  close(errors[1]);
  child.lines = lines[0];
  child.errors = errors[0];
  child.partial.clear();
  child.words.clear();
}

void finish(Child& child) {
  close(child.lines);
  close(child.errors);
  child.lines = child.errors = -1;
  waitpid(child.pid, nullptr, 0);
}

/// False: stop early.
bool take_lines(const PoolOptions& options, Child& child) {
  std::size_t end = 0;
  while ((end = child.partial.find('\n')) != std::string::npos) {
    const std::string line = child.partial.substr(0, end);
    child.partial.erase(0, end + 1);
    const std::uint64_t seed = child.seeds.front();
    child.seeds.pop_front();
    if (!options.finished(seed, line)) return false;
  }
  return true;
}

void read_words(Child& child) {
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(child.errors, buffer, sizeof buffer)) > 0)
    child.words.append(buffer, static_cast<std::size_t>(count));
}

/// Reads what there is. False: stop early.
bool serve(const PoolOptions& options, Child& child) {
  char buffer[65536];
  const ssize_t count = read(child.lines, buffer, sizeof buffer);
  if (count > 0) {
    child.partial.append(buffer, static_cast<std::size_t>(count));
    return take_lines(options, child);
  }
  read_words(child);
  finish(child);
  if (child.seeds.empty()) return true;
  const std::uint64_t seed = child.seeds.front();
  child.seeds.pop_front();
  const bool go_on = options.crashed(seed, child.words);
  if (go_on && !child.seeds.empty()) start(options, child);
  return go_on;
}

}  // namespace

void run_pool(const PoolOptions& options) {
  std::vector<Child> children(std::min<std::size_t>(options.jobs, options.seeds.size()));
  for (std::size_t i = 0; i < options.seeds.size(); ++i)
    children[i % children.size()].seeds.push_back(options.seeds[i]);
  for (Child& child : children) start(options, child);
  bool go_on = true;
  while (go_on) {
    std::vector<pollfd> waiting;
    std::vector<Child*> owners;
    for (Child& child : children)
      if (child.lines >= 0) {
        waiting.push_back({child.lines, POLLIN, 0});
        owners.push_back(&child);
      }
    if (waiting.empty()) break;
    poll(waiting.data(), waiting.size(), 1'000);
    for (std::size_t i = 0; i < waiting.size() && go_on; ++i)
      if (waiting[i].revents != 0) go_on = serve(options, *owners[i]);
  }
  for (Child& child : children)
    if (child.lines >= 0) {
      kill(child.pid, SIGKILL);
      finish(child);
    }
}

}  // namespace holdfast::tools
