#include "tests/tidy/source_tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace holdfast::tidy {
namespace {

constexpr const char* k_code_folders[] = {"core", "oracle", "scenarios", "sim", "tests", "tools"};

enum class Literals { keep, blank };

/// Walks over C++ text and copies what is to be kept; everything else becomes blanks.
class Blanker {
 public:
  Blanker(std::string_view text, Literals literals) : text_(text), literals_(literals) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until(text_.find('\n', at_));
      } else if (starts("/*")) {
        blank_until(end_of("*/", at_ + 2));
      } else if (starts("R\"") && !follows_name()) {
        raw_string();
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && !follows_name())) {
        literal(text_[at_]);
      } else {
        out_ += text_[at_++];
      }
    }
    return std::move(out_);
  }

 private:
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  /// A quote after a digit separates digits; an R after a letter belongs to a name.
  bool follows_name() const {
    if (at_ == 0) return false;
    const char c = text_[at_ - 1];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  std::size_t end_of(std::string_view terminator, std::size_t from) const {
    const std::size_t found = text_.find(terminator, from);
    return found == std::string_view::npos ? found : found + terminator.size();
  }

  void blank_until(std::size_t end) {
    for (end = std::min(end, text_.size()); at_ < end; ++at_) {
      out_ += text_[at_] == '\n' ? '\n' : ' ';
    }
  }

  void take_until(std::size_t end) {
    if (literals_ == Literals::blank) {
      blank_until(end);
      return;
    }
    end = std::min(end, text_.size());
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }

  void raw_string() {
    const std::size_t open = std::min(text_.find('(', at_), text_.size());
    const std::size_t name = at_ + 2;
    const std::string terminator =
        ")" + std::string(text_.substr(name, open > name ? open - name : 0)) + "\"";
    take_until(end_of(terminator, open));
  }

  void literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    out_ += quote;
    ++at_;
    take_until(end);
    if (at_ < text_.size() && text_[at_] == quote) out_ += text_[at_++];
  }

  std::string_view text_;
  Literals literals_;
  std::size_t at_ = 0;
  std::string out_;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string_view SourceFile::file_name() const {
  const std::string_view all = path;
  return all.substr(all.rfind('/') + 1);
}

std::string_view SourceFile::stem() const {
  return file_name().substr(0, file_name().find('.'));
}

std::string_view SourceFile::folder() const {
  const std::string_view all = path;
  const std::size_t slash = all.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : all.substr(0, slash);
}

Files load_sources(const std::filesystem::path& root) {
  Files files;
  for (const char* folder : k_code_folders) {
    if (!std::filesystem::exists(root / folder)) continue;
    for (auto entry = std::filesystem::recursive_directory_iterator(root / folder);
         entry != std::filesystem::recursive_directory_iterator(); ++entry) {
      if (entry->path().filename() == "node_modules") entry.disable_recursion_pending();
      const auto extension = entry->path().extension();
      if (!entry->is_regular_file() || (extension != ".hpp" && extension != ".cpp")) continue;
      files.push_back({std::filesystem::relative(entry->path(), root).generic_string(),
                       read_file(entry->path())});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::string without_comments(std::string_view text) {
  return Blanker(text, Literals::keep).run();
}

std::string code_only(std::string_view text) {
  return Blanker(text, Literals::blank).run();
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  const std::string text = without_comments(file.text);
  std::size_t number = 0;
  for (std::string_view line : split_lines(text)) {
    ++number;
    const std::size_t hash = line.find_first_not_of(" \t");
    if (hash == std::string_view::npos || line[hash] != '#') continue;
    line.remove_prefix(hash + 1);
    const std::size_t word = line.find_first_not_of(" \t");
    if (word == std::string_view::npos || !line.substr(word).starts_with("include")) continue;
    const std::size_t open = line.find_first_of("\"<");
    if (open == std::string_view::npos) continue;
    const char closing = line[open] == '<' ? '>' : '"';
    const std::size_t close = line.find(closing, open + 1);
    if (close == std::string_view::npos) continue;
    const bool system = closing == '>';
    includes.push_back({number, std::string(system ? line.substr(open, close - open + 1)
                                                   : line.substr(open + 1, close - open - 1))});
  }
  return includes;
}

}  // namespace holdfast::tidy
