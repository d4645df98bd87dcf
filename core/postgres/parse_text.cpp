#include "core/postgres/parse_text.hpp"

#include <charconv>

namespace holdfast::postgres {
namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_number<std::uint32_t>(text.substr(0, slash), 16);
  const auto low = parse_number<std::uint32_t>(text.substr(slash + 1), 16);
  if (!high || !low) return std::nullopt;
  return Lsn{(std::uint64_t{*high} << 32) | *low};
}

std::optional<Snapshot> parse_snapshot(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto xmin = parse_number<std::uint64_t>(text.substr(0, first), 10);
  const auto xmax = parse_number<std::uint64_t>(text.substr(first + 1, second - first - 1), 10);
  if (!xmin || !xmax || *xmin > *xmax) return std::nullopt;
  Snapshot out{{*xmin}, {*xmax}, {}, {}};
  std::string_view rest = text.substr(second + 1);
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const auto id = parse_number<std::uint64_t>(rest.substr(0, comma), 10);
    const std::uint64_t least = out.xip.empty() ? *xmin : out.xip.back().value + 1;
    if (!id || *id < least || *id >= *xmax) return std::nullopt;
    out.xip.push_back({*id});
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
    if (rest.empty()) return std::nullopt;
  }
  return out;
}

}  // namespace holdfast::postgres
