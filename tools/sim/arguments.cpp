#include "tools/sim/arguments.hpp"

#include <charconv>
#include <cstdio>

#include "core/base/hash.hpp"
#include "tools/sim/shell.hpp"

namespace holdfast::tools {
namespace {

/// Far from the seeds that people type and CI counts through; a billion apart, so that the
/// histories of two commits do not overlap.
constexpr std::uint64_t k_seeds_of_a_commit = 1'000'000'000;
constexpr std::uint64_t k_commits = 1'000'000'000;

bool is_commit_id(const std::string& text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// What a command prints first, without the line's end.
std::string first_line_of(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  char buffer[256] = {};
  const char* const read = std::fgets(buffer, sizeof buffer, pipe);
  pclose(pipe);
  const std::string line = read == nullptr ? "" : read;
  return line.substr(0, line.find('\n'));
}

bool parse_whole(const char* begin, const char* end, unsigned& number) {
  const auto [rest, error] = std::from_chars(begin, end, number);
  return begin != end && error == std::errc{} && rest == end;
}

}  // namespace

Result<Shard> parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  Shard shard;
  const char* const begin = text.data();
  if (slash == std::string::npos || !parse_whole(begin, begin + slash, shard.number) ||
      !parse_whole(begin + slash + 1, begin + text.size(), shard.of) || shard.number < 1 ||
      shard.number > shard.of)
    return fail("'" + text + "' is no shard; it is i/n with 1 <= i <= n, for example 2/8");
  return shard;
}

Result<std::uint64_t> first_seed_of_commit(const std::string& revision) {
  std::string commit = revision;
  if (!is_commit_id(commit))
    commit = first_line_of("git rev-parse --verify --quiet --end-of-options " +
                           quoted_for_shell(revision + "^{commit}") + " 2>/dev/null");
  if (!is_commit_id(commit))
    return fail("'" + revision + "' is no commit id, and git knows no such revision here");
  return k_seeds_of_a_commit * (1 + hash64(commit) % k_commits);
}

}  // namespace holdfast::tools
