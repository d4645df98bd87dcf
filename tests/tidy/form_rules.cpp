// Rules about single files and their names: form of headers, lengths, leftovers, the top folder.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {
namespace {

constexpr std::size_t k_max_columns = 100;
constexpr std::size_t k_max_text_columns = 140;

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// Tables of texts as clients see them may run over: broken up, they could not be compared by eye.
std::size_t columns_allowed(const SourceFile& file, std::string_view line) {
  const bool holds_text = line.find('"') != std::string_view::npos;
  return file.path.starts_with("tests/") && holds_text ? k_max_text_columns : k_max_columns;
}

/// Characters of UTF-8 text: bytes that do not continue one.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// Where a name must be unique: a top folder, production on its own, since it implements interfaces
/// of core under their names as sim does.
std::string_view realm(const SourceFile& file) {
  constexpr std::string_view k_production = "core/production";
  if (file.path.starts_with(k_production)) return k_production;
  return std::string_view(file.path).substr(0, file.path.find('/'));
}

std::size_t code_lines(const SourceFile& file) {
  const std::string text = without_comments(file.text);
  const auto lines = split_lines(text);
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](auto line) { return !is_blank(line); }));
}

}  // namespace

Findings check_header_form(const Files& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    if (!file.is_header()) continue;
    const std::string_view text = file.text;
    if (!text.starts_with("// ")) {
      findings.push_back({file.path, 1, "does not begin with a comment that says what it is"});
    }
    const std::string code = without_comments(text);
    std::size_t number = 0;
    std::size_t first_code = 0;
    bool once = false;
    for (const std::string_view line : split_lines(code)) {
      ++number;
      if (is_blank(line)) continue;
      first_code = number;
      once = line.starts_with("#pragma once");
      break;
    }
    if (!once) findings.push_back({file.path, first_code, "has code before #pragma once"});
  }
  return findings;
}

Findings check_own_header_first(const Files& files) {
  std::set<std::string_view> paths;
  for (const SourceFile& file : files) paths.insert(file.path);
  Findings findings;
  for (const SourceFile& file : files) {
    if (!file.path.ends_with(".cpp")) continue;
    const std::string own = file.path.substr(0, file.path.size() - 4) + ".hpp";
    if (!paths.contains(own)) continue;
    const std::vector<Include> includes = includes_of(file);
    if (includes.empty() || includes.front().target != own) {
      findings.push_back({file.path, includes.empty() ? 0 : includes.front().line,
                          "does not include " + own + " first"});
    }
  }
  return findings;
}

Findings check_unique_names(const Files& files, std::span<const SharedName> accepted) {
  std::map<std::pair<std::string_view, std::string_view>, const SourceFile*> first;
  std::set<std::string_view> shared;
  Findings findings;
  for (const SourceFile& file : files) {
    const auto [known, added] = first.emplace(std::pair(realm(file), file.stem()), &file);
    if (added || known->second->folder() == file.folder()) continue;
    shared.insert(file.stem());
    const bool listed = std::any_of(accepted.begin(), accepted.end(), [&](const SharedName& name) {
      return name.stem == file.stem() && !name.reason.empty();
    });
    if (!listed) {
      findings.push_back({file.path, 0, "has the same name as " + known->second->path});
    }
  }
  for (const SharedName& name : accepted) {
    if (!shared.contains(name.stem)) {
      findings.push_back({std::string(name.stem), 0, "needs no entry in the list of shared names"});
    }
  }
  return findings;
}

Findings check_line_lengths(const Files& files) {
  Findings findings;
  for (const SourceFile& file : files) {
    std::size_t number = 0;
    for (const std::string_view line : split_lines(file.text)) {
      ++number;
      if (columns(line) > columns_allowed(file, line)) {
        findings.push_back(
            {file.path, number, "has " + std::to_string(columns(line)) + " columns"});
      }
    }
  }
  return findings;
}

Findings check_file_lengths(const Files& files, std::span<const LongFile> accepted) {
  Findings findings;
  std::set<std::string_view> needed;
  for (const SourceFile& file : files) {
    const std::size_t lines = code_lines(file);
    if (lines <= k_max_code_lines) continue;
    needed.insert(file.path);
    const bool listed = std::any_of(accepted.begin(), accepted.end(), [&](const LongFile& entry) {
      return entry.path == file.path && !entry.reason.empty();
    });
    if (!listed) {
      findings.push_back({file.path, 0, "has " + std::to_string(lines) + " lines of code"});
    }
  }
  for (const LongFile& entry : accepted) {
    if (!needed.contains(entry.path)) {
      findings.push_back({std::string(entry.path), 0, "needs no entry in the list of long files"});
    }
  }
  return findings;
}

Findings check_no_leftovers(const Files& files) {
  static const std::regex k_leftover(R"(\b(TODO|FIXME|XXX|HACK)\b)");
  Findings findings;
  for (const SourceFile& file : files) {
    if (file.folder() == "tests/tidy") continue;  // names the words to look for them
    std::size_t number = 0;
    for (const std::string_view line : split_lines(file.text)) {
      ++number;
      if (std::regex_search(line.begin(), line.end(), k_leftover)) {
        findings.push_back({file.path, number, "leaves something to be done"});
      }
    }
  }
  return findings;
}

Findings check_top_level(const std::vector<std::string>& entries) {
  static const std::set<std::string_view> k_ours = {".ci",
                                                    ".clang-format",
                                                    ".clang-tidy",
                                                    ".github",
                                                    ".gitignore",
                                                    "CMakeLists.txt",
                                                    "CMakePresets.json",
                                                    "LICENSE",
                                                    "README.md",
                                                    "core",
                                                    "oracle",
                                                    "scenarios",
                                                    "sim",
                                                    "tests",
                                                    "tools"};
  /// What tools leave behind and .gitignore or git itself keeps out.
  static const std::set<std::string_view> k_left_behind = {".git", "build", ".cache", ".holdfast",
                                                           "compile_commands.json"};
  Findings findings;
  for (const std::string& entry : entries) {
    if (!k_ours.contains(entry) && !k_left_behind.contains(entry)) {
      findings.push_back({entry, 0, "does not belong at the top"});
    }
  }
  return findings;
}

}  // namespace holdfast::tidy
