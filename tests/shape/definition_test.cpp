// Which requests are refused and with which words; which ones are the same shape; what is stored.
#include "core/shape/definition.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/shape/log_item.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::shape {
namespace {

using test::define;
using test::items;
using test::make_column;
using test::with_where;

std::string refusal(const DefinitionRequest& request, const postgres::RelationInfo& relation) {
  const auto definition = Definition::resolve(request, relation);
  return definition.ok() ? "accepted"
                         : definition.error().field + ": " + definition.error().message;
}

std::string columns_refusal(std::vector<std::string> columns) {
  return refusal({.table = {"public", "items"}, .columns = std::move(columns)}, items());
}

TEST(Definition, SelectsEverythingOrTheChosenColumnsInTableOrder) {
  const Definition all = define(items());
  EXPECT_TRUE(all.selects_all());
  EXPECT_EQ(all.selected(), (std::vector<std::uint16_t>{0, 1, 2, 3}));
  EXPECT_EQ(all.key(), std::vector<std::uint16_t>{0});
  const Definition some = define(items(), {.table = {}, .columns = {{"prio", "id"}}});
  EXPECT_FALSE(some.selects_all());
  EXPECT_EQ(some.selected(), (std::vector<std::uint16_t>{0, 3}));
  const Definition again = define(items(), {.table = {}, .columns = {{"id", "prio", "id"}}});
  EXPECT_EQ(again.identity(), some.identity()) << "named twice, selected once";
}

TEST(Definition, RefusesColumnListsWithTheSpecifiedSentences) {
  EXPECT_EQ(columns_refusal({"title"}),
            "columns: The list of columns must include all primary key columns, missing: id");
  EXPECT_EQ(columns_refusal({}),
            "columns: The list of columns must include all primary key columns, missing: id");
  EXPECT_EQ(columns_refusal({"id", "x", "y"}),
            "columns: The following columns are not found on the table: x, y");
  auto generated = items();
  generated.columns[1].generated = true;
  EXPECT_EQ(
      refusal({.table = generated.name, .columns = {{"id", "title"}}}, generated),
      "columns: The following columns are generated and cannot be included in the shape: title");
  EXPECT_EQ(
      refusal({.table = generated.name}, generated),
      "columns: The following columns are generated and cannot be included in the shape: title. "
      "You can exclude them from the shape by explicitly listing which columns to fetch in the "
      "'columns' query param");
  EXPECT_EQ(refusal({.table = generated.name, .columns = {{"id"}}}, generated), "accepted");
  EXPECT_EQ(
      refusal({.table = {"public", "void"}}, {}),
      "table: Table \"public\".\"void\" does not exist. If the table name contains capitals or "
      "special characters you must quote it.");
}

TEST(Definition, NeedsAllColumnsOfATableWithoutAKey) {
  auto relation = items();
  for (auto& column : relation.columns) column.key_position = 0;
  const Definition definition = define(relation);
  EXPECT_FALSE(definition.has_primary_key());
  EXPECT_EQ(definition.key(), (std::vector<std::uint16_t>{0, 1, 2, 3}));
  EXPECT_EQ(
      refusal({.table = relation.name, .columns = {{"id", "done"}}}, relation),
      "columns: The list of columns must include all primary key columns, missing: title, prio");
}

TEST(Definition, ReportsWhatIsWrongWithTheClauseUnderItsField) {
  EXPECT_EQ(refusal({.table = {}, .columns = {}, .where = "nope = 1"}, items()),
            "where: At location 0: unknown reference nope");
  EXPECT_EQ(
      refusal({.table = {}, .columns = {}, .where = "id = $2", .parameters = {{2, "1"}}}, items()),
      "params: Parameters must be numbered sequentially, starting from 1");
  EXPECT_EQ(refusal({.table = {}, .columns = {}, .where = "", .parameters = {{2, "1"}}}, items()),
            "accepted");
}

TEST(Definition, HasOneIdentityForRequestsThatAreTheSameShape) {
  const Hash128 identity = with_where("prio <> 1 AND title = 'x'").identity();
  EXPECT_EQ(with_where(" ((PRIO != 1)) and title='x' ").identity(), identity);
  EXPECT_EQ(define(items(), {.table = {}, .columns = {{"id", "done"}}}).identity(),
            define(items(), {.table = {}, .columns = {{"done", "id"}}}).identity());
  EXPECT_EQ(
      define(items(), {.table = {}, .columns = {}, .where = "title = $1", .parameters = {{1, "x"}}})
          .identity(),
      with_where("title = 'x'::text").identity());
}

TEST(Definition, HasAnotherIdentityForEveryOtherShape) {
  auto renamed = items();
  renamed.name.table = "other";
  auto other_oid = items();
  other_oid.oid = {7};
  auto two_keys = items();
  two_keys.columns[1].key_position = 2;
  const std::vector<Hash128> identities = {
      with_where("").identity(),
      with_where("prio = 1").identity(),
      with_where("prio = '1'").identity(),
      with_where("1 = prio").identity(),
      with_where("", Replica::full).identity(),
      define(items(), {.table = {}, .columns = {{"id", "title", "done", "prio"}}}).identity(),
      define(items(), {.table = {}, .columns = {{"id", "title", "done"}}}).identity(),
      define(items(), {.table = {},
                       .columns = {},
                       .where = {},
                       .parameters = {},
                       .replica = Replica::only_changes,
                       .log_mode = LogMode::changes_only})
          .identity(),
      define(renamed).identity(),
      define(other_oid).identity(),
      define(two_keys).identity()};
  EXPECT_EQ(std::set<Hash128>(identities.begin(), identities.end()).size(), identities.size());
}

TEST(Definition, ReadsItsStoredFormBack) {
  auto relation = items();
  relation.columns[1].type_modifier = 24;
  relation.columns[2].dimensions = 2;
  relation.replica_identity_full = true;
  const Definition made = define(relation, {.table = {},
                                            .columns = {{"id", "prio", "done"}},
                                            .where = "prio = 3 OR title LIKE 'a%'",
                                            .parameters = {},
                                            .replica = Replica::full,
                                            .log_mode = LogMode::changes_only});
  const std::string bytes = made.serialize();
  const auto read = Definition::deserialize(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->identity(), made.identity());
  EXPECT_EQ(read->relation(), made.relation());
  EXPECT_EQ(read->selected(), made.selected());
  EXPECT_EQ(read->key(), made.key());
  EXPECT_EQ(read->selects_all(), made.selects_all());
  EXPECT_EQ(read->replica(), made.replica());
  EXPECT_EQ(read->log_mode(), made.log_mode());
  EXPECT_EQ(read->schema_header(), made.schema_header());
  EXPECT_EQ(encoding_key(*read), encoding_key(made));
  EXPECT_EQ(read->condition()->canonical_sql(), made.condition()->canonical_sql());
  EXPECT_EQ(read->serialize(), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Definition::deserialize(bytes.substr(0, size)).ok()) << size;
}

TEST(Definition, SurvivesDamagedBytes) {
  const std::string bytes = with_where("prio = 3").serialize();
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      (void)Definition::deserialize(damaged);  // an error or another definition, never a crash
    }
}

