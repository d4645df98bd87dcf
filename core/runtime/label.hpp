// What a step is called in traces: a text and its hash. The label of a message is made at compile
// time from the handler's member pointer and is the same text under GCC and Clang, so that the same
// seed gives the same trace hash with either.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/hash.hpp"

namespace holdfast::runtime {

/// Refers to its text, which must outlive it: labels are string literals or compile-time constants.
struct Label {
  std::string_view text;
  std::uint64_t hash = 0;

  static constexpr Label of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 0x100000001b3ULL;
    }
    return {text, mix64(hash)};
  }
};

namespace label_detail {

constexpr bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The last name of `text` at template depth 0, and what precedes its "::".
struct Split {
  std::string_view before;
  std::string_view name;
};

constexpr Split last_name(std::string_view text) {
  while (!text.empty() && !is_name(text.back()) && text.back() != '>') text.remove_suffix(1);
  int depth = 0;
  if (!text.empty() && text.back() == '>') {  // template arguments are spelled differently
    do {
      if (text.back() == '>') ++depth;
      if (text.back() == '<') --depth;
      text.remove_suffix(1);
    } while (depth > 0 && !text.empty());
  }
  std::size_t start = text.size();
  while (start > 0 && is_name(text[start - 1])) --start;
  const std::string_view name = text.substr(start);
  std::string_view before = text.substr(0, start);
  if (before.ends_with("::")) before.remove_suffix(2);
  return {before, name};
}

/// "…[with auto Method = &ns::ShapeCache::create; …]" or "…[Method = &ns::ShapeCache::create]".
constexpr std::string_view method_text(std::string_view pretty) {
  constexpr std::string_view marker = "Method = ";
  pretty.remove_prefix(pretty.find(marker) + marker.size());
  int depth = 0;
  std::size_t end = 0;
  for (; end < pretty.size(); ++end) {
    const char c = pretty[end];
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (c == '>' || c == ')' || c == '}') --depth;
    if (depth == 0 && (c == ';' || c == ']')) break;
  }
  return pretty.substr(0, end);
}

struct Buffer {
  char text[128] = {};
  std::size_t size = 0;
  constexpr void append(std::string_view part) {
    for (const char c : part)
      if (size < sizeof text) text[size++] = c;
  }
};

template <auto Method>
constexpr Buffer class_and_method() {
  const Split method = last_name(method_text(__PRETTY_FUNCTION__));
  const Split owner = last_name(method.before);
  Buffer buffer;
  buffer.append(owner.name);
  buffer.append("::");
  buffer.append(method.name);
  return buffer;
}

template <auto Method>
inline constexpr Buffer k_buffer = class_and_method<Method>();

}  // namespace label_detail

/// "ShapeCache::create_or_wait": class without namespace and template arguments, and method.
template <auto Method>
inline constexpr Label k_label_of = Label::of(
    std::string_view(label_detail::k_buffer<Method>.text, label_detail::k_buffer<Method>.size));

}  // namespace holdfast::runtime
