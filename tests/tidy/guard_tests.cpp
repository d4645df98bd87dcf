// The rule that each guard has a test at its own level. What a test asserts this cannot tell.
#include <algorithm>

#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {
namespace {

constexpr std::string_view k_list = "core/base/guard_list.hpp";

/// Tests of whole histories, whose canaries name every guard; but one of them is of what the
/// catalogue's guards do, alteration by alteration.
bool at_its_own_level(const SourceFile& file) {
  if (!file.path.starts_with("tests/") || file.folder() == "tests/tidy") return false;
  return file.folder() != "tests/scenarios" || file.stem() == "alterations_test";
}

bool names_guard(std::string_view text, std::string_view guard) {
  const std::string name = "Guard::" + std::string(guard);
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; ++at) {
    const char next = at + name.size() < text.size() ? text[at + name.size()] : ' ';
    if (next != '_' && (next < 'a' || next > 'z')) return true;
  }
  return false;
}

struct ListedGuard {
  std::size_t line = 0;
  std::string name;
};
std::vector<ListedGuard> guards_of(const SourceFile& list) {
  std::vector<ListedGuard> guards;
  const std::string code = without_comments(list.text);
  bool inside = false;
  std::size_t number = 0;
  for (const std::string_view line : split_lines(code)) {
    ++number;
    if (inside && line.starts_with("}")) break;
    const std::size_t begin = line.find_first_not_of(' ');
    if (inside && begin != std::string_view::npos)
      guards.push_back({number, std::string(line.substr(begin, line.find(',') - begin))});
    inside = inside || line.starts_with("enum class Guard ");
  }
  return guards;
}

}  // namespace

Findings check_guards_have_tests(const Files& files) {
  Findings findings;
  for (const SourceFile& list : files) {
    if (list.path != k_list) continue;
    for (const ListedGuard& guard : guards_of(list)) {
      const bool tested = std::any_of(files.begin(), files.end(), [&](const SourceFile& file) {
        return at_its_own_level(file) && names_guard(file.text, guard.name);
      });
      if (!tested)
        findings.push_back({list.path, guard.line, "no test at its own level names " + guard.name});
    }
  }
  return findings;
}

}  // namespace holdfast::tidy
