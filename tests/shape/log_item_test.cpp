// What clients read, byte for byte: http-api.md §11 and §12.
#include "core/shape/log_item.hpp"

#include <gtest/gtest.h>

#include "tests/shape/sample_shape.hpp"

namespace holdfast::shape {
namespace {

using test::define;
using test::deletion;
using test::insertion;
using test::items;
using test::make_column;
using test::update;
using test::with_where;

std::vector<std::string> encode(const Definition& definition, const postgres::Change& change) {
  std::vector<LogItem> made;
  append_change(made, definition, change, {1234}, {26884928});
  std::vector<std::string> texts;
  for (const LogItem& item : made) texts.push_back(item.offset.to_string() + " " + item.json);
  return texts;
}

std::string snapshot_row(const Definition& definition,
                         const std::vector<std::optional<std::string_view>>& cells) {
  postgres::RowBatch batch(cells.size());
  for (const auto& cell : cells) batch.add_cell(cell);
  std::string out;
  append_snapshot_row(out, definition, batch, 0);
  return out;
}

TEST(SnapshotRow, HasKeyValueAndTwoHeaders) {
  EXPECT_EQ(
      snapshot_row(with_where(""), {"1", "hello", std::nullopt, "3"}),
      R"({"key":"\"public\".\"items\"/\"1\"","value":{"done":null,"id":"1","prio":"3","title":"hello"},)"
      R"("headers":{"operation":"insert","relation":["public","items"]}})");
}

TEST(SnapshotRow, EscapesTextAndPrintsBooleansAsWords) {
  EXPECT_EQ(snapshot_row(with_where(""), {"1", "a\"\\\n\x01\xc3\xa9/", "t", std::nullopt}),
            "{\"key\":\"\\\"public\\\".\\\"items\\\"/"
            "\\\"1\\\"\",\"value\":{\"done\":\"true\",\"id\":\"1\","
            "\"prio\":null,\"title\":\"a\\\"\\\\\\n\\u0001\xc3\xa9/\"},"
            "\"headers\":{\"operation\":\"insert\",\"relation\":[\"public\",\"items\"]}}");
}

TEST(SnapshotEnd, ListsItsTransactionsAsStrings) {
  std::string out;
  append_snapshot_end(out, {{750}, {753}, {{751}, {752}}, {}});
  append_snapshot_end(out, {{4294967297}, {4294967297}, {}, {}});
  EXPECT_EQ(
      out,
      R"({"headers":{"control":"snapshot-end","xmin":"750","xmax":"753","xip_list":["751","752"]}})"
      R"({"headers":{"control":"snapshot-end","xmin":"4294967297","xmax":"4294967297","xip_list":[]}})");
}

constexpr const char* k_insert_1 =
    R"(26884928_2 {"key":"\"public\".\"items\"/\"1\"","value":{"done":"t","id":"1","prio":"3","title":"a"},)"
    R"("headers":{"operation":"insert","relation":["public","items"],"txids":[1234],"lsn":"26884928","op_position":2}})";
constexpr const char* k_delete_1 =
    R"(26884928_2 {"key":"\"public\".\"items\"/\"1\"","value":{"id":"1"},)"
    R"("headers":{"operation":"delete","relation":["public","items"],"txids":[1234],"lsn":"26884928","op_position":2}})";

TEST(LogItem, InsertHasTheWholeRow) {
  EXPECT_EQ(encode(with_where(""), insertion({"1", "a", "t", "3"}, 2)),
            std::vector<std::string>{k_insert_1});
}

TEST(LogItem, DeleteHasTheKeyOrWithReplicaFullTheOldRow) {
  EXPECT_EQ(encode(with_where(""), deletion({"1", "a", "t", "3"}, 2)),
            std::vector<std::string>{k_delete_1});
  EXPECT_EQ(
      encode(with_where("", Replica::full), deletion({"1", "a", nullptr, "3"}, 2)),
      std::vector<std::string>{
          R"(26884928_2 {"key":"\"public\".\"items\"/\"1\"","value":{"done":null,"id":"1","prio":"3","title":"a"},)"
          R"("headers":{"operation":"delete","relation":["public","items"],"txids":[1234],"lsn":"26884928","op_position":2}})"});
}

