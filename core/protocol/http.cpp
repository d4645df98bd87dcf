#include "core/protocol/http.hpp"

#include <optional>

namespace holdfast::protocol {
namespace {

/// What is not decoded as its value would be: in a path '+' is itself, and an escaped '/' divides
/// nothing (http-api.md §2.2).
enum class Part : std::uint8_t { path, query };

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A '%' that no two hexadecimal digits follow stays as it is: whoever validates the value refuses
/// it.
std::string decode(std::string_view text, Part part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    const char byte =
        escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (text[i] == '+' && part == Part::query) {
      out += ' ';
    } else if (!escape || (byte == '/' && part == Part::path)) {
      out += text[i];
    } else {
      out += byte;
      i += 2;
    }
  }
  return out;
}

const std::string* find_header(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace

const std::string* Request::parameter(std::string_view name) const {
  for (auto it = query.rbegin(); it != query.rend(); ++it)
    if (it->first == name) return &it->second;
  return nullptr;
}

const std::string* Request::header(std::string_view name) const {
  return find_header(headers, name);
}

const std::string* Response::header(std::string_view name) const {
  return find_header(headers, name);
}

void parse_target(std::string_view target, Request& into) {
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  into.path = decode(target.substr(0, question), Part::path);
  into.query.clear();
  if (question == std::string_view::npos) return;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    into.query.emplace_back(decode(pair.substr(0, equals), Part::query),
                            equals == std::string_view::npos
                                ? std::string{}
                                : decode(pair.substr(equals + 1), Part::query));
  }
}

}  // namespace holdfast::protocol
