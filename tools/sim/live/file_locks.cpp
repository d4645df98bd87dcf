#include "tools/sim/live/file_locks.hpp"

#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace holdfast::tools::live {
namespace {

/// The file of this inode; empty: none in the folder.
std::string file_of(const std::string& inode, const std::filesystem::path& folder) {
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
    struct stat facts {};
    if (::stat(entry.path().c_str(), &facts) == 0 && std::to_string(facts.st_ino) == inode)
      return entry.path().filename();
  }
  return {};
}

}  // namespace

std::string exclusive_lock_of(pid_t process, const std::filesystem::path& folder) {
  std::ifstream locks("/proc/locks");
  // "7: POSIX  ADVISORY  WRITE 4711 fe:00:123456 120 120"
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, strength, access, owner, file, first;
    words >> number >> kind >> strength >> access >> owner >> file >> first;
    if (access != "WRITE" || owner != std::to_string(process)) continue;
    const std::string name = file_of(file.substr(file.rfind(':') + 1), folder);
    if (!name.empty()) return "byte " + first + " of " + name;
  }
  return {};
}

}  // namespace holdfast::tools::live
