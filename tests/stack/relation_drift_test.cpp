// Which changes of a table end a shape, and how the tuples of a changed table are brought into the
// order that the shape knows.
#include "core/stack/connection/relation_drift.hpp"

#include <gtest/gtest.h>

#include "tests/shape/sample_shape.hpp"

namespace holdfast::stack {
namespace {

using postgres::StreamRelation;
using shape::Definition;
using shape::test::define;
using shape::test::items;
using shape::test::make_column;
using shape::test::tuple;
using shape::test::with_where;

/// items as the stream describes it.
StreamRelation streamed() {
  StreamRelation relation;
  const postgres::RelationInfo info = items();
  relation.oid = info.oid;
  relation.name = info.name;
  relation.replica_identity = 'f';
  for (const postgres::ColumnInfo& column : info.columns)
    relation.columns.push_back({column.name, column.type, column.type_modifier, true});
  return relation;
}

StreamRelation without(const char* column) {
  StreamRelation relation = streamed();
  std::erase_if(relation.columns, [&](const auto& c) { return c.name == column; });
  return relation;
}

StreamRelation with_another_type(const char* column) {
  StreamRelation relation = streamed();
  for (StreamRelation::Column& c : relation.columns)
    if (c.name == column) c.type = {1700};
  return relation;
}

Definition selecting(std::vector<std::string> columns, const char* where = "") {
  shape::DefinitionRequest request;
  request.columns = std::move(columns);
  request.where = where;
  return define(items(), request);
}

TEST(Affects, TheSameTableDoesNotEndAShape) {
  EXPECT_FALSE(affects(streamed(), with_where("prio > 3")));
  EXPECT_FALSE(affects(streamed(), selecting({"id", "title"})));
}

TEST(Affects, AnotherTableDoesNotEndAShape) {
  StreamRelation other = streamed();
  other.oid = {99};
  other.name = {"public", "orders"};
  other.columns.clear();
  EXPECT_FALSE(affects(other, with_where("")));
}

TEST(Affects, ARenamedTableEndsAShape) {
  StreamRelation renamed = streamed();
  renamed.name.table = "things";
  EXPECT_TRUE(affects(renamed, selecting({"id"})));
}

TEST(Affects, ATableMovedToAnotherSchemaEndsAShape) {
  StreamRelation moved = streamed();
  moved.name.schema = "archive";
  EXPECT_TRUE(affects(moved, selecting({"id"})));
}

TEST(Affects, AnotherTableUnderTheSameNameEndsAShape) {
  StreamRelation successor = streamed();
  successor.oid = {99};
  EXPECT_TRUE(affects(successor, selecting({"id"})));
}

TEST(Affects, AnyColumnThatComesOrGoesEndsAShapeOfAllColumns) {
  StreamRelation wider = streamed();
  wider.columns.push_back({"note", {25}, -1, false});
  EXPECT_TRUE(affects(wider, with_where("")));
  EXPECT_TRUE(affects(without("title"), with_where("")));
}

TEST(Affects, AColumnThatTheShapeDoesNotNeedMayChange) {
  EXPECT_FALSE(affects(without("title"), selecting({"id", "done"})));
  EXPECT_FALSE(affects(with_another_type("title"), selecting({"id", "done"})));
}

TEST(Affects, AColumnThatItSelectsOrReadsMayNot) {
  EXPECT_TRUE(affects(without("done"), selecting({"id", "done"})));
  EXPECT_TRUE(affects(with_another_type("done"), selecting({"id", "done"})));
  EXPECT_TRUE(affects(without("prio"), selecting({"id"}, "prio > 3")));
  EXPECT_TRUE(affects(with_another_type("prio"), selecting({"id"}, "prio > 3")));
}

TEST(Affects, AnotherTypeModifierIsAnotherType) {
  StreamRelation relation = streamed();
  relation.columns[1].type_modifier = 24;
  EXPECT_TRUE(affects(relation, selecting({"id", "title"})));
}

TEST(Affects, AnotherReplicaIdentityOrOrderDoesNotEndAShape) {
  StreamRelation relation = streamed();
  relation.replica_identity = 'd';
  std::swap(relation.columns[1], relation.columns[2]);
  EXPECT_FALSE(affects(relation, with_where("")));
}

TEST(Affects, AGeneratedColumnIsNotMissedInTheStream) {
  postgres::RelationInfo info = items();
  info.columns.push_back(make_column("twice", 23, "int4"));
  info.columns.back().generated = true;
  EXPECT_FALSE(
      affects(streamed(), define(info, {.table = {}, .columns = std::vector<std::string>{"id"}})));
}

TEST(Affects, WithoutAKeyAnyColumnNamesRows) {
  postgres::RelationInfo keyless = items();
  keyless.columns[0].key_position = 0;
  StreamRelation wider = streamed();
  wider.columns.push_back({"note", {25}, -1, false});
  EXPECT_TRUE(affects(
      wider,
      define(keyless,
             {.table = {}, .columns = std::vector<std::string>{"id", "title", "done", "prio"}})));
}

// -- the catalogue --------------------------------------------------------------------------------

TEST(Fits, TheTableAsItWas) {
  EXPECT_TRUE(fits(items(), with_where("prio > 3")));
  EXPECT_TRUE(fits(items(), selecting({"id", "title"})));
}

TEST(Fits, NotTheTableThatTookItsName) {
  postgres::RelationInfo again = items();
  again.oid = {99};
  EXPECT_FALSE(fits(again, selecting({"id", "title"})));
}

TEST(Fits, NotUnderAnotherName) {
  postgres::RelationInfo renamed = items();
  renamed.name.table = "things";
  EXPECT_FALSE(fits(renamed, selecting({"id", "title"})));
}

TEST(Fits, AColumnThatTheShapeDoesNotNeedMayComeChangeAndGo) {
  postgres::RelationInfo now = items();
  now.columns.push_back(make_column("note", 25, "text"));
  EXPECT_TRUE(fits(now, selecting({"id", "title"})));
  EXPECT_FALSE(fits(now, with_where(""))) << "it selects all";
  now = items();
  now.columns[3].type = {20};
  EXPECT_TRUE(fits(now, selecting({"id", "title"})));
  now.columns.pop_back();
  EXPECT_TRUE(fits(now, selecting({"id", "title"})));
}

TEST(Fits, NotIfAColumnThatItSelectsOrReadsHasChanged) {
  for (const std::size_t column : {1U, 3U})
    for (const auto change : {+[](postgres::ColumnInfo& c) { c.type = {1700}; },
                              +[](postgres::ColumnInfo& c) { c.type_modifier = 24; },
                              +[](postgres::ColumnInfo& c) { c.name = "other"; }}) {
      postgres::RelationInfo now = items();
      change(now.columns[column]);
      EXPECT_FALSE(fits(now, selecting({"id", "title"}, "prio > 3"))) << column;
      EXPECT_EQ(fits(now, selecting({"id", "done"})), true) << column;
    }
}

// http-api.md §18.4. Clients that were told NOT NULL take no NULL.
TEST(Fits, IfAColumnHasBecomeNotNullButNotIfNullable) {
  postgres::RelationInfo now = items();
  for (postgres::ColumnInfo& column : now.columns) column.not_null = true;
  EXPECT_TRUE(fits(now, with_where("prio > 3")));
  EXPECT_TRUE(fits(now, selecting({"id", "title"}, "prio > 3")));
  for (postgres::ColumnInfo& column : now.columns) column.not_null = false;
  EXPECT_FALSE(fits(now, with_where("prio > 3")));
  EXPECT_FALSE(fits(now, selecting({"id", "title"}, "prio > 3")));
}

TEST(Fits, NotWithAnotherPrimaryKey) {
  postgres::RelationInfo now = items();
  now.columns[3].key_position = 2;
  EXPECT_FALSE(fits(now, selecting({"id", "title"}))) << "rows have other keys";
  now = items();
  now.columns[0].key_position = 0;
  EXPECT_FALSE(fits(now, selecting({"id", "title"})));
}

TEST(Describes, WhatTheStreamTellsAndNoMore) {
  postgres::RelationInfo info = items();
  info.columns[1].not_null = true;
  EXPECT_TRUE(describes(streamed(), info)) << "nullability is not in the stream";
  EXPECT_FALSE(describes(without("done"), info));
  EXPECT_FALSE(describes(with_another_type("prio"), info));
}

// -- positions ------------------------------------------------------------------------------------

TEST(ColumnMapping, EqualPositionsNeedNone) {
  EXPECT_EQ(column_mapping(streamed(), with_where("")), std::nullopt);
}

TEST(ColumnMapping, MovedColumnsAreFoundByName) {
  StreamRelation relation = streamed();
  std::swap(relation.columns[1], relation.columns[2]);
  EXPECT_EQ(column_mapping(relation, with_where("")), (std::vector<std::uint16_t>{0, 2, 1, 3}));
}

TEST(ColumnMapping, AColumnThatIsGoneIsAbsent) {
  EXPECT_EQ(column_mapping(without("title"), selecting({"id"})),
            (std::vector<std::uint16_t>{0, k_absent, 1, 2}));
}

TEST(ColumnMapping, AColumnAddedAtTheEndNeedsOne) {
  StreamRelation wider = streamed();
  wider.columns.push_back({"note", {25}, -1, false});
  EXPECT_EQ(column_mapping(wider, selecting({"id"})), (std::vector<std::uint16_t>{0, 1, 2, 3}));
}

TEST(Remap, BringsBothTuplesIntoTheDefinitionsOrder) {
  const postgres::Change change = shape::test::update({"1", "t", nullptr}, {"1", "f", "7"}, 4);
  const postgres::Change mapped = remap(change, {0, k_absent, 1, 2});
  EXPECT_EQ(mapped.kind, postgres::ChangeKind::update);
  EXPECT_EQ(mapped.op, 4U);
  EXPECT_EQ(mapped.old_tuple, tuple({"1", nullptr, "t", nullptr}));
  EXPECT_EQ(mapped.new_tuple, tuple({"1", nullptr, "f", "7"}));
}

TEST(Remap, ATupleThatIsNotThereStaysSo) {
  const std::vector<std::uint16_t> mapping = {1, 0};
  const postgres::Change inserted = remap(shape::test::insertion({"a", "b"}), mapping);
  EXPECT_TRUE(inserted.old_tuple.empty());
  EXPECT_EQ(inserted.new_tuple, tuple({"b", "a"}));
  EXPECT_TRUE(remap(shape::test::deletion({"a", "b"}), mapping).new_tuple.empty());
}

}  // namespace
}  // namespace holdfast::stack
