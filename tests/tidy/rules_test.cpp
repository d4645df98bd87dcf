// Each rule on a small sample that breaks it and one that does not: a rule that cannot fail
// protects nothing.
#include "tests/tidy/rules.hpp"

#include <gtest/gtest.h>

namespace holdfast::tidy {
namespace {

/// Findings as "path:line sentence", one a line.
std::string text_of(const Findings& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.path + ":" + std::to_string(finding.line) + " " + finding.sentence + "\n";
  }
  return text;
}

TEST(CodeOnly, BlanksCommentsAndLiteralsAndKeepsLines) {
  EXPECT_EQ(without_comments("a /* b\n c */ d // e\nf \"// g\""),
            "a     \n      d     \nf \"// g\"");
  EXPECT_EQ(code_only("x = \"a\\\"b\" + 'c';"), "x = \"    \" + ' ';");
  EXPECT_EQ(code_only("1'000'000 // '"), "1'000'000     ");
  EXPECT_EQ(code_only("R\"x(thread )\" \n)x\" + y"), "              \n    + y");
}

TEST(Includes, AreFoundOutsideComments) {
  const SourceFile file{"core/base/a.cpp",
                        "// #include <no>\n#include <vector>\n  # include \"core/base/a.hpp\"\n"};
  const auto includes = includes_of(file);
  ASSERT_EQ(includes.size(), 2U);
  EXPECT_EQ(includes[0].target, "<vector>");
  EXPECT_EQ(includes[1].target, "core/base/a.hpp");
  EXPECT_EQ(includes[1].line, 3U);
}

std::string arrow_finding(const std::string& path, const std::string& target) {
  return text_of(check_include_arrows({{path, "#include \"" + target + "\"\n"}}));
}

TEST(IncludeArrows, RefuseEveryArrowThatTheDesignDoesNotHave) {
  const std::pair<std::string, std::string> wrong[] = {
      {"core/stack/a.hpp", "sim/world.hpp"},
      {"core/base/a.hpp", "core/runtime/process.hpp"},
      {"core/api/a.cpp", "core/production/server.hpp"},
      {"core/production/a.cpp", "tools/main.hpp"},
      {"core/where/a.cpp", "oracle/truth.hpp"},
      {"oracle/checks/a.cpp", "core/shape/definition.hpp"},
      {"oracle/a.hpp", "sim/world.hpp"},
      {"sim/a.cpp", "core/storage/store.hpp"},
      {"sim/a.cpp", "core/postgres/decoder.hpp"},
      {"sim/a.cpp", "scenarios/plans/plan.hpp"},
      {"scenarios/a.cpp", "tests/support/a.hpp"},
      {"scenarios/a.cpp", "core/production/server.hpp"},
      {"tools/a.cpp", "tests/support/a.hpp"},
      {"core/stack/a.cpp", "definition.hpp"},
  };
  for (const auto& [path, target] : wrong) {
    EXPECT_EQ(arrow_finding(path, target), path + ":1 may not include " + target + "\n");
  }
  EXPECT_EQ(arrow_finding("extra/a.cpp", "core/base/a.hpp"),
            "extra/a.cpp:0 lies in a folder that has no arrows in design.md §3\n");
}

TEST(IncludeArrows, AllowThoseItHas) {
  const std::pair<std::string, std::string> right[] = {
      {"core/stack/a.hpp", "core/storage/store.hpp"},
      {"core/production/http/a.cpp", "core/api/engine.hpp"},
      {"oracle/checks/a.cpp", "core/protocol/offset.hpp"},
      {"oracle/checks/a.cpp", "oracle/truth.hpp"},
      {"sim/postgres/a.cpp", "core/postgres/lsn.hpp"},
      {"sim/mutants/a.cpp", "core/storage/store.hpp"},
      {"scenarios/a.cpp", "core/api/engine.hpp"},
      {"tests/api/a.cpp", "core/production/server.hpp"},
      {"tools/a.cpp", "scenarios/plans/plan.hpp"},
  };
  for (const auto& [path, target] : right) EXPECT_EQ(arrow_finding(path, target), "");
}

TEST(BannedNames, AreFoundInTheEngineAndInTheSimulator) {
  const std::string wrong[] = {
      "std::mutex m;",
      "std::thread worker(f);",
      "std::lock_guard guard(m);",
      "auto t = std::chrono::steady_clock::now();",
      "clock_gettime(CLOCK_MONOTONIC, &t);",
      "std::random_device device;",
      "std::mt19937_64 engine(1);",
      "const char* home = getenv(\"HOME\");",
      "std::ifstream in(path);",
      "std::hash<const Process*> h;",
      "std::locale::global(l);",
      "#include <thread>",
      "#include <random>",
      "#include <sys/socket.h>",
  };
  for (const std::string& line : wrong) {
    EXPECT_EQ(check_banned_names({{"core/stack/a.cpp", "\n" + line + "\n"}}).size(), 1U) << line;
    EXPECT_EQ(check_banned_names({{"sim/a.cpp", line}}).size(), 1U) << line;
    EXPECT_TRUE(check_banned_names({{"core/production/a.cpp", line}}).empty()) << line;
    EXPECT_TRUE(check_banned_names({{"tools/a.cpp", line}}).empty()) << line;
    EXPECT_TRUE(check_banned_names({{"tests/api/a.cpp", line}}).empty()) << line;
  }
}

TEST(BannedNames, LeaveWordsAndCommentsAlone) {
  for (const char* line :
       {"// a std::mutex would do", "log(\"getenv(\");", "#include <atomic>", "int thread_count;",
        "std::hash<std::string> h;", "std::chrono::seconds s;", "run_thread(x);"}) {
    EXPECT_EQ(text_of(check_banned_names({{"core/stack/a.cpp", line}})), "") << line;
  }
}

TEST(HeaderForm, WantsACommentAndPragmaOnce) {
  EXPECT_EQ(text_of(check_header_form(
                {{"core/a.hpp", "// What.\n#pragma once\nint x;\n"}, {"core/b.cpp", "int x;\n"}})),
            "");
  EXPECT_EQ(text_of(check_header_form({{"core/a.hpp", "#pragma once\n// What.\n"}})),
            "core/a.hpp:1 does not begin with a comment that says what it is\n");
  EXPECT_EQ(text_of(check_header_form({{"core/a.hpp", "// What.\n\nint x;\n#pragma once\n"}})),
            "core/a.hpp:3 has code before #pragma once\n");
  EXPECT_EQ(text_of(check_header_form({{"core/a.hpp", "// What.\n"}})),
            "core/a.hpp:0 has code before #pragma once\n");
}

TEST(OwnHeaderFirst, IsAskedOfSourcesThatHaveOne) {
  const SourceFile header{"core/a.hpp", ""};
  EXPECT_EQ(text_of(check_own_header_first(
                {{"core/a.cpp", "#include <vector>\n#include \"core/a.hpp\"\n"}, header})),
            "core/a.cpp:1 does not include core/a.hpp first\n");
  EXPECT_EQ(text_of(check_own_header_first({{"core/a.cpp", "#include \"core/a.hpp\"\n"}, header})),
            "");
  EXPECT_EQ(text_of(check_own_header_first({{"core/b.cpp", "#include <vector>\n"}, header})), "");
}

TEST(UniqueNames, AreUniqueWithinATopFolder) {
  EXPECT_EQ(
      text_of(check_unique_names({{"core/a.cpp", ""}, {"core/a.hpp", ""}, {"sim/b.hpp", ""}}, {})),
      "");
  const Files twice = {{"core/b/a.hpp", ""}, {"core/c/a.cpp", ""}};
  const Files sides = {{"core/b/a.hpp", ""}, {"core/production/a.hpp", ""}, {"sim/a.hpp", ""}};
  EXPECT_EQ(text_of(check_unique_names(sides, {})), "");
  const SharedName listed[] = {{"a", "two sides of one idea"}};
  const SharedName unexplained[] = {{"a", ""}};
  const std::string finding = "core/c/a.cpp:0 has the same name as core/b/a.hpp\n";
  EXPECT_EQ(text_of(check_unique_names(twice, {})), finding);
  EXPECT_EQ(text_of(check_unique_names(twice, unexplained)), finding);
  EXPECT_EQ(text_of(check_unique_names(twice, listed)), "");
  EXPECT_EQ(text_of(check_unique_names({{"core/b/a.hpp", ""}}, listed)),
            "a:0 needs no entry in the list of shared names\n");
}

TEST(LineLengths, CountCharactersNotBytes) {
  EXPECT_EQ(text_of(check_line_lengths({{"a.cpp", std::string(100, 'x') + "\n"}})), "");
  EXPECT_EQ(text_of(check_line_lengths({{"a.cpp", "\n" + std::string(101, 'x')}})),
            "a.cpp:2 has 101 columns\n");
  const std::string text = "\"" + std::string(138, 'x') + "\"";
  EXPECT_EQ(text_of(check_line_lengths({{"tests/a.cpp", text}})), "");
  EXPECT_EQ(text_of(check_line_lengths({{"core/a.cpp", text}})), "core/a.cpp:1 has 140 columns\n");
  EXPECT_EQ(text_of(check_line_lengths({{"tests/a.cpp", text + "x"}})),
            "tests/a.cpp:1 has 141 columns\n");
  std::string accents;
  for (int i = 0; i < 100; ++i) accents += "é";
  EXPECT_EQ(text_of(check_line_lengths({{"a.cpp", accents}})), "");
}

std::string code(std::size_t lines) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += "x;\n\n// why\n";
  return text;
}

