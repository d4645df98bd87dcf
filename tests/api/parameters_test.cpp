// Which requests are understood, and what the others are told: http-api.md §5 as tables of request
// and exact answer. The order of the rows within a test is the order of the specification.
#include "core/api/parameters.hpp"

#include <gtest/gtest.h>

#include "tests/api/request_builder.hpp"

namespace holdfast::api {
namespace {

using protocol::LogOffset;
using protocol::Request;

std::string errors(std::string_view inner) {
  return R"({"message":"Invalid request","errors":)" + std::string(inner) + "}";
}

/// The body of the refusal, or "accepted".
std::string outcome(const Request& from) {
  const auto parsed = parse_shape_request(from, {});
  return parsed.ok() ? "accepted" : parsed.error().body;
}

ShapeParameters accepted(const Request& from) {
  auto parsed = parse_shape_request(from, {});
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().body);
  return parsed.ok() ? *parsed : ShapeParameters{};
}

struct Row {
  std::string query;
  std::string expected;  ///< the `errors` object, or empty: accepted
};

void expect_rows(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(outcome(shape(row.query)), row.expected.empty() ? "accepted" : errors(row.expected))
        << row.query;
  }
}

TEST(ShapeParameters, TheExamplesOfSection5_4) {
  expect_rows({
      {"table=items&offset=invalid", R"({"offset":["has invalid format"]})"},
      {"table=items", R"({"offset":["can't be blank"]})"},
      {"offset=-1", R"({"table":["can't be blank"]})"},
      {"table=items&offset=10_0", R"({"handle":["can't be blank when offset != -1"]})"},
      {"table=items&offset=-1&live", R"({"live":["can't be true when offset == -1"]})"},
      {"table=items&offset=now&live=true", R"({"live":["can't be true when offset is 'now'"]})"},
      {"table=items&offset=0_0&handle=H&live_sse=true",
       R"({"live_sse":["can't be true unless live is also true"]})"},
  });
}

TEST(ShapeParameters, RefusalsAreNeverCached) {
  const auto by_get = parse_shape_request(shape("table=items"), {});
  ASSERT_FALSE(by_get.ok());
  EXPECT_EQ(by_get.error().status, 400);
  EXPECT_EQ(header_lines(by_get.error()),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: no-store\n"
            "surrogate-control: no-store\n");
  const auto by_post = parse_shape_request(request("POST", "/v1/shape?table=items"), {});
  ASSERT_FALSE(by_post.ok());
  EXPECT_EQ(header_lines(by_post.error()),
            "content-type: application/json; charset=utf-8\n"
            "cache-control: no-cache\n");
}

TEST(ShapeParameters, OffsetsInEverySpellingOfSection6_1) {
  const std::string bad = R"({"offset":["has invalid format"]})";
  for (const char* text :
       {"10", "1_2_3", "1_2%20", "10_32.1", "0_-1", "-1_1", "-2_0", "inf", "word"}) {
    EXPECT_EQ(outcome(shape("table=t&handle=H&offset=" + std::string(text))), errors(bad)) << text;
  }
  EXPECT_EQ(accepted(shape("table=t&offset=-1")).offset, LogOffset::before_all());
  EXPECT_EQ(accepted(shape("table=t&offset=-1_0")).offset, LogOffset::before_all());
  EXPECT_EQ(accepted(shape("table=t&handle=H&offset=007_%2B2")).offset, LogOffset::at(7, 2));
  EXPECT_EQ(accepted(shape("table=t&handle=H&offset=0_inf")).offset, LogOffset::snapshot_end());
  EXPECT_TRUE(accepted(shape("table=t&offset=now")).is_now());
}

// §31 trap 10: there the handle is only a cache buster.
TEST(ShapeParameters, TheHandleIsForgottenForMinusOneAndNow) {
  EXPECT_FALSE(accepted(shape("table=t&offset=-1&handle=H")).handle.has_value());
  EXPECT_FALSE(accepted(shape("table=t&offset=now&handle=H")).handle.has_value());
  EXPECT_EQ(accepted(shape("table=t&offset=0_0&handle=H")).handle->text, "H");
}

// §31 trap 20.
TEST(ShapeParameters, LiveIsTrueUnlessItIsAbsentOrTheWordFalse) {
  const std::string base = "table=t&offset=0_0&handle=H";
  for (const char* live : {"&live", "&live=", "&live=true", "&live=0", "&live=FALSE"}) {
    EXPECT_EQ(accepted(shape(base + live)).live, Live::long_poll) << live;
  }
  EXPECT_EQ(accepted(shape(base)).live, Live::no);
  EXPECT_EQ(accepted(shape(base + "&live=false")).live, Live::no);
}

TEST(ShapeParameters, ServerSentEventsAreRefusedInWords) {
  const std::string base = "table=t&offset=0_0&handle=H&live=true";
  const std::string refused =
      R"({"live_sse":["is not supported by this server; use long polling"]})";
  expect_rows({
      {base + "&live_sse=true", refused},
      {base + "&live_sse", refused},
      {base + "&experimental_live_sse=true", refused},
      {base + "&live_sse=true&experimental_live_sse=true", refused},
      {base + "&live_sse=false&experimental_live_sse=true", ""},
      {base + "&experimental_live_sse=0", ""},
      {base + "&experimental_live_sse=banana", R"({"live_sse":["is invalid"]})"},
  });
}

TEST(ShapeParameters, StagesOneAndTwoReportAllTheirErrorsTogether) {
  expect_rows({
      {"table=t&replica=Full&log=none&params=x&columns=a%20b&experimental_compaction=maybe",
       R"({"columns":["Invalid unquoted identifier contains special characters: a b"],)"
       R"("experimental_compaction":["is invalid"],"log":["is invalid"],)"
       R"("offset":["can't be blank"],"params":["is invalid"],"replica":["is invalid"]})"},
      {"table=t&offset=-1&live&columns=%22%22",
       R"({"columns":["Invalid zero-length delimited identifier"]})"},
  });
}

TEST(ShapeParameters, BlankValuesCountAsAbsent) {
  expect_rows({
      {"table=%20&offset=-1", R"({"table":["can't be blank"]})"},
      {"table=t&offset=", R"({"offset":["can't be blank"]})"},
      {"table=t&offset=0_0&handle=", R"({"handle":["can't be blank when offset != -1"]})"},
      {"table=t&offset=-1&replica=&log=&columns=&params=&where=%20&cursor=", ""},
  });
}

TEST(ShapeParameters, TheLastOfRepeatedKeysWinsAndUnknownOnesAreIgnored) {
  const auto parameters = accepted(
      shape("table=a&table=b&offset=5&offset=-1&expired_handle=X&cache-buster=1&source_id=2"));
  EXPECT_EQ(parameters.definition.table.table, "b");
}

TEST(ShapeParameters, ADefinitionIsReadWhole) {
  const auto parameters =
      accepted(shape("table=App.%22Items%22&offset=-1&columns=%22id%22,Title&where=id%20%3E%20$1&"
                     "params[1]=5&replica=full&log=changes_only&experimental_compaction=true"));
  const shape::DefinitionRequest& definition = parameters.definition;
  EXPECT_EQ(definition.table, (postgres::RelationName{"app", "Items"}));
  EXPECT_EQ(definition.columns, (std::vector<std::string>{"id", "title"}));
  EXPECT_EQ(definition.where, "id > $1");
  EXPECT_EQ(definition.parameters, (std::map<unsigned, std::string>{{1, "5"}}));
  EXPECT_EQ(definition.replica, shape::Replica::full);
  EXPECT_EQ(definition.log_mode, shape::LogMode::changes_only);
}

// §5.8: what clients leave out must give the same shape as what they spell out.
TEST(ShapeParameters, DefaultsEqualTheirSpelledOutForms) {
  const auto absent = accepted(shape("table=t&offset=-1")).definition;
  const auto spelled = accepted(shape("table=t&offset=-1&replica=default&log=full")).definition;
  EXPECT_EQ(absent.replica, spelled.replica);
  EXPECT_EQ(absent.log_mode, spelled.log_mode);
}

TEST(ShapeParameters, NumberedParametersFollowSection5_7) {
  const std::string base = "table=t&offset=-1&where=id=$1&";
  const std::string gap =
      R"({"params":["Parameters must be numbered sequentially, starting from 1"]})";
  expect_rows({
      {base + "params[1]=a&params[2]=b", ""},
      {base + "params[a]=1", R"({"params":["Parameters can only use numbers as keys"]})"},
      {base + "params[2]=1", gap},
      {base + "params[0]=1", gap},
      {base + "params[-1]=1", gap},
      {base + "params[1]=a&params[3]=b", gap},
      {base + "params[99999999999999999999]=a", gap},
      {base + "params[]=1", R"({"params":["is invalid"]})"},
      {base + "params[1][x]=1", R"({"params":["is invalid"]})"},
      {"table=t&offset=-1&params[7]=1", ""},
  });
  EXPECT_EQ(accepted(shape(base + "params[1]=")).definition.parameters.at(1), "");
}

TEST(ShapeParameters, SubsetsAreRefusedInEverySpelling) {
  const std::string base = "table=t&offset=0_0&handle=H&";
  const std::string refused = R"({"subset":["is not supported by this server"]})";
  expect_rows({
      {base + "subset__where=id=1", refused},
      {base + "subset__order_by_expr=", refused},
      {base + "subset__unheard_of", refused},
      {base + "subset[limit]=1", refused},
      {base + "subset=word", R"({"subset":["is invalid"]})"},
      {base + "subset=", ""},
      {"table=a.b.c&offset=-1&subset__limit=1",
       R"({"table":["Invalid relation identifier, too many delimiters: a.b.c"]})"},
  });
}

Request post(std::string body, std::string_view query = "offset=-1&table=t") {
  return request("POST", "/v1/shape?" + std::string(query), {}, std::move(body));
}

TEST(ShapeBody, UnreadableBodiesAreToldApart) {
  const std::pair<std::string, std::string> rows[] = {
      {"not json", R"({"error":"Invalid JSON in request body","details":)"
                   R"x("unexpected byte at position 1: 0x6F (\"o\")"})x"},
      {"{\"a\":",
       R"({"error":"Invalid JSON in request body","details":"unexpected end of input"})"},
      {"  ", R"({"error":"Invalid JSON in request body","details":"unexpected end of input"})"},
      {std::string(200'000, '['),
       R"({"error":"Invalid JSON in request body","details":"nested too deeply"})"},
      {"{\"a\":1e999}",
       R"({"error":"Invalid JSON in request body","details":"number out of range"})"},
      {"[1]", R"({"error":"Request body must be a JSON object"})"},
      {"\"x\"", R"({"error":"Request body must be a JSON object"})"},
      {"null", R"({"error":"Request body must be a JSON object"})"},
  };
  for (const auto& [body, expected] : rows) {
    const auto refused = check_body(post(body), {});
    ASSERT_TRUE(refused.has_value()) << body;
    EXPECT_EQ(refused->status, 400);
    EXPECT_EQ(refused->body, expected);
    EXPECT_EQ(header_or(*refused, "cache-control"), "max-age=0, private, must-revalidate");
  }
}

TEST(ShapeBody, TheSizeLimitIsInclusive) {
  const ApiOptions options{.max_body_bytes = 10};
  EXPECT_FALSE(check_body(post("{        }"), options).has_value());
  const auto refused = check_body(post("{         }"), options);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->status, 413);
  EXPECT_EQ(refused->body, R"({"error":"Request body too large"})");
}

TEST(ShapeBody, EmptyBodiesAndEmptyObjectsAreLogRequests) {
  EXPECT_EQ(accepted(post("")).method, Method::post);
  EXPECT_EQ(outcome(post("{}")), "accepted");
}

TEST(ShapeBody, ABodyIsMergedOverTheQuery) {
  const auto parameters =
      accepted(post(R"({"table":"other","columns":["Id","a\"b"],"replica":"full"})"));
  EXPECT_EQ(parameters.definition.table.table, "other");
  EXPECT_EQ(parameters.definition.columns, (std::vector<std::string>{"Id", "a\"b"}));
  EXPECT_EQ(parameters.definition.replica, shape::Replica::full);
}

TEST(ShapeBody, FlatAndNestedSubsetsAreRefused) {
  const std::string refused = errors(R"({"subset":["is not supported by this server"]})");
  EXPECT_EQ(outcome(post(R"({"where":"a = 1"})")), refused);
  EXPECT_EQ(outcome(post(R"({"limit":10,"offset":0})")), refused);
  EXPECT_EQ(outcome(post(R"({"subset":{}})")), refused);
  EXPECT_EQ(outcome(post(R"({"subset":[]})")), refused);
  EXPECT_EQ(outcome(post(R"({"subset":null})")), "accepted");
  EXPECT_EQ(outcome(post(R"({"subset":"x"})")), errors(R"({"subset":["is invalid"]})"));
}

TEST(ShapeBody, ValuesOfTheWrongJsonTypeAreInvalid) {
  EXPECT_EQ(outcome(post(R"({"table":5})")), errors(R"({"table":["is invalid"]})"));
  EXPECT_EQ(outcome(post(R"({"columns":[]})")), errors(R"({"columns":["is invalid"]})"));
  EXPECT_EQ(outcome(post(R"({"columns":[1]})")), errors(R"({"columns":["is invalid"]})"));
  EXPECT_EQ(outcome(post(R"({"columns":[""]})")),
            errors(R"({"columns":["Invalid zero-length identifier"]})"));
  EXPECT_EQ(accepted(post(R"({"live":false})", "table=t&offset=0_0&handle=H")).live,
            Live::long_poll);  // §5.2: only the string `false` is false
}

TEST(ShapeBody, OnlyAPostHasABody) {
  EXPECT_EQ(outcome(request("GET", "/v1/shape?table=t&offset=-1", {}, "not json")), "accepted");
}

postgres::RelationInfo items() {
  postgres::RelationInfo relation;
  relation.name = {"public", "items"};
  for (const char* name : {"id", "title", "secret"}) {
    postgres::ColumnInfo column;
    column.name = name;
    column.key_position = column.name == "id" ? 1 : 0;
    relation.columns.push_back(column);
  }
  return relation;
}

std::string queryable_outcome(const std::string& query) {
  const auto parameters = accepted(shape("table=items&offset=-1&" + query));
  const auto error = check_queryable_columns(parameters, items());
  return error ? error->field + ": " + error->message : "ok";
}

TEST(QueryableColumns, AreCheckedAsSection5_6Says) {
  const std::pair<std::string, std::string> rows[] = {
      {"columns=id,secret", "ok"},
      {"queryable_columns=id,title", "ok"},
      {"queryable_columns=id,title&columns=id", "ok"},
      {"queryable_columns=title",
       "queryable_columns: The list of queryable columns must include all primary key columns, "
       "missing: id"},
      {"queryable_columns=id,x,y",
       "queryable_columns: The following queryable columns are not found on the table: x, y"},
      {"queryable_columns=id,title&columns=id,secret",
       "columns: The following columns are not found on the table: secret"},
  };
  for (const auto& [query, expected] : rows) EXPECT_EQ(queryable_outcome(query), expected) << query;
}

TEST(QueryableColumns, StandInForColumnsThatAreOmitted) {
  const auto parameters = accepted(shape("table=items&offset=-1&queryable_columns=id,title"));
  EXPECT_EQ(parameters.definition.columns, (std::vector<std::string>{"id", "title"}));
}

std::string delete_outcome(const std::string& query, Deletion deletion = Deletion::allowed) {
  const ApiOptions options{.deletion = deletion};
  const auto parsed = parse_delete_request(request("DELETE", "/v1/shape?" + query), options);
  if (!parsed.ok()) return std::to_string(parsed.error().status) + " " + parsed.error().body;
  return (parsed->definition ? parsed->definition->table.table : std::string("-")) + " " +
         (parsed->handle ? parsed->handle->text : std::string("-"));
}

TEST(DeleteParameters, FollowSection20) {
  const std::pair<std::string, std::string> rows[] = {
      {"table=items", "items -"},
      {"handle=H", "- H"},
      {"table=items&handle=H", "items H"},
      {"table=items&offset=junk&live=true&experimental_live_sse=junk", "items -"},
      {"", "400 " + errors(R"({"handle":["can't be blank when shape definition is missing"]})")},
      {"table=items&live=banana", "400 " + errors(R"({"live":["is invalid"]})")},
      {"table=items&replica=x", "400 " + errors(R"({"replica":["is invalid"]})")},
      {"table=a%20b", "400 " + errors(R"({"table":["Invalid unquoted identifier contains special )"
                                      R"(characters: a b"]})")},
  };
  for (const auto& [query, expected] : rows) EXPECT_EQ(delete_outcome(query), expected) << query;
  EXPECT_EQ(delete_outcome("table=items", Deletion::refused),
            R"(405 {"message":"DELETE not allowed"})");
}

TEST(DeleteParameters, RefusalsSayOnlyNoCache) {
  const ApiOptions options{.deletion = Deletion::allowed};
  const auto parsed = parse_delete_request(request("DELETE", "/v1/shape"), options);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(header_or(parsed.error(), "cache-control"), "no-cache");
  EXPECT_EQ(header_or(parsed.error(), "surrogate-control"), "(absent)");
}

}  // namespace
}  // namespace holdfast::api