TEST(SchemaHeader, DescribesTheSelectedColumns) {
  EXPECT_EQ(define(items()).schema_header(),
            R"({"id":{"type":"int8","pk_index":0,"not_null":true},"title":{"type":"text"},)"
            R"("done":{"type":"bool"},"prio":{"type":"int4"}})");
  EXPECT_EQ(define(items(), {.table = {}, .columns = {{"prio", "id"}}}).schema_header(),
            R"({"id":{"type":"int8","pk_index":0,"not_null":true},"prio":{"type":"int4"}})");
}

TEST(SchemaHeader, ShowsDimensionsAndModifiers) {
  struct ModifierCase {
    const char* type;
    std::int32_t modifier;
    std::uint16_t dimensions;
    const char* expected;
  };
  const ModifierCase cases[] = {
      {"text", -1, 1, R"({"type":"text","dims":1})"},
      {"varchar", 259, 0, R"({"type":"varchar","max_length":255})"},
      {"varchar", 259, 2, R"({"type":"varchar","dims":2,"max_length":255})"},
      {"bpchar", 12, 0, R"({"type":"bpchar","length":8})"},
      {"bit", 3, 0, R"({"type":"bit","length":3})"},
      {"varbit", -1, 0, R"({"type":"varbit","length":-1})"},
      {"timestamp", 3, 0, R"({"type":"timestamp","precision":3})"},
      {"timestamptz", -1, 0, R"({"type":"timestamptz"})"},
      {"time", 0, 0, R"({"type":"time","type_mod":0})"},
      {"numeric", ((10 << 16) | 2) + 4, 0, R"({"type":"numeric","precision":10,"scale":2})"},
      {"numeric", ((5 << 16) | 2046) + 4, 0, R"({"type":"numeric","precision":5,"scale":2046})"},
      {"numeric", -1, 0, R"({"type":"numeric"})"},
      {"interval", -1, 0, R"({"type":"interval"})"},
      {"interval", (0x7fff << 16) | 3, 0, R"({"type":"interval","precision":3})"},
      {"interval", (4 << 16) | 0xffff, 0, R"({"type":"interval","fields":"YEAR"})"},
      {"interval", (((1 << 3) | (1 << 10) | (1 << 11) | (1 << 12)) << 16) | 2, 0,
       R"({"type":"interval","fields":"DAY TO SECOND","precision":2})"},
      {"geometry", 1107460, 0, R"({"type":"geometry","type_mod":1107460})"}};
  for (const ModifierCase& c : cases) {
    postgres::RelationInfo relation;
    relation.oid = {5};
    relation.name = {"public", "m"};
    relation.columns = {make_column("x", 1, c.type)};
    relation.columns[0].type_modifier = c.modifier;
    relation.columns[0].dimensions = c.dimensions;
    EXPECT_EQ(define(relation).schema_header(), std::string("{\"x\":") + c.expected + "}");
  }
}

TEST(SchemaHeader, IsPureAscii) {
  postgres::RelationInfo relation;
  relation.oid = {5};
  relation.name = {"public", "m"};
  relation.columns = {make_column("z\xc3\xa9\"", 1, "mood", 1)};
  EXPECT_EQ(define(relation).schema_header(),
            R"({"z\u00e9\"":{"type":"mood","pk_index":0,"not_null":true}})");
}

}  // namespace
}  // namespace holdfast::shape
