// Who gets past the door, and what every answer carries when it leaves (http-api.md §2, §3, §21).
#include "core/api/front_door.hpp"

#include <gtest/gtest.h>

#include "tests/api/request_builder.hpp"

namespace holdfast::api {
namespace {

using protocol::Request;
using protocol::Response;

const ApiOptions k_secured{.secret = "s3cret"};
const ApiOptions k_open{.authentication = Authentication::insecure};

/// "status body", or "handler" for what is left to the shape handler.
std::string outcome(const Request& from, const ApiOptions& options = k_open) {
  const auto answer = answer_without_shape(from, options, HealthStatus::active);
  return answer ? std::to_string(answer->status) + " " + answer->body : "handler";
}

constexpr const char* k_refused = R"(401 {"message":"Unauthorized - Invalid API secret"})";

TEST(FrontDoor, RoutesAsSection2_2Says) {
  const std::pair<Request, std::string> rows[] = {
      {get("/"), "200 "},
      {request("HEAD", "/"), "200 "},
      {request("POST", "/"), "404 Not found"},
      {get("/v1/shape"), "handler"},
      {request("HEAD", "/v1/shape"), "handler"},
      {request("POST", "/v1/shape"), "handler"},
      {request("DELETE", "/v1/shape"), "handler"},
      {request("OPTIONS", "/v1/shape"), "204 "},
      {request("PUT", "/v1/shape"), "404 Not found"},
      {get("/v1/health"), R"(200 {"status":"active"})"},
      {request("OPTIONS", "/v1/health"), "404 Not found"},
      {get("/v1"), "404 Not found"},
      {get("/v1/shape/more"), "404 Not found"},
      {get("/v1%2Fshape"), "404 Not found"},
      {get("/nonexistent"), "404 Not found"},
  };
  for (const auto& [from, expected] : rows) {
    EXPECT_EQ(outcome(from), expected) << from.method << ' ' << from.path;
  }
}

// §31 trap 50: a spelling that the router knows and the check does not is a way around the secret.
TEST(FrontDoor, EverySpellingOfTheShapePathNeedsTheSecret) {
  for (const char* path : {"/v1/shape", "/v1/shape/", "/v1//shape", "/v1/shape//", "//v1/shape",
                           "/v1/%73hape", "/%76%31/shape"}) {
    EXPECT_EQ(outcome(get(path), k_secured), k_refused) << path;
    EXPECT_EQ(outcome(get(std::string(path) + "?secret=s3cret"), k_secured), "handler") << path;
    EXPECT_EQ(outcome(request("OPTIONS", path), k_secured), "204 ") << path;
  }
}

TEST(FrontDoor, TheSecretIsComparedWhole) {
  for (const char* query : {"?secret=", "?secret=s3cre", "?secret=s3crets", "?secret=s3creT", "",
                            "?secret=s3cretx&api_secret=s3cret", "?secret=s3crets3cret"}) {
    EXPECT_EQ(outcome(get("/v1/shape" + std::string(query)), k_secured), k_refused) << query;
  }
  EXPECT_EQ(outcome(get("/v1/shape?api_secret=s3cret"), k_secured), "handler");
  EXPECT_EQ(outcome(request("DELETE", "/v1/shape"), k_secured), k_refused);
  EXPECT_EQ(outcome(get("/v1/shape?secret=whatever"), k_open), "handler");
}

TEST(FrontDoor, OtherPathsNeedNoSecret) {
  EXPECT_EQ(outcome(get("/"), k_secured), "200 ");
  EXPECT_EQ(outcome(get("/v1/health"), k_secured), R"(200 {"status":"active"})");
  EXPECT_EQ(outcome(get("/nonexistent"), k_secured), "404 Not found");
}

TEST(FrontDoor, HealthTellsTheStateAndWhatItWaitsFor) {
  const auto health = [](HealthStatus status, std::string_view detail) {
    const auto answer = answer_without_shape(get("/v1/health"), k_open, status, detail);
    return std::to_string(answer->status) + " " + answer->body;
  };
  EXPECT_EQ(health(HealthStatus::active, ""), R"(200 {"status":"active"})");
  EXPECT_EQ(health(HealthStatus::active, "ignored"), R"(200 {"status":"active"})");
  EXPECT_EQ(health(HealthStatus::starting, ""), R"(202 {"status":"starting"})");
  EXPECT_EQ(health(HealthStatus::waiting, "lock held by pid 7"),
            R"(202 {"status":"waiting","waiting_for":"lock held by pid 7"})");
}

TEST(FrontDoor, AQueryThatIsNoUtf8IsRefusedBareOnAnyRoute) {
  for (const char* target : {"/?a=%ff", "/v1/shape?%ff", "/nowhere?a=%c3"}) {
    auto answer = answer_without_shape(get(target), k_secured, HealthStatus::active);
    ASSERT_TRUE(answer.has_value()) << target;
    complete(get(target), k_secured, "fresh", *answer);
    EXPECT_EQ(answer->status, 400);
    EXPECT_EQ(header_lines(*answer), "connection: close\n");
  }
  EXPECT_EQ(outcome(get("/v1/%ff")), "404 Not found");
}

Response preflight(const std::string& wanted) {
  return *answer_without_shape(
      request("OPTIONS", "/v1/shape", {{"access-control-request-headers", wanted}}), k_open,
      HealthStatus::active);
}

TEST(FrontDoor, APreflightAllowsTheHeadersItAsksFor) {
  EXPECT_EQ(header_lines(preflight("If-None-Match")),
            "access-control-max-age: 86400\n"
            "connection: keep-alive\n"
            "access-control-allow-headers: If-None-Match\n");
  EXPECT_EQ(header_or(preflight("content-type, x-mine"), "access-control-allow-headers"),
            "content-type, x-mine");
  EXPECT_EQ(header_or(preflight("a\"b"), "access-control-allow-headers"), "(absent)");
}

std::string completed(const Request& from, Response response) {
  complete(from, k_open, "fresh-id", response);
  return header_lines(response);
}

TEST(Complete, AddsWhatEveryAnswerHas) {
  EXPECT_EQ(completed(get("/v1/shape", {{"origin", "https://a.example"}}), {}),
            "electric-server: ElectricSQL/1.7.12\n"
            "x-request-id: fresh-id\n"
            "vary: accept-encoding\n"
            "access-control-allow-origin: https://a.example\n"
            "access-control-expose-headers: electric-cursor,electric-handle,electric-has-data,"
            "electric-offset,electric-schema,electric-up-to-date,electric-internal-known-error,"
            "retry-after\n"
            "access-control-allow-methods: GET, POST, HEAD, DELETE, OPTIONS\n");
}

TEST(Complete, A401HasNoCorsHeaders) {
  EXPECT_EQ(completed(get("/v1/shape", {{"origin", "https://a.example"}}),
                      {.status = 401, .headers = {}, .body = {}}),
            "electric-server: ElectricSQL/1.7.12\n"
            "x-request-id: fresh-id\n"
            "vary: accept-encoding\n");
}

TEST(Complete, NamesTheMethodsOfTheRoute) {
  Response elsewhere;
  complete(get("/nonexistent"), k_open, "id", elsewhere);
  EXPECT_EQ(header_or(elsewhere, "access-control-allow-methods"), "GET, HEAD");
  EXPECT_EQ(header_or(elsewhere, "access-control-allow-origin"), "*");
  Response no_content{.status = 204, .headers = {}, .body = {}};
  complete(request("OPTIONS", "/v1/%73hape"), k_open, "id", no_content);
  EXPECT_EQ(header_or(no_content, "access-control-allow-methods"),
            "GET, POST, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(header_or(no_content, "vary"), "(absent)");
}

TEST(Complete, KeepsARequestIdOfTheRightLength) {
  const auto id = [](const std::string& own) {
    return choose_request_id(get("/", {{"x-request-id", own}}), "fresh");
  };
  EXPECT_EQ(id(std::string(20, 'a')), std::string(20, 'a'));
  EXPECT_EQ(id(std::string(200, 'a')), std::string(200, 'a'));
  EXPECT_EQ(id(std::string(19, 'a')), "fresh");
  EXPECT_EQ(id(std::string(201, 'a')), "fresh");
  EXPECT_EQ(id(std::string(25, ' ')), "fresh");
}

TEST(Complete, AHeadRequestGetsNoBody) {
  Response response{.status = 200, .headers = {}, .body = "text"};
  complete(request("HEAD", "/v1/shape"), k_open, "id", response);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.omitted_bytes, 4U) << "its content-length is that of a GET";
}

}  // namespace
}  // namespace holdfast::api
