#include "core/api/error_responses.hpp"

#include "core/api/json_string.hpp"
#include "core/base/assert.hpp"

namespace holdfast::api {
namespace {

using protocol::Response;

constexpr std::string_view k_json = "application/json; charset=utf-8";

/// {"<key>":"<text>"}
std::string one_field(std::string_view key, std::string_view text) {
  std::string body = "{";
  append_json_string(body, key);
  body += ':';
  append_json_string(body, text);
  return body + '}';
}

Response json_response(int status, std::string body) {
  Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.emplace_back("content-type", k_json);
  return response;
}

/// An answer of the shape handler: §9.1 decides about caching.
Response handler_error(Method method, int status, std::string body) {
  Response response = json_response(status, std::move(body));
  add_no_store_headers(response.headers, method);
  return response;
}

/// An answer given before the shape handler chose any caching (§2.3).
Response early_error(int status, std::string body) {
  Response response = json_response(status, std::move(body));
  add_default_cache_headers(response.headers);
  return response;
}

Response retry_later(Method method, std::string body, unsigned seconds) {
  Response response = handler_error(method, 503, std::move(body));
  response.headers.emplace_back("retry-after", std::to_string(seconds));
  return response;
}

std::string_view waiting_for(NotReady condition) {
  switch (condition) {
    case NotReady::lock:
      return "Postgres lock acquisition";
    case NotReady::replication_client:
      return "replication client to be ready. Check that you don't have pending transactions in "
             "the "
             "database. Electric has to wait for all pending transactions to commit or rollback "
             "before it can create the replication slot.";
    case NotReady::metadata_pool:
      return "database connection pool (metadata) to be ready";
    case NotReady::snapshot_pool:
      return "database connection pool (snapshot) to be ready";
    case NotReady::shape_metadata:
      return "shape metadata to be loaded";
    case NotReady::shape_data:
      return "shape data to be loaded";
    case NotReady::integrity_checks:
      return "integrity checks";
    case NotReady::stack_restart:
      return "stack restart";
  }
  ASSERT(false, "every condition has its text");
}

Response timed_out(Method method, NotReady condition, std::string_view cause, unsigned seconds) {
  std::string text = "Timeout waiting for ";
  text += waiting_for(condition);
  if (!cause.empty()) {
    text += ": ";
    text += cause;
  }
  return retry_later(method, one_field("message", text), seconds);
}

/// Header values are one line: whatever a reason holds beyond printable ASCII becomes '_'.
std::string header_word(std::string_view text) {
  std::string word(text);
  for (char& c : word) {
    if (c <= ' ' || c > '~') c = '_';
  }
  return word;
}

}  // namespace

Response invalid_request(Method method, const FieldErrors& errors) {
  std::string body = R"({"message":"Invalid request","errors":{)";
  bool first_field = true;
  for (const auto& [field, messages] : errors) {
    if (!first_field) body += ',';
    first_field = false;
    append_json_string(body, field);
    body += ":[";
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (i > 0) body += ',';
      append_json_string(body, messages[i]);
    }
    body += ']';
  }
  return handler_error(method, 400, body + "}}");
}

Response definition_invalid(Method method, const shape::DefinitionError& error) {
  return invalid_request(method, {{error.field, {error.message}}});
}

Response table_missing(Method method, const postgres::RelationName& table) {
  return invalid_request(
      method, {{"table",
                {"Table \"" + table.schema + "\".\"" + table.table +
                 "\" does not exist. If the table name contains capitals or special characters you "
                 "must quote it."}}});
}

Response out_of_bounds(Method method) {
  return invalid_request(method, {{"offset", {"out of bounds for this shape"}}});
}

Response body_not_json(std::string_view details) {
  std::string body = R"({"error":"Invalid JSON in request body","details":)";
  append_json_string(body, details);
  return early_error(400, body + '}');
}

Response body_not_object() {
  return early_error(400, one_field("error", "Request body must be a JSON object"));
}

