// The rules of the tree, held against the tree itself.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/tidy/exceptions.hpp"
#include "tests/tidy/rules.hpp"

namespace holdfast::tidy {
namespace {

const Files& tree() {
  static const Files k_files = load_sources(HOLDFAST_SOURCE_DIR);
  return k_files;
}

void expect_none(const Findings& findings) {
  for (const Finding& finding : findings) {
    ADD_FAILURE() << finding.path << ':' << finding.line << ": " << finding.sentence;
  }
}

TEST(Tree, IsThere) {
  EXPECT_GT(tree().size(), 30U);
}

TEST(Tree, FollowsTheArrowsOfTheDesign) {
  expect_none(check_include_arrows(tree()));
}

TEST(Tree, NamesTheRealWorldOnlyInProductionAndTools) {
  expect_none(check_banned_names(tree()));
}

TEST(Tree, HeadersSayWhatTheyAre) {
  expect_none(check_header_form(tree()));
}

TEST(Tree, SourcesIncludeTheirOwnHeaderFirst) {
  expect_none(check_own_header_first(tree()));
}

TEST(Tree, FilesAreFoundByTheirNames) {
  expect_none(check_unique_names(tree(), k_shared_names));
}

TEST(Tree, LinesFitInto100Columns) {
  expect_none(check_line_lengths(tree()));
}

TEST(Tree, FilesAreShort) {
  expect_none(check_file_lengths(tree(), k_long_files));
}

TEST(Tree, NothingIsLeftToBeDone) {
  expect_none(check_no_leftovers(tree()));
}

TEST(Tree, HasATestOfEachGuardAtItsOwnLevel) {
  expect_none(check_guards_have_tests(tree()));
}

TEST(Tree, TheTopHasOnlyWhatBelongsThere) {
  std::vector<std::string> entries;
  for (const auto& entry : std::filesystem::directory_iterator(HOLDFAST_SOURCE_DIR)) {
    entries.push_back(entry.path().filename().string());
  }
  expect_none(check_top_level(entries));
}

}  // namespace
}  // namespace holdfast::tidy