TEST(LogItem, UpdateHasTheKeyAndWhatChanged) {
  EXPECT_EQ(
      encode(with_where(""), update({"1", "a", "t", "3"}, {"1", "b", "t", nullptr}, 4)),
      std::vector<std::string>{
          R"(26884928_4 {"key":"\"public\".\"items\"/\"1\"","value":{"id":"1","prio":null,"title":"b"},)"
          R"("headers":{"operation":"update","relation":["public","items"],"txids":[1234],"lsn":"26884928","op_position":4}})"});
}

TEST(LogItem, UpdateWithReplicaFullHasTheRowAndTheOldValuesOfWhatChanged) {
  EXPECT_EQ(
      encode(with_where("", Replica::full), update({"1", "a", "t", "3"}, {"1", "b", "t", "3"}, 4)),
      std::vector<std::string>{
          R"(26884928_4 {"key":"\"public\".\"items\"/\"1\"","value":{"done":"t","id":"1","prio":"3","title":"b"},)"
          R"("old_value":{"title":"a"},"headers":{"operation":"update","relation":["public","items"],)"
          R"("txids":[1234],"lsn":"26884928","op_position":4}})"});
}

TEST(LogItem, RowsEnterAndLeaveTheShapeAsInsertAndDelete) {
  const Definition shape = with_where("prio > 2");
  EXPECT_EQ(encode(shape, update({"1", "a", "t", "1"}, {"1", "a", "t", "3"}, 2)),
            std::vector<std::string>{k_insert_1});
  EXPECT_EQ(encode(shape, update({"1", "a", "t", nullptr}, {"1", "a", "t", "3"}, 2)),
            std::vector<std::string>{k_insert_1});
  EXPECT_EQ(encode(shape, update({"1", "a", "t", "3"}, {"9", "a", "t", "1"}, 2)),
            std::vector<std::string>{k_delete_1});
  EXPECT_TRUE(encode(shape, update({"1", "a", "t", "1"}, {"1", "a", "t", "2"})).empty());
  EXPECT_TRUE(encode(shape, insertion({"1", "a", "t", nullptr})).empty());
  EXPECT_TRUE(encode(shape, deletion({"1", "a", "t", "0"})).empty());
}

TEST(LogItem, AnUpdateOfNoSelectedColumnIsDropped) {
  const Definition shape = define(items(), {.table = {}, .columns = {{"id", "done"}}});
  EXPECT_TRUE(encode(shape, update({"1", "a", "t", "3"}, {"1", "b", "t", "4"})).empty());
  EXPECT_EQ(encode(shape, update({"1", "a", "t", "3"}, {"1", "b", "f", "4"})).size(), 1U);
  EXPECT_TRUE(encode(with_where(""), update({"1", "a", "t", "3"}, {"1", "a", "t", "3"})).empty());
}

TEST(LogItem, AChangedKeyIsADeleteAndAnInsertThatNameEachOther) {
  EXPECT_EQ(
      encode(with_where(""), update({"1", "a", "t", "3"}, {"2", "a", "t", "3"}, 2)),
      (std::vector<std::string>{
          R"(26884928_2 {"key":"\"public\".\"items\"/\"1\"","value":{"id":"1"},"headers":{"operation":"delete",)"
          R"("relation":["public","items"],"txids":[1234],"lsn":"26884928","op_position":2,)"
          R"("key_change_to":"\"public\".\"items\"/\"2\""}})",
          R"(26884928_3 {"key":"\"public\".\"items\"/\"2\"","value":{"done":"t","id":"2","prio":"3","title":"a"},)"
          R"("headers":{"operation":"insert","relation":["public","items"],"txids":[1234],"lsn":"26884928",)"
          R"("op_position":3,"key_change_from":"\"public\".\"items\"/\"1\""}})"}));
}

