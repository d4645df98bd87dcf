#include "core/api/responses.hpp"

#include <algorithm>

#include "core/api/caching.hpp"
#include "core/base/assert.hpp"

namespace holdfast::api {
namespace {

using protocol::LogOffset;
using protocol::Response;

/// Whether an answer carries the range it was asked for, or only says that there is nothing new.
enum class Content : std::uint8_t { range, nothing_new };

std::string requested_text(const ShapeParameters& parameters) {
  return parameters.is_now() ? "now" : parameters.offset->to_string();
}

CacheClass cache_class(const ShapeParameters& parameters) {
  if (parameters.is_initial()) return CacheClass::initial;
  return parameters.live == Live::long_poll ? CacheClass::live : CacheClass::log;
}

struct Head {
  int status = 200;
  Content content = Content::range;
  LogOffset end;
  bool up_to_date = false;
};

/// All headers of §8 for an answer below 400.
Response with_headers(const ShapeParameters& parameters, const ShapeView& shape, const Head& head,
                      const ApiOptions& options, const ReplyDraws& draws) {
  const bool live = parameters.live == Live::long_poll;
  const bool empty = head.content == Content::nothing_new;
  const std::string requested = requested_text(parameters);
  Response response{.status = head.status, .headers = {}, .body = {}};
  auto& headers = response.headers;
  headers.reserve(16);  // with what front_door.hpp adds
  headers.emplace_back("content-type", "application/json; charset=utf-8");
  add_cache_headers(headers, parameters.method, cache_class(parameters), options);
  headers.emplace_back("electric-handle", shape.handle.text);
  headers.emplace_back("electric-offset", head.end.to_string());
  if (head.status == 200 && !live) headers.emplace_back("electric-schema", shape.schema_header);
  if (head.up_to_date) headers.emplace_back("electric-up-to-date", "");
  headers.emplace_back("electric-has-data", empty ? "false" : "true");
  if (live) {
    const std::uint64_t cursor =
        next_cursor(draws.now, options.long_poll_timeout, parameters.previous_cursor, draws.random);
    headers.emplace_back("electric-cursor", std::to_string(cursor));
  }
  headers.emplace_back("etag",
                       empty ? unique_entity_tag(shape.handle, requested, head.end, draws.unique)
                             : entity_tag(shape.handle, requested, head.end));
  return response;
}

postgres::Lsn shape_lsn(const LogOffset& offset) {
  return postgres::Lsn{offset.tx};
}

/// global_last_seen_lsn of an answer with a range (table of §13.5).
postgres::Lsn range_lsn(const ShapeParameters& parameters, const ShapeView& shape,
                        const LogOffset& end) {
  if (parameters.live == Live::long_poll) return shape_lsn(end);
  if (!shape.global_lsn) return shape_lsn(shape.head);
  return std::max(*shape.global_lsn, shape_lsn(end));
}

std::string only_up_to_date(const ShapeView& shape) {
  // The head was read after the position, and may be beyond it.
  const postgres::Lsn own = shape_lsn(shape.head);
  return '[' + up_to_date_message(std::max(shape.global_lsn.value_or(own), own)) + ']';
}

}  // namespace

bool is_up_to_date(const ShapeParameters& parameters, const LogOffset& head, const LogOffset& end) {
  if (parameters.is_now()) return true;
  return !parameters.is_initial() && end >= std::max(head, *parameters.offset);
}

std::string up_to_date_message(postgres::Lsn lsn) {
  return R"({"headers":{"control":"up-to-date","global_last_seen_lsn":")" +
         std::to_string(lsn.value) + "\"}}";
}

Response range_response(const ShapeParameters& parameters, const ShapeView& shape,
                        const Range& range, const ApiOptions& options, const ReplyDraws& draws) {
  ASSERT(!parameters.is_now(), "`now` has an answer of its own");
  ASSERT(range.end >= *parameters.offset, "a range never ends before the offset it starts after");
  const Head head{.end = range.end, .up_to_date = is_up_to_date(parameters, shape.head, range.end)};
  Response response = with_headers(parameters, shape, head, options, draws);
  const std::string message =
      head.up_to_date ? up_to_date_message(range_lsn(parameters, shape, range.end)) : std::string();
  std::string& body = response.body;
  body.reserve(range.items.size() + message.size() + 3);
  body += '[';
  body += range.items;
  if (!range.items.empty() && !message.empty()) body += ',';
  body += message;
  body += ']';
  return response;
}

std::optional<Response> not_modified(const ShapeParameters& parameters, const ShapeView& shape,
                                     const LogOffset& end, const ApiOptions& options,
                                     const ReplyDraws& draws) {
  if (parameters.is_now() || parameters.if_none_match.empty()) return std::nullopt;
  const std::string quoted = entity_tag(shape.handle, requested_text(parameters), end);
  const std::string_view tag = std::string_view(quoted).substr(1, quoted.size() - 2);
  const auto& held = parameters.if_none_match;
  if (std::find(held.begin(), held.end(), tag) == held.end()) return std::nullopt;
  const Head head{
      .status = 304, .end = end, .up_to_date = is_up_to_date(parameters, shape.head, end)};
  return with_headers(parameters, shape, head, options, draws);
}

Response empty_live_response(const ShapeParameters& parameters, const ShapeView& shape,
                             const ApiOptions& options, const ReplyDraws& draws) {
  ASSERT(parameters.live == Live::long_poll, "only a held request can time out empty");
  ASSERT(*parameters.offset <= shape.head, "an offset beyond the head is out of bounds, not empty");
  const Head head{.content = Content::nothing_new, .end = shape.head, .up_to_date = true};
  Response response = with_headers(parameters, shape, head, options, draws);
  response.body = only_up_to_date(shape);
  return response;
}

Response now_response(const ShapeParameters& parameters, const ShapeView& shape,
                      const ApiOptions& options, const ReplyDraws& draws) {
  ASSERT(parameters.is_now(), "other offsets have ranges");
  const Head head{.content = Content::nothing_new, .end = shape.head, .up_to_date = true};
  Response response = with_headers(parameters, shape, head, options, draws);
  response.body = only_up_to_date(shape);
  return response;
}

Response deletion_accepted() {
  return {.status = 202,
          .headers = {{"content-type", "application/json; charset=utf-8"},
                      {"cache-control", "no-cache"},
                      {"electric-has-data", "true"}},
          .body = {}};
}

}  // namespace holdfast::api