TEST(FileLengths, CountCodeOnlyAndKnowExceptions) {
  const LongFile listed[] = {{"core/a.cpp", "a table"}};
  const LongFile unexplained[] = {{"core/a.cpp", ""}};
  const Files longer = {{"core/a.cpp", code(401)}};
  EXPECT_EQ(text_of(check_file_lengths({{"core/a.cpp", code(400)}}, {})), "");
  EXPECT_EQ(text_of(check_file_lengths(longer, {})), "core/a.cpp:0 has 401 lines of code\n");
  EXPECT_EQ(text_of(check_file_lengths(longer, listed)), "");
  EXPECT_EQ(text_of(check_file_lengths(longer, unexplained)),
            "core/a.cpp:0 has 401 lines of code\n");
  EXPECT_EQ(text_of(check_file_lengths({{"core/a.cpp", code(9)}}, listed)),
            "core/a.cpp:0 needs no entry in the list of long files\n");
}

TEST(Leftovers, AreFoundInCommentsToo) {
  EXPECT_EQ(text_of(check_no_leftovers({{"core/a.cpp", "x;\n// TODO later\n"}})),
            "core/a.cpp:2 leaves something to be done\n");
  EXPECT_EQ(text_of(check_no_leftovers({{"core/a.cpp", "int TODO_count; // XXXL\n"}})), "");
}

TEST(GuardTests, AreMissedWhereOnlyHistoriesNameAGuard) {
  const SourceFile list{"core/base/guard_list.hpp",
                        "enum class Guard : std::uint8_t {\n  held,\n  held_back,  // F-1\n};\n"};
  const SourceFile canaries{"tests/scenarios/histories_test.cpp",
                            "{Guard::held, {1}}, {Guard::held_back, {2}}"};
  EXPECT_EQ(text_of(check_guards_have_tests(
                {list, canaries, {"tests/stack/a_test.cpp", "without(Guard::held_back)"}})),
            "core/base/guard_list.hpp:2 no test at its own level names held\n");
  EXPECT_EQ(text_of(check_guards_have_tests(
                {list, canaries, {"tests/stack/a_test.cpp", "Guard::held_back; Guard::held)"}})),
            "");
}

TEST(TopLevel, IsFixed) {
  EXPECT_EQ(text_of(check_top_level({".git", "build", "core", "README.md"})), "");
  EXPECT_EQ(text_of(check_top_level({"core", "notes.txt"})),
            "notes.txt:0 does not belong at the top\n");
}

}  // namespace
}  // namespace holdfast::tidy
