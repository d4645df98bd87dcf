// One `holdfast serve`, a child of this process, with its log in a file. Killed with the object,
// and by the kernel with whoever started it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::tools::live {

class ServerProcess {
 public:
  /// `settings` are environment variables; those of this process that configure a server are not
  /// passed on. Throws std::runtime_error if no process can be started.
  ServerProcess(const std::filesystem::path& program,
                const std::map<std::string, std::string>& settings, std::filesystem::path log,
                unsigned number);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Where it listens, once it has said so.
  std::optional<std::uint16_t> port();
  void send_signal(int signal);
  /// It was stopped by SIGSTOP and not continued.
  bool frozen() const { return frozen_; }
  /// Whether it has ended, however.
  bool ended();
  /// "exit code 0", "signal 9". REQUIRES: ended().
  std::string end() const;
  /// We have asked it to end, so that it ends is no surprise.
  bool asked_to_end() const { return asked_to_end_; }

  unsigned number() const { return number_; }
  pid_t process() const { return child_; }
  /// What it has logged so far.
  std::string log() const;
  const std::filesystem::path& log_file() const { return log_; }

 private:
  std::filesystem::path log_;
  unsigned number_;
  pid_t child_ = 0;
  bool frozen_ = false;
  bool asked_to_end_ = false;
  std::optional<int> status_;  ///< as waitpid gives it
  std::optional<std::uint16_t> port_;
};

}  // namespace holdfast::tools::live
