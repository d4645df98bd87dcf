#include "oracle/checks/probe_form.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "oracle/checks/answer_form.hpp"
#include "oracle/violation.hpp"

namespace holdfast::oracle {
namespace {

constexpr const char* k_exposed =
    "electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,"
    "electric-up-to-date,electric-internal-known-error,retry-after";
constexpr const char* k_wrong_handle =
    R"({"message":"The specified shape definition and handle do not match. Please ensure the )"
    R"(shape definition is correct or omit the shape handle from the request to obtain a new )"
    R"(one."})";
constexpr const char* k_no_shape = R"({"message":"No existing shape found"})";

/// The statuses that a server which can serve may answer with.
std::vector<int> statuses_of(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::now:
    case ProbeKind::expired_handle:
      return {200};
    case ProbeKind::follow_now:
    case ProbeKind::head:
    case ProbeKind::post:
    case ProbeKind::middle:
      return {200, 409};
    case ProbeKind::not_modified:
      return {200, 304, 409};
    case ProbeKind::out_of_bounds:
      return {400, 409};
    case ProbeKind::unknown_handle:
    case ProbeKind::other_shape:
    case ProbeKind::dead_handle:
    case ProbeKind::dead_handle_live:
      return {409};
    case ProbeKind::wrong_delete:
      return {400, 404};
    case ProbeKind::unknown_delete:
    case ProbeKind::unknown_route:
      return {404};
    case ProbeKind::bad_parameters:
      return {400};
    case ProbeKind::preflight:
      return {204};
    case ProbeKind::health:
      return {200, 202};
  }
  return {};
}

/// What needs no shape is answered whatever state the engine is in.
bool needs_a_shape(ProbeKind kind) {
  return kind != ProbeKind::preflight && kind != ProbeKind::health &&
         kind != ProbeKind::unknown_route;
}

class ProbeForm {
 public:
  ProbeForm(const Probe& probe, const protocol::Response& response, const Object& object)
      : probe_(probe), response_(response), object_(object) {}

  void check() const {
    check_envelope();
    check_status();
    if (response_.status != 503) check_kind();
    if (needs_a_shape(probe_.kind)) check_as_of_the_shape_route();
  }

 private:
  void wrong(const std::string& what) const {
    object_(property::answer_form, "the answer " + std::to_string(response_.status) + " to " +
                                       std::string(name_of(probe_.kind)) + " " + what);
  }
  void expect(const char* name, const std::string& value) const {
    const std::string* header = response_.header(name);
    if (header == nullptr || *header != value)
      wrong(std::string("has ") + (header == nullptr ? "nothing" : "'" + *header + "'") + " as " +
            name + ", not '" + value + "'");
  }
  void expect_none(const char* name) const {
    if (response_.header(name) != nullptr) wrong(std::string("has the header ") + name);
  }
  void expect_body(const std::string& body) const {
    if (response_.body != body) wrong("has the body " + response_.body + ", not " + body);
  }

  /// §2.1, §21: what every answer has.
  void check_envelope() const {
    const std::string* origin = probe_.request.header("origin");
    expect("access-control-allow-origin", origin == nullptr ? "*" : *origin);
    expect("access-control-expose-headers", k_exposed);
    expect("access-control-allow-methods",
           probe_.request.path == "/v1/shape" ? "GET, POST, HEAD, DELETE, OPTIONS" : "GET, HEAD");
    if (response_.header("electric-server") == nullptr) wrong("has no electric-server");
    const std::string* own = probe_.request.header("x-request-id");
    const std::string* id = response_.header("x-request-id");
    if (id == nullptr || id->empty() || (own != nullptr && *id != *own))
      wrong("has no request id, or not the client's own");
    if (response_.status != 204) expect("vary", "accept-encoding");
    if (probe_.request.method == "HEAD" && !response_.body.empty()) wrong("to a HEAD has a body");
  }

