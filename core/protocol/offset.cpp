#include "core/protocol/offset.hpp"

namespace holdfast::protocol {
namespace {

/// Decimal digits with an optional '+', as upstream's integer parser takes them; saturates.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  bool saturated = false;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (LogOffset::k_infinite - digit) / 10) saturated = true;
    value = value * 10 + digit;
  }
  return saturated ? LogOffset::k_infinite : value;
}

}  // namespace

std::string LogOffset::to_string() const {
  if (!started) return "-1";
  return std::to_string(tx) + '_' + (op == k_infinite ? "inf" : std::to_string(op));
}

std::optional<LogOffset> LogOffset::parse(std::string_view text) {
  if (text == "-1") return before_all();
  const std::size_t split = text.find('_');
  if (split == std::string_view::npos) return std::nullopt;
  const std::string_view left = text.substr(0, split);
  const std::string_view right = text.substr(split + 1);
  if (left.starts_with('-')) {
    // "-1_0" is the only pair with a negative part that upstream knows (http-api.md §6.1).
    const auto magnitude =
        left.substr(1).starts_with('+') ? std::nullopt : parse_number(left.substr(1));
    if (magnitude == 1U && parse_number(right) == 0U) return before_all();
    if (magnitude != 0U) return std::nullopt;
  }
  const auto tx_part = parse_number(left.starts_with('-') ? left.substr(1) : left);
  if (!tx_part) return std::nullopt;
  if (right == "inf") return at(*tx_part, k_infinite);
  const auto op_part = parse_number(right);
  if (!op_part) return std::nullopt;
  return at(*tx_part, *op_part);
}

}  // namespace holdfast::protocol
