#include "core/api/caching.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace holdfast::api {
namespace {

constexpr std::int64_t k_cursor_epoch_s = 1'728'432'000;  // 2024-10-09T00:00:00Z
constexpr std::uint64_t k_max_cursor_jump = 3600;
constexpr std::size_t k_max_cursor_digits = 18;

std::int64_t whole_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string_view trim(std::string_view text, std::string_view what) {
  const std::size_t first = text.find_first_not_of(what);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

std::string cache_control(CacheClass cache_class, const ApiOptions& options) {
  switch (cache_class) {
    case CacheClass::initial:
      return "public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746";
    case CacheClass::live:
      return "public, max-age=5, stale-while-revalidate=5";
    case CacheClass::log:
      break;
  }
  return "public, max-age=" + std::to_string(whole_seconds(options.cache_max_age)) +
         ", stale-while-revalidate=" + std::to_string(whole_seconds(options.cache_stale_age));
}

std::string tag_stem(const protocol::ShapeHandle& handle, std::string_view requested,
                     const protocol::LogOffset& end) {
  return '"' + handle.text + ':' + std::string(requested) + ':' + end.to_string();
}

}  // namespace

void add_cache_headers(protocol::Headers& headers, Method method, CacheClass cache_class,
                       const ApiOptions& options) {
  headers.emplace_back("cache-control",
                       method == Method::get ? cache_control(cache_class, options) : "no-cache");
}

void add_no_store_headers(protocol::Headers& headers, Method method) {
  if (method != Method::get) {
    headers.emplace_back("cache-control", "no-cache");
    return;
  }
  headers.emplace_back("cache-control", "no-store");
  headers.emplace_back("surrogate-control", "no-store");
}

void add_default_cache_headers(protocol::Headers& headers) {
  headers.emplace_back("cache-control", "max-age=0, private, must-revalidate");
}

std::string entity_tag(const protocol::ShapeHandle& handle, std::string_view requested,
                       const protocol::LogOffset& end) {
  return tag_stem(handle, requested, end) + '"';
}

std::string unique_entity_tag(const protocol::ShapeHandle& handle, std::string_view requested,
                              const protocol::LogOffset& end, std::uint64_t unique) {
  return tag_stem(handle, requested, end) + ':' + std::to_string(unique) + '"';
}

std::vector<std::string> read_if_none_match(const protocol::Headers& headers) {
  std::vector<std::string> tags;
  for (const auto& [name, value] : headers) {
    if (name != "if-none-match") continue;
    std::string_view rest = value;
    while (true) {
      const std::size_t comma = rest.find(',');
      std::string_view tag = trim(rest.substr(0, comma), " \t");
      if (tag.starts_with("W/")) tag.remove_prefix(2);
      tag = trim(tag, "\"");
      if (!tag.empty()) tags.emplace_back(tag);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return tags;
}

std::uint64_t read_cursor(std::string_view text) {
  if (text.empty() || text.size() > k_max_cursor_digits) return 0;
  std::uint64_t cursor = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    cursor = cursor * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return cursor;
}

std::uint64_t next_cursor(WallTime now, Duration long_poll_timeout, std::uint64_t previous,
                          std::uint64_t random) {
  const std::int64_t interval = whole_seconds(long_poll_timeout);
  if (interval <= 0) return 0;
  const std::int64_t elapsed =
      std::max<std::int64_t>(0, now.unix_us / 1'000'000 - k_cursor_epoch_s);
  const std::int64_t rounds = (elapsed + interval - 1) / interval;
  const auto next = static_cast<std::uint64_t>(rounds * interval);
  return next > previous ? next : previous + 1 + random % k_max_cursor_jump;
}

}  // namespace holdfast::api
