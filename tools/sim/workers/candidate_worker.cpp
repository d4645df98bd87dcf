#include "tools/sim/workers/candidate_worker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/assert.hpp"
#include "sim/scheduler/simulated_executor.hpp"
#include "tools/sim/history.hpp"
#include "tools/sim/workers/outcome_json.hpp"

namespace holdfast::tools {
namespace {

using scenarios::Extent;
using scenarios::Outcome;

constexpr int k_longest_run_ms = 60'000;

bool write_all(int descriptor, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(descriptor, text.data() + done, text.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

bool read_all(int descriptor, std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = read(descriptor, text.data() + done, text.size() - done);
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

/// A request: the extent as a digit, the length as 10 digits, the text.
std::string request_of(const scenarios::Repro& candidate, Extent extent) {
  const std::string text = scenarios::to_text(candidate);
  char head[16];
  std::snprintf(head, sizeof head, "%u%010zu", static_cast<unsigned>(extent), text.size());
  return head + text;
}

[[noreturn]] void serve(int requests, int answers) {
  scenarios::Reused reused;
  for (;;) {
    std::string head(11, '\0');
    if (!read_all(requests, head)) _exit(0);  // the parent is done
    std::string text(std::stoull(head.substr(1)), '\0');
    if (!read_all(requests, text)) _exit(0);
    const auto candidate = scenarios::parse_repro(text, "candidate");
    ASSERT(candidate.ok(), "a candidate of the reducer is a repro that can be read");
    const auto extent = static_cast<Extent>(head[0] - '0');
    if (!write_all(answers, to_line(scenarios::run_here(*candidate, extent, &reused)))) _exit(0);
  }
}

}  // namespace

CandidateWorker::~CandidateWorker() {
  stop();
}

void CandidateWorker::start() {
  int requests[2];
  int answers[2];
  int words[2];
  ASSERT(pipe2(requests, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0 &&
             pipe2(words, O_CLOEXEC) == 0,
         "the machine has pipes left");
  std::fflush(nullptr);
  child_ = fork();
  ASSERT(child_ >= 0, "the machine has processes left");
  if (child_ == 0) {
    close(requests[1]);
    close(answers[0]);
    close(words[0]);
    dup2(words[1], STDERR_FILENO);
    serve(requests[0], answers[1]);
  }
  close(requests[0]);
  close(answers[1]);
  close(words[1]);
  requests_ = requests[1];
  answers_ = answers[0];
  words_ = words[0];
}

void CandidateWorker::stop() {
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  waitpid(child_, nullptr, 0);
  for (int* descriptor : {&requests_, &answers_, &words_}) {
    close(*descriptor);
    *descriptor = -1;
  }
  child_ = -1;
}

bool CandidateWorker::ask(const std::string& request) {
  // A child that died while it was idle would end this process by SIGPIPE.
  const auto before = signal(SIGPIPE, SIG_IGN);
  const bool sent = write_all(requests_, request);
  signal(SIGPIPE, before);
  return sent;
}

bool CandidateWorker::wait_for_answer(std::string& answer, bool& late) {
  char buffer[65'536];
  while (answer.empty() || answer.back() != '\n') {
    pollfd waiting{answers_, POLLIN, 0};
    if (poll(&waiting, 1, k_longest_run_ms) == 0) {
      late = true;
      return false;
    }
    const ssize_t count = read(answers_, buffer, sizeof buffer);
    if (count <= 0) return false;
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  return true;
}

Outcome CandidateWorker::run(const scenarios::Repro& candidate, Extent extent) {
  if (child_ < 0) start();
  std::string answer;
  bool late = false;
  if (ask(request_of(candidate, extent)) && wait_for_answer(answer, late))
    return outcome_of(answer);
  Outcome outcome;
  if (late) {
    stop();
    outcome.verdict = {"hang", "the run takes more than a minute"};
    return outcome;
  }
  std::string words;
  char buffer[4'096];
  ssize_t count = 0;
  while ((count = read(words_, buffer, sizeof buffer)) > 0)
    words.append(buffer, static_cast<std::size_t>(count));
  stop();
  outcome.verdict = {crash_property(words), words.empty() ? "the run ended the process" : words};
  return outcome;
}

}  // namespace holdfast::tools