TEST(LogItem, WithoutAPrimaryKeyEveryColumnIsTheKey) {
  postgres::RelationInfo relation = items();
  relation.name = {"public", "nopk"};
  for (auto& column : relation.columns) column.key_position = 0;
  const auto texts =
      encode(define(relation), update({"a/b", "x", nullptr, ""}, {"a/b", "y", nullptr, ""}));
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_NE(
      texts[0].find(
          R"("key":"\"public\".\"nopk\"/\"a//b\"/\"x\"/_/\"\"","value":{"done":null,"id":"a/b",)"
          R"("prio":"","title":"x"})"),
      std::string::npos)
      << texts[0];
  EXPECT_NE(texts[1].find(R"("operation":"insert")"), std::string::npos);
}

TEST(RowKey, TakesKeyColumnsInTheKeysOrderAndDoublesNamesLikeTheStream) {
  postgres::RelationInfo relation;
  relation.oid = {5};
  relation.name = {"public", "a/b.c\"d"};
  relation.columns = {make_column("second", 25, "text", 2), make_column("x", 25, "text"),
                      make_column("first", 25, "text", 1)};
  const auto texts = encode(define(relation), insertion({"2", "x", "1\""}));
  EXPECT_NE(texts.at(0).find(R"({"key":"\"public\".\"a//b..c\"d\"/\"1\"\"/\"2\"",)"),
            std::string::npos)
      << texts[0];
}

TEST(RowKey, IsTheSameInSnapshotAndStreamForTypesWhoseTextDiffers) {
  postgres::RelationInfo relation;
  relation.oid = {5};
  relation.name = {"public", "k"};
  relation.columns = {make_column("b", 16, "bool", 1), make_column("c", 1042, "bpchar", 2),
                      make_column("i", 869, "inet", 3)};
  relation.columns[1].type_modifier = 8;
  const Definition shape = define(relation);
  const std::string stream = encode(shape, insertion({"t", "\xc3\xa9   ", "10.0.0.1"})).at(0);
  const std::string key = R"("key":"\"public\".\"k\"/\"t\"/\")"
                          "\xc3\xa9"
                          R"(   \"/\"10.0.0.1\"")";
  EXPECT_NE(stream.find(key), std::string::npos) << stream;
  for (const auto& cells :
       {std::vector<std::optional<std::string_view>>{"true", "\xc3\xa9", "10.0.0.1/32"},
        {"t", "\xc3\xa9   ", "10.0.0.1"}}) {
    const std::string row = snapshot_row(shape, cells);
    EXPECT_NE(row.find(key), std::string::npos) << row;
    EXPECT_NE(row.find("\"value\":{\"b\":\"true\",\"c\":\"\xc3\xa9   \",\"i\":\"10.0.0.1\"}"),
              std::string::npos)
        << row;
  }
}

TEST(LogItem, EndsSoThatTheLastMarkCanBeInserted) {
  for (const auto& text :
       encode(with_where(""), update({"1", "a", "t", "3"}, {"2", "a", "t", "3"})))
    EXPECT_TRUE(text.ends_with("}}"));
}

TEST(EncodingKey, IsSharedByShapesThatDifferOnlyInTheirCondition) {
  const Hash128 key = encoding_key(with_where(""));
  EXPECT_EQ(encoding_key(with_where("prio = 1")), key);
  EXPECT_EQ(
      encoding_key(define(items(), {.table = {}, .columns = {{"id", "title", "done", "prio"}}})),
      key);
  EXPECT_NE(encoding_key(with_where("", Replica::full)), key);
  EXPECT_NE(encoding_key(define(items(), {.table = {}, .columns = {{"id"}}})), key);
  auto other = items();
  other.oid = {7};
  EXPECT_NE(encoding_key(define(other)), key);
}

}  // namespace
}  // namespace holdfast::shape
