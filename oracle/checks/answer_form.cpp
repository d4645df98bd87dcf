#include "oracle/checks/answer_form.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::oracle {
namespace {

std::string shown(const std::string* value) {
  return value == nullptr ? "nothing" : "'" + *value + "'";
}

/// nullopt: not a plain number.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || rest != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// Looks for the name before the quote in front of it: quotes are everywhere.
bool describes(std::string_view schema, const std::string& column) {
  const std::string key = column + R"(":{"type":)";
  for (std::size_t at = schema.find(key); at != std::string_view::npos;
       at = schema.find(key, at + 1))
    if (at > 0 && schema[at - 1] == '"') return true;
  return false;
}

/// The headers of one answer, and whom to tell what is wrong with them.
class Form {
 public:
  Form(const ShapeSpec& spec, const Asked& asked, const protocol::Response& response,
       const Object& object)
      : spec_(spec), asked_(asked), response_(response), object_(object) {}

  void check() const {
    expect("content-type", "application/json; charset=utf-8");
    if (response_.status == 200 || response_.status == 304) return check_success();
    if (response_.status == 409) return check_conflict();
    if (response_.status == 503) check_unavailable();
  }

 private:
  void expect(const char* name, const std::string& value) const {
    const std::string* header = response_.header(name);
    if (header == nullptr || *header != value) wrong(name, "'" + value + "'");
  }
  void wrong(const char* name, const std::string& wanted) const {
    object_(property::answer_form, "a " + std::to_string(response_.status) + " to offset " +
                                       asked_.offset + (asked_.live ? ", live" : "") + " has " +
                                       shown(response_.header(name)) + " as " + name + ", not " +
                                       wanted);
  }

  bool cacheable() const { return asked_.method == "GET" || asked_.method == "HEAD"; }

  /// http-api.md §9.1
  std::string cache_control() const {
    if (!cacheable()) return "no-cache";
    if (asked_.offset == "-1")
      return "public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746";
    if (asked_.live) return "public, max-age=5, stale-while-revalidate=5";
    return "public, max-age=60, stale-while-revalidate=300";
  }

  void check_success() const {
    expect("cache-control", cache_control());
    const std::string* up_to_date = response_.header("electric-up-to-date");
    if (up_to_date != nullptr && !up_to_date->empty())
      wrong("electric-up-to-date", "an empty value");
    // Live and nothing but the marker, as a held request ends at its time, has no data; nor has an
    // answer to offset=now.
    const std::string* has_data = response_.header("electric-has-data");
    const bool only_marker = response_.body.starts_with(R"([{"headers":{"control":"up-to-date")");
    const bool empty = asked_.offset == "now" || (asked_.live && only_marker);
    const std::string wanted = empty ? "false" : "true";
    expect("electric-has-data", wanted);
    check_tag(has_data != nullptr && *has_data == "false");
    check_schema();
    check_cursor();
  }

  /// "<handle>:<requested offset>:<response offset>", and something unique in an empty answer
  void check_tag(bool empty) const {
    const std::string* handle = response_.header("electric-handle");
    const std::string* offset = response_.header("electric-offset");
    if (handle == nullptr || offset == nullptr) return;  // objected to elsewhere
    const std::string stem = '"' + *handle + ':' + asked_.offset + ':' + *offset;
    if (!empty) return expect("etag", stem + '"');
    const std::string* tag = response_.header("etag");
    if (tag == nullptr || !tag->starts_with(stem + ':')) wrong("etag", stem + ":…");
  }

  void check_schema() const {
    const std::string* schema = response_.header("electric-schema");
    if (asked_.live || response_.status == 304) {
      if (schema != nullptr) wrong("electric-schema", "nothing");
      return;
    }
    if (schema == nullptr || !schema->starts_with('{')) return wrong("electric-schema", "a schema");
    for (const std::string& column : spec_.all_columns) {
      const bool plain = std::all_of(column.begin(), column.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
      const bool there = describes(*schema, column);
      if (plain && there != spec_.selects(column))
        wrong("electric-schema", (there ? "one without " : "one with ") + column);
    }
  }

  /// Live answers name the next round: always a later one than the client was in.
  void check_cursor() const {
    const std::string* cursor = response_.header("electric-cursor");
    if (!asked_.live) {
      if (cursor != nullptr) wrong("electric-cursor", "nothing");
      return;
    }
    const auto next = cursor == nullptr ? std::nullopt : number(*cursor);
    if (!next || *next <= number(asked_.cursor).value_or(0))
      wrong("electric-cursor", "a number above '" + asked_.cursor + "'");
  }

  void check_conflict() const {
    const std::string* handle = response_.header("electric-handle");
    expect("cache-control", !cacheable()        ? "no-cache"
                            : handle != nullptr ? "public, max-age=60, must-revalidate"
                                                : "public, max-age=1, must-revalidate");
    if (handle != nullptr) expect("etag", '"' + *handle + "::\"");
    for (const char* absent : {"electric-offset", "electric-schema", "electric-cursor",
                               "electric-has-data", "electric-up-to-date", "location"})
      if (response_.header(absent) != nullptr) wrong(absent, "nothing");
    if (asked_.method != "HEAD" && response_.body != R"([{"headers":{"control":"must-refetch"}}])")
      object_(property::answer_form, "the body of a 409 is " + response_.body);
  }

  void check_unavailable() const {
    expect("cache-control", cacheable() ? "no-store" : "no-cache");
    const bool not_admitted =
        response_.body.starts_with(R"({"code":"concurrent_request_limit_exceeded")");
    if (cacheable() || not_admitted) expect("surrogate-control", "no-store");
    if (response_.body.starts_with(R"({"message":"Snapshot )")) check_snapshot_delay();
    if (!not_admitted) return;
    // §22: clients are spread over six to ten seconds.
    expect("electric-internal-known-error", "true");
    const std::string* after = response_.header("retry-after");
    const auto seconds = after == nullptr ? std::nullopt : number(*after);
    if (!seconds || *seconds < 6 || *seconds > 10) wrong("retry-after", "6 to 10");
  }

  /// §23.3: a known failure, in the words that clients know.
  void check_snapshot_delay() const {
    expect("retry-after", "10");
    expect("electric-internal-known-error", "true");
    constexpr std::string_view k_lock =
        R"({"message":"Snapshot timed out while waiting for a table lock"})";
    constexpr std::string_view k_slow =
        R"({"message":"Snapshot query took too long to return data (cancelled after 30000ms). )"
        R"(Please ensure snapshot queries are using an index to avoid taking up all database )"
        R"(connections."})";
    if (asked_.method != "HEAD" && response_.body != k_lock && response_.body != k_slow)
      object_(property::answer_form, "the body of a 503 is " + response_.body);
  }

  const ShapeSpec& spec_;
  const Asked& asked_;
  const protocol::Response& response_;
  const Object& object_;
};

}  // namespace

void check_answer_form(const ShapeSpec& spec, const Asked& asked,
                       const protocol::Response& response, const Object& object) {
  Form(spec, asked, response, object).check();
}

}  // namespace holdfast::oracle
