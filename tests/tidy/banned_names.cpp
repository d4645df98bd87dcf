// Names that would let the real world into code that must run simulated.
#include <algorithm>
#include <array>
#include <regex>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {
namespace {

constexpr std::string_view k_banned_headers[] = {
    "<thread>",    "<mutex>",      "<shared_mutex>", "<condition_variable>", "<future>",
    "<semaphore>", "<latch>",      "<barrier>",      "<stop_token>",         "<random>",
    "<fstream>",   "<filesystem>", "<sys/socket.h>", "<netinet/in.h>",       "<arpa/inet.h>",
    "<netdb.h>",   "<sys/un.h>",   "<fcntl.h>",      "<sys/stat.h>",         "<dirent.h>",
    "<pthread.h>", "<sys/time.h>", "<locale>",
};

struct BannedName {
  std::string_view pattern;  ///< a regular expression, matched at a word's start
  std::string_view what;
};

constexpr std::array<BannedName, 9> k_banned_names = {{
    {R"((std::)?(thread|jthread|mutex|recursive_mutex|shared_mutex|condition_variable)\s+\w)",
     "a thread's means"},
    {R"(std::(this_thread|lock_guard|unique_lock|scoped_lock|async)\b)", "a thread's means"},
    {R"(pthread_\w+)", "a thread's means"},
    {R"((system_clock|steady_clock|high_resolution_clock)\b)", "a real clock"},
    {R"((clock_gettime|gettimeofday|nanosleep|usleep)\s*\()", "a real clock"},
    {R"((random_device|mt19937\w*|default_random_engine|srand|arc4random)\b)",
     "unkeyed randomness"},
    {R"((getenv|secure_getenv|setenv)\s*\()", "the environment"},
    {R"((fopen|ifstream|ofstream|fstream)\b)", "a real file"},
    {R"(std::hash<[^>]*\*\s*>|std::locale\b|setlocale\b)", "an address or a locale"},
}};

/// What every banned name contains: regular expressions are slow, most lines are innocent.
constexpr std::string_view k_parts[] = {"thread",   "mutex",        "condition_variable",
                                        "_guard",   "_lock",        "async",
                                        "clock",    "gettimeofday", "sleep",
                                        "random",   "mt19937",      "srand",
                                        "env",      "fopen",        "fstream",
                                        "ifstream", "ofstream",     "hash<",
                                        "locale"};

bool may_name(std::string_view line) {
  return std::any_of(std::begin(k_parts), std::end(k_parts), [&](std::string_view part) {
    return line.find(part) != std::string_view::npos;
  });
}

/// Where the real world lives (design.md §3), and where tests look at it.
bool is_exempt(std::string_view path) {
  return path.starts_with("core/production/") || path.starts_with("tools/") ||
         path.starts_with("tests/");
}

void check_headers(const SourceFile& file, Findings& findings) {
  for (const Include& include : includes_of(file)) {
    if (std::find(std::begin(k_banned_headers), std::end(k_banned_headers), include.target) !=
        std::end(k_banned_headers)) {
      findings.push_back({file.path, include.line, "may not include " + include.target});
    }
  }
}

void check_names(const SourceFile& file, Findings& findings) {
  static const std::vector<std::regex> k_patterns = [] {
    std::vector<std::regex> patterns;
    for (const BannedName& name : k_banned_names) {
      patterns.emplace_back("\\b(" + std::string(name.pattern) + ")");
    }
    return patterns;
  }();
  const std::string code = code_only(file.text);
  std::size_t number = 0;
  for (const std::string_view line : split_lines(code)) {
    ++number;
    if (line.starts_with('#') || !may_name(line)) continue;
    for (std::size_t i = 0; i < k_banned_names.size(); ++i) {
      std::match_results<std::string_view::const_iterator> match;
      if (!std::regex_search(line.begin(), line.end(), match, k_patterns[i])) continue;
      findings.push_back(
          {file.path, number, "names " + std::string(k_banned_names[i].what) + ": " + match.str()});
    }
  }
}

}  // namespace

Findings check_banned_names(const Files& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    if (is_exempt(file.path)) continue;
    check_headers(file, findings);
    check_names(file, findings);
  }
  return findings;
}

}  // namespace holdfast::tidy
