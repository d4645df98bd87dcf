#include "tools/sim/live/server_process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <vector>

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace holdfast::tools::live {
namespace {

bool configures_a_server(std::string_view variable) {
  return variable.starts_with("ELECTRIC_") || variable.starts_with("HOLDFAST_") ||
         variable.starts_with("DATABASE_URL=");
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& settings) {
  std::vector<std::string> variables;
  for (char** each = environ; *each != nullptr; ++each)
    if (!configures_a_server(*each)) variables.emplace_back(*each);
  for (const auto& [name, value] : settings) variables.push_back(name + "=" + value);
  return variables;
}

}  // namespace

ServerProcess::ServerProcess(const std::filesystem::path& program,
                             const std::map<std::string, std::string>& settings,
                             std::filesystem::path log, unsigned number)
    : log_(std::move(log)), number_(number) {
  std::vector<std::string> variables = environment_with(settings);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string name = program;
  std::string verb = "serve";
  const std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
  const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::setsid();  // Ctrl-C is for us: we end it in order
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    // Our clients' sockets would stay open in it when we close them.
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    ::execve(name.c_str(), arguments.data(), environment.data());
    ::_exit(127);
  }
  ::close(out);
  ::close(in);
  if (child_ < 0) throw std::runtime_error("no child process can be started for " + name);
}

ServerProcess::~ServerProcess() {
  if (status_) return;
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

std::string ServerProcess::log() const {
  std::ostringstream text;
  text << std::ifstream(log_).rdbuf();
  return text.str();
}

std::optional<std::uint16_t> ServerProcess::port() {
  if (port_) return port_;
  constexpr std::string_view k_before = " on http://127.0.0.1:";
  const std::string text = log();
  const std::size_t at = text.find(k_before);
  if (at != std::string::npos && text.find(',', at) != std::string::npos)
    port_ = static_cast<std::uint16_t>(std::atoi(text.c_str() + at + k_before.size()));
  return port_;
}

void ServerProcess::send_signal(int signal) {
  if (ended()) return;
  ::kill(child_, signal);
  if (signal == SIGSTOP) frozen_ = true;
  if (signal == SIGCONT) frozen_ = false;
  if (signal == SIGTERM || signal == SIGKILL) asked_to_end_ = true;
}

bool ServerProcess::ended() {
  if (status_) return true;
  int status = 0;
  if (::waitpid(child_, &status, WNOHANG) == child_) status_ = status;
  return status_.has_value();
}

std::string ServerProcess::end() const {
  const int status = status_.value();
  return WIFEXITED(status) ? "exit code " + std::to_string(WEXITSTATUS(status))
                           : "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace holdfast::tools::live
