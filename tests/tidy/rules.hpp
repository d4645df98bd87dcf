// The rules of the tree that a compiler does not know (design.md §3, §16; style.md). Each is a
// function from files to findings, so that each can be shown to fail on a sample.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source_tree.hpp"

namespace holdfast::tidy {

/// Which folder may include which (design.md §3).
Findings check_include_arrows(const Files& files);

/// What only core/production and tools may name: threads, clocks, randomness, files, sockets, the
/// environment; and what nobody may put into a decision: hashes of pointers, locales. Tests are
/// exempt.
Findings check_banned_names(const Files& files);

/// Headers begin with a comment of at least one sentence and with `#pragma once` before any code.
Findings check_header_form(const Files& files);

/// foo.cpp beside foo.hpp includes it first, which proves the header self-contained. The other
/// headers are compiled on their own (tests/tidy/headers.cmake).
Findings check_own_header_first(const Files& files);

struct SharedName {
  std::string_view stem;
  std::string_view reason;
};
/// One idea per file, found by its name: within a top folder (and within core/production) no file
/// name occurs in two folders, unless it is listed with a reason. A listed name that has become
/// unique is a finding too.
Findings check_unique_names(const Files& files, std::span<const SharedName> accepted);

/// At most 100 columns, counted in characters; 140 for a line of a test that holds text in quotes.
Findings check_line_lengths(const Files& files);

struct LongFile {
  std::string_view path;
  std::string_view reason;
};
constexpr std::size_t k_max_code_lines = 400;
/// Lines that are neither blank nor comment. A listed file that is short again is a finding too.
Findings check_file_lengths(const Files& files, std::span<const LongFile> accepted);

/// Unfinished work is an issue, not a word in a comment.
Findings check_no_leftovers(const Files& files);

/// Each guard of core/base/guard_list.hpp is named by a test at its own level, and not only by
/// those of whole histories.
Findings check_guards_have_tests(const Files& files);

/// `entries` are the names at the top of the repository.
Findings check_top_level(const std::vector<std::string>& entries);

}  // namespace holdfast::tidy