Response body_too_large() {
  return early_error(413, one_field("error", "Request body too large"));
}

Response unauthorized() {
  return early_error(401, one_field("message", "Unauthorized - Invalid API secret"));
}

Response route_not_found() {
  Response response{.status = 404, .headers = {}, .body = "Not found"};
  add_default_cache_headers(response.headers);
  return response;
}

Response query_undecodable() {
  return {.status = 400, .headers = {{"connection", "close"}}, .body = {}};
}

Response must_refetch(Method method, const std::optional<protocol::ShapeHandle>& successor,
                      std::string_view reason) {
  Response response = json_response(409, R"([{"headers":{"control":"must-refetch"}}])");
  const std::string_view cacheable =
      successor ? "public, max-age=60, must-revalidate" : "public, max-age=1, must-revalidate";
  response.headers.emplace_back("cache-control", method == Method::get ? cacheable : "no-cache");
  if (successor) {
    response.headers.emplace_back("electric-handle", successor->text);
    response.headers.emplace_back("etag", '"' + successor->text + "::\"");
  }
  if (!reason.empty()) response.headers.emplace_back("electric-reason", header_word(reason));
  return response;
}

Response deletion_refused() {
  return handler_error(Method::remove, 405, one_field("message", "DELETE not allowed"));
}

Response no_such_shape() {
  return handler_error(Method::remove, 404, one_field("message", "No existing shape found"));
}

Response definition_and_handle_differ() {
  return handler_error(
      Method::remove, 400,
      one_field("message",
                "The specified shape definition and handle do not match. Please ensure the shape "
                "definition is correct or omit the shape handle from the request to obtain a new "
                "one."));
}

Response admission_refused(Method method, Admission kind, const ApiOptions& options,
                           unsigned retry_after_s) {
  ASSERT(retry_after_s >= 6 && retry_after_s <= 10, "clients are spread over six to ten seconds");
  const bool initial = kind == Admission::initial;
  const std::uint32_t limit =
      initial ? options.max_initial_requests : options.max_existing_requests;
  std::string body = R"({"code":"concurrent_request_limit_exceeded","message":)";
  append_json_string(body, std::string("Concurrent ") + (initial ? "initial" : "existing") +
                               " request limit exceeded (limit: " + std::to_string(limit) +
                               "), please retry");
  Response response = retry_later(method, body + '}', retry_after_s);
  // The one answer that keeps surrogates away whatever the method (§9.1).
  if (method != Method::get) response.headers.emplace_back("surrogate-control", "no-store");
  response.headers.emplace_back("electric-internal-known-error", "true");
  return response;
}

Response not_ready(Method method, NotReady condition, std::string_view cause) {
  return timed_out(method, condition, cause, 5);
}

Response stack_down_at_timeout(Method method, NotReady condition, std::string_view cause) {
  return timed_out(method, condition, cause, 10);
}

Response shape_quarantined(Method method, std::string_view reason) {
  return retry_later(
      method, one_field("message", "The shape is in quarantine: " + std::string(reason)), 10);
}

Response creation_failed(Method method) {
  return retry_later(method, one_field("message", "Failed to create shape, please retry"), 1);
}

Response snapshot_failed(Method method, std::string_view text) {
  Response response = retry_later(method, one_field("message", text), 10);
  response.headers.emplace_back("electric-internal-known-error", "true");
  return response;
}

Response snapshot_unexpected(Method method, std::string_view database_message) {
  return handler_error(method, 500,
                       one_field("message", "Unexpected error while creating snapshot: " +
                                                std::string(database_message)));
}

Response log_unreadable(Method method, std::string_view text) {
  return handler_error(method, 500,
                       one_field("message", "Unable to retrieve shape log: " + std::string(text)));
}

Response internal_error() {
  return early_error(500, one_field("error", "Internal server error"));
}

}  // namespace holdfast::api
