#include "tools/sim/debugger.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tools/sim/commands/commands.hpp"
#include "tools/sim/shell.hpp"

namespace holdfast::tools {

bool in_debugger() {
  std::ifstream status("/proc/self/status");
  const std::string key = "TracerPid:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key))
      return line.find_first_not_of(" \t0", key.size()) != std::string::npos;
  return false;
}

void stop_in_debugger() {
  std::fflush(nullptr);
  raise(SIGTRAP);
}

int start_debugger(const std::vector<std::string>& command_line) {
  std::vector<std::string> words = {"gdb", "-q", "-ex", "run", "--args"};
  words.insert(words.end(), command_line.begin(), command_line.end());
  if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::fflush(nullptr);
    execvp("gdb", arguments.data());
    std::fprintf(stderr, "gdb cannot be started; with it, this stops at the step:\n");
  } else {
    std::fprintf(stderr, "no debugger follows this process and no terminal for one; paste:\n");
  }
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + quoted_for_shell(word);
  std::printf("%s\n", line.c_str());
  return k_exit_usage;
}

}  // namespace holdfast::tools
