// Inner shapes are ordinary shapes: what a clause with subqueries resolves to, what of it is
// identity, and that a boot parses nothing (engine.md L-0, §3.1, §8.8).
#include "core/shape/definition.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::shape {
namespace {

using test::make_column;

postgres::RelationInfo projects() {
  postgres::RelationInfo made;
  made.oid = {16400};
  made.name = {"public", "projects"};
  made.columns = {make_column("id", 20, "int8", 1), make_column("owner", 20, "int8"),
                  make_column("prio", 23, "int4"), make_column("title", 25, "text")};
  return made;
}

postgres::RelationInfo people() {
  postgres::RelationInfo made;
  made.oid = {16500};
  made.name = {"public", "people"};
  made.columns = {make_column("id", 20, "int8", 1), make_column("active", 16, "bool")};
  return made;
}

Result<Definition, DefinitionError> resolve(const std::string& where,
                                            const where::Relations& relations) {
  const postgres::RelationInfo relation = test::items();
  return Definition::resolve({.table = relation.name, .columns = {}, .where = where}, relation,
                             &relations);
}

Definition resolved(const std::string& where) {
  auto made = resolve(where, {projects(), people()});
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return std::move(made).value();
}

const char* const k_nested =
    "id IN (SELECT owner FROM projects WHERE id IN (SELECT id FROM people WHERE active)) OR prio = "
    "3";

TEST(Dependencies, AreDefinitionsOfTheirOwn) {
  const Definition outer = resolved(k_nested);
  ASSERT_EQ(outer.dependencies().size(), 1U);
  const Definition& middle = *outer.dependencies().front().inner;
  EXPECT_EQ(middle.relation().name.table, "projects");
  EXPECT_EQ(middle.selected(), (std::vector<std::uint16_t>{0, 1})) << "the link and the key";
  EXPECT_EQ(outer.dependencies().front().link, std::vector<std::uint16_t>{1});
  ASSERT_EQ(middle.dependencies().size(), 1U);
  const Definition& innermost = *middle.dependencies().front().inner;
  EXPECT_EQ(innermost.condition()->canonical_sql(), "\"active\"");
  EXPECT_TRUE(innermost.dependencies().empty());
  // The same as what a client gets who asks for it.
  const postgres::RelationInfo relation = people();
  const auto asked = Definition::resolve(
      {.table = relation.name, .columns = std::vector<std::string>{"id"}, .where = "(active)"},
      relation);
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->identity(), innermost.identity());
}

TEST(Dependencies, KeepTheOrderOfTheirColumnsAndShareTheirShape) {
  const Definition straight = resolved("(id, prio) IN (SELECT owner, prio FROM projects)");
  const Definition crossed = resolved("(prio, id) IN (SELECT prio, owner FROM projects)");
  EXPECT_EQ(straight.dependencies()[0].link, (std::vector<std::uint16_t>{1, 2}));
  EXPECT_EQ(crossed.dependencies()[0].link, (std::vector<std::uint16_t>{2, 1}));
  EXPECT_EQ(straight.dependencies()[0].inner->identity(),
            crossed.dependencies()[0].inner->identity());
  EXPECT_NE(straight.identity(), crossed.identity());
}

TEST(Dependencies, AreAskedForOneTableAtATime) {
  where::Relations known;
  std::vector<std::string> asked;
  for (;;) {
    const auto made = resolve(k_nested, known);
    if (made.ok()) break;
    ASSERT_TRUE(made.error().missing.has_value()) << made.error().message;
    asked.push_back(made.error().missing->table);
    known.push_back(asked.back() == "people" ? people() : projects());
  }
  EXPECT_EQ(asked, (std::vector<std::string>{"projects", "people"}));
}

TEST(Dependencies, ArePartOfAnIdentity) {
  const Definition made = resolved(k_nested);
  EXPECT_EQ(made.identity(), resolved(k_nested).identity());
  auto renumbered = projects();
  renumbered.oid = {99};  // dropped and made again
  const auto other = resolve(k_nested, {renumbered, people()});
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other->identity(), made.identity());
}

TEST(Dependencies, AreReadBackFromTheBytesOfTheirOuterShape) {
  const Definition made = resolved(k_nested);
  const std::string bytes = made.serialize();
  auto read = Definition::deserialize(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->identity(), made.identity());
  EXPECT_EQ(read->serialize(), bytes);
  ASSERT_EQ(read->dependencies().size(), 1U);
  EXPECT_EQ(read->dependencies()[0].inner->dependencies().size(), 1U);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(Definition::deserialize(bytes.substr(0, size)).ok()) << size;
}

TEST(Dependencies, RefuseWhatAnInnerShapeCannotHave) {
  auto generated = projects();
  generated.columns[1].generated = true;
  const auto made = resolve("id IN (SELECT owner FROM projects)", {generated});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().field, "columns");
  EXPECT_EQ(made.error().message,
            "The following columns are generated and cannot be included in the shape: owner");
}

}  // namespace
}  // namespace holdfast::shape
