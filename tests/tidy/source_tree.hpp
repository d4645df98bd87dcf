// The repository's C++ files as values, for rules that look at text. Reads files; decides nothing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::tidy {

struct SourceFile {
  std::string path;  ///< from the top folder, with '/'
  std::string text;

  bool is_header() const { return path.ends_with(".hpp"); }
  std::string_view file_name() const;
  std::string_view stem() const;    ///< the file name up to its first dot
  std::string_view folder() const;  ///< "core/base"
};

struct Finding {
  std::string path;
  std::size_t line = 0;  ///< from 1; 0: the file as a whole
  std::string sentence;
  bool operator==(const Finding&) const = default;
};

using Files = std::vector<SourceFile>;
using Findings = std::vector<Finding>;

/// All .hpp and .cpp files below the folders that hold code, in the order of their paths.
Files load_sources(const std::filesystem::path& root);

/// The text with comments blanked out; line breaks stay, so line numbers hold.
std::string without_comments(std::string_view text);
/// As without_comments, with the contents of string and character literals blanked out as well.
std::string code_only(std::string_view text);

/// Lines without their ends. An end at the very end opens no further line.
std::vector<std::string_view> split_lines(std::string_view text);

struct Include {
  std::size_t line = 0;
  std::string target;  ///< `core/base/hash.hpp` or `<vector>` with its brackets
};
std::vector<Include> includes_of(const SourceFile& file);

}  // namespace holdfast::tidy