  void check_status() const {
    if (response_.status == 503 && needs_a_shape(probe_.kind)) {
      const std::string* after = response_.header("retry-after");
      if (after == nullptr || after->empty() ||
          after->find_first_not_of("0123456789") != std::string::npos)
        wrong("says no number of seconds as retry-after");
      return;
    }
    const std::vector<int> allowed = statuses_of(probe_.kind);
    if (std::find(allowed.begin(), allowed.end(), response_.status) == allowed.end())
      object_(response_.status >= 500 ? property::server_error : property::protocol,
              std::string(name_of(probe_.kind)) + " is answered " +
                  std::to_string(response_.status) + ": " + response_.body);
  }

  /// §8, §9 as for a client's answer, where it is one.
  void check_as_of_the_shape_route() const {
    const std::string* offset = probe_.request.parameter("offset");
    const std::string* live = probe_.request.parameter("live");
    check_answer_form(*probe_.spec,
                      {.offset = offset == nullptr ? std::string() : *offset,
                       .live = live != nullptr,
                       .cursor = {},
                       .method = probe_.request.method},
                      response_, object_);
  }

  void check_kind() const {
    switch (probe_.kind) {
      case ProbeKind::now:
        if (response_.header("electric-up-to-date") == nullptr) wrong("is not up to date");
        return;
      case ProbeKind::not_modified:
        return check_revalidation();
      case ProbeKind::unknown_handle:
      case ProbeKind::other_shape:
        // Resolution finds the definition's shape or makes it, so that it can name it (§18.1).
        if (response_.header("electric-handle") == nullptr) wrong("names no handle");
        return;
      case ProbeKind::expired_handle:
        if (const auto* handle = response_.header("electric-handle");
            probe_.handle && handle != nullptr && *handle == probe_.handle->text)
          wrong("serves the handle that was named as expired");
        return;
      case ProbeKind::out_of_bounds:
        if (response_.status == 400)
          check_refusal(R"({"offset":["out of bounds for this shape"]})");
        return;
      case ProbeKind::bad_parameters:
        return check_refusal(probe_.errors);
      case ProbeKind::wrong_delete:
      case ProbeKind::unknown_delete:
        expect("cache-control", "no-cache");
        expect_none("surrogate-control");
        return expect_body(response_.status == 400 ? k_wrong_handle : k_no_shape);
      case ProbeKind::preflight:
        expect("access-control-max-age", "86400");
        expect("access-control-allow-headers",
               *probe_.request.header("access-control-request-headers"));
        expect_none("cache-control");
        return expect_body("");
      case ProbeKind::health:
        return check_health();
      case ProbeKind::unknown_route:
        expect("cache-control", "max-age=0, private, must-revalidate");
        return expect_body("Not found");
      default:
        return;
    }
  }

  /// The errors of a 400, and nothing that a cache or a client could take for more (§5.4).
  void check_refusal(const std::string& errors) const {
    expect_body(R"({"message":"Invalid request","errors":)" + errors + "}");
    const bool get = probe_.request.method == "GET";
    expect("cache-control", get ? "no-store" : "no-cache");
    if (get) expect("surrogate-control", "no-store");
    for (const char* absent : {"electric-handle", "electric-offset", "electric-cursor", "etag"})
      expect_none(absent);
  }

  void check_revalidation() const {
    if (response_.status == 304) {
      expect("etag", probe_.tag);
      return expect_body("");
    }
    const std::string* tag = response_.header("etag");
    if (response_.status == 200 && tag != nullptr && *tag == probe_.tag)
      wrong("says again what the client holds");
  }

  void check_health() const {
    expect("content-type", "application/json; charset=utf-8");
    expect("cache-control", "no-cache, no-store, must-revalidate");
    if (response_.status == 200) return expect_body(R"({"status":"active"})");
    const bool known = response_.body.starts_with(R"({"status":"starting")") ||
                       response_.body.starts_with(R"({"status":"waiting")");
    if (!known) wrong("says " + response_.body);
  }

  const Probe& probe_;
  const protocol::Response& response_;
  const Object& object_;
};

}  // namespace

void check_probe_form(const Probe& probe, const protocol::Response& response,
                      const Object& object) {
  ProbeForm(probe, response, object).check();
}

}  // namespace holdfast::oracle
