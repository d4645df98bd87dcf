#include "core/protocol/http.hpp"

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
    const auto escaped = percent_decoded(text.substr(i));
    if (text[i] == '+' && part == Part::query) {
      out += ' ';
    } else if (!escaped || (*escaped == '/' && part == Part::path)) {
      out += text[i];
    } else {
      out += *escaped;
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

std::optional<char> percent_decoded(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

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
