// Which locks another process holds on files, as the kernel lists them. Linux only.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace holdfast::tools::live {

/// The first exclusive lock that the process holds on a file directly in the folder, in words:
/// "byte 120 of store.db-shm"; empty: it holds none.
std::string exclusive_lock_of(pid_t process, const std::filesystem::path& folder);

}  // namespace holdfast::tools::live
