// The oracle's own JSON reader against a library that everybody uses: on legal texts, and on texts
// broken at random, both must say the same. A reader that lets something through would let the
// engine serve it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/hash.hpp"
#include "oracle/client/json_reader.hpp"

namespace holdfast::oracle {
namespace {

constexpr const char* k_samples[] = {
    R"([{"key":"\"public\".\"t0\"/\"3\"","value":{"id":"3","name":null,"flag":"true"},)"
    R"("headers":{"operation":"insert","relation":["public","t0"]}}])",
    R"([{"headers":{"operation":"update","txids":[776],"lsn":"22035504","op_position":2,)"
    R"("last":true}},{"headers":{"control":"up-to-date"}}])",
    R"( { "a" : [ 1 , -0 , 2.50 , -13 , 1e5 , -0.5E+3 , 0 ] , "b" : { } , "c" : [ ] } )",
    R"(["\u00e9\ud83d\ude00\u0041","\b\f\n\r\t\/\\\"","",true,false,null,[[[0]]]])",
    "[\"\xc3\xa9\",\"\xe2\x82\xac\",\"\xf0\x9f\x98\x80\",\"\xed\x9f\xbf\",\"\xf4\x8f\xbf\xbf\"]",
    "[\"\\uD7FF\\uE000\\udbff\\udfff\",\"\\u0000\",\"\x7f\"]",
    "\t[\r\n]\n",
};

/// Bytes that mean something to JSON or to UTF-8. Without NUL, which the library takes for the end.
constexpr std::string_view k_bytes =
    "\"\\{}[]:,.+-019tfnua \t\n\x01\x1f\x7f\x80\x9f\xa0\xbf\xc0\xc2\xe0\xed\xf0\xf4\xf5\xff";

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) { return mix64(++state_ * 0x9e3779b97f4a7c15ULL) % bound; }

 private:
  std::uint64_t state_;
};

std::string broken(std::string text, Draw& draw) {
  for (std::size_t edits = 1 + draw.below(3); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = draw.below(text.size());
    const std::size_t length = std::min(1 + draw.below(4), text.size() - at);
    const char byte = k_bytes[draw.below(k_bytes.size())];
    switch (draw.below(5)) {
      case 0:
        text[at] = byte;
        break;
      case 1:
        text.insert(at, 1, byte);
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

bool accepts(const std::string& text) {
  try {
    JsonReader reader(text);
    reader.skip();
    reader.expect_end();
    return true;
  } catch (const Malformed&) {
    return false;
  }
}

/// The texts of an array, others left out.
std::vector<std::string> texts_of(const std::string& text) {
  std::vector<std::string> texts;
  JsonReader reader(text);
  reader.open_array();
  for (bool first = true; reader.next_item(first);) {
    if (reader.peek() == '"')
      texts.emplace_back(reader.read_text());
    else
      reader.skip();
  }
  return texts;
}

TEST(JsonAgreement, HoldsForLegalAndForBrokenTexts) {
  Draw draw(7);
  std::size_t legal = 0;
  std::size_t illegal = 0;
  for (unsigned round = 0; round < 6'000; ++round) {
    for (const char* sample : k_samples) {
      const std::string text = round == 0 ? sample : broken(sample, draw);
      const bool expected = nlohmann::json::accept(text);
      ASSERT_EQ(accepts(text), expected) << text;
      (expected ? legal : illegal)++;
      if (!expected || text.find_first_not_of(" \t\r\n") != text.find('[')) continue;
      std::vector<std::string> texts;
      for (const nlohmann::json& item : nlohmann::json::parse(text))
        if (item.is_string()) texts.push_back(item.get<std::string>());
      ASSERT_EQ(texts_of(text), texts) << text;
    }
  }
  EXPECT_GT(legal, 3'000U);
  EXPECT_GT(illegal, 3'000U);
}

TEST(JsonReader, NumbersAreWholeAndFitInto64Bits) {
  EXPECT_EQ(JsonReader("18446744073709551615").read_unsigned(), 18446744073709551615U);
  EXPECT_EQ(JsonReader(" 0,").read_unsigned(), 0U);
  for (const char* text : {"18446744073709551616", "-1", "1.0", "1e3", "01", "", "true", "\"1\""})
    EXPECT_THROW(JsonReader(text).read_unsigned(), Malformed) << text;
}

TEST(JsonReader, EndlessNestingIsRefusedBeforeTheStackEnds) {
  const std::string deep(100'000, '[');
  EXPECT_FALSE(accepts(deep));
  const std::string fine = std::string(40, '[') + std::string(40, ']');
  EXPECT_TRUE(accepts(fine));
}

}  // namespace
}  // namespace holdfast::oracle
