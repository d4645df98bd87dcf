// JSON as a person wrote it: values that know their line, so that whoever reads a file by fields
// (fields.hpp) can say where it is wrong. Refuses what a parser commonly lets pass: a key twice,
// nesting without end, bytes after the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace holdfast::scenarios {

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, whole, negative, fraction, text, list, object };
  struct Member;

  Kind kind = Kind::null;
  std::size_t line = 0;     ///< where it begins, from 1; of a list or an object, where it opens
  bool boolean = false;     ///< boolean
  std::uint64_t whole = 0;  ///< whole: zero or more
  std::string text;         ///< text
  std::vector<JsonValue> items;
  std::vector<Member> members;  ///< in the order of the file

  /// nullptr: it has none, or is no object.
  const JsonValue* find(std::string_view name) const;
};

struct JsonValue::Member {
  std::string first;  ///< its name
  JsonValue second;
};

/// "a whole number", as an error says it.
std::string_view name_of(JsonValue::Kind kind);

/// The error reads "LINE: reason", to be put behind the name of a file and a colon.
Result<JsonValue> parse_json(std::string_view text);

}  // namespace holdfast::scenarios
