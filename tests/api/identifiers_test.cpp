// Table and column names as clients spell them (http-api.md §5.5, §5.6): the exact sentences
// matter, since client tests compare them.
#include "core/api/identifiers.hpp"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

std::string name_or_error(std::string_view text) {
  const auto parsed = parse_relation_name(text);
  return parsed.ok() ? parsed->schema + "|" + parsed->table : parsed.error().message;
}

TEST(Identifiers, RelationNamesFollowTheTableOfSection5_5) {
  const std::string too_long(64, 'a');
  const std::pair<std::string, std::string> rows[] = {
      {"items", "public|items"},
      {"Items", "public|items"},
      {"\"Items\"", "public|Items"},
      {"other.items", "other|items"},
      {"\"a.b\".\"c\"\"d\"", "a.b|c\"d"},
      {"_a$1", "public|_a$1"},
      {"größe", "public|größe"},
      {"ÄX", "public|Äx"},
      {"\"\"", "Invalid zero-length delimited identifier"},
      {"\"", "Invalid zero-length delimited identifier"},
      {"items.", "Invalid zero-length delimited identifier"},
      {".items", "Invalid zero-length delimited identifier"},
      {"foo bar", "Invalid unquoted identifier contains special characters: foo bar"},
      {"1foo", "Invalid unquoted identifier contains special characters: 1foo"},
      {"$foo", "Invalid unquoted identifier contains special characters: $foo"},
      {"\"foo", "Invalid unquoted identifier contains special characters: \"foo"},
      {"foo\"", "Invalid unquoted identifier contains special characters: foo\""},
      {"\"Foo\"Bar\"", "Invalid identifier with unescaped quote: Foo\"Bar"},
      {too_long, "Identifier is too long (max length is 63)"},
      {std::string(63, 'a'), "public|" + std::string(63, 'a')},
      {"a.b.c", "Invalid relation identifier, too many delimiters: a.b.c"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(name_or_error(text), expected) << text;
}

TEST(Identifiers, AListIsSplitOnCommasOutsideQuotes) {
  const auto list = parse_identifier_list("\"id\",Title,\"has,comma\"");
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(*list, (std::vector<std::string>{"id", "title", "has,comma"}));
}

TEST(Identifiers, AListWithABlankOrAHoleSaysWhere) {
  EXPECT_EQ(parse_identifier_list("id, title").error().message,
            "Invalid unquoted identifier contains special characters:  title");
  EXPECT_EQ(parse_identifier_list("id,,title").error().message,
            "Invalid zero-length delimited identifier");
}

}  // namespace
}  // namespace holdfast::api
