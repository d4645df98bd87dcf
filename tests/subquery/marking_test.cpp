// What a row's marks must agree with: with the patterns by which a move finds the row, and with
// SQL's own logic where NULL is on the left side.
#include "core/subquery/marking.hpp"

#include <gtest/gtest.h>

#include "core/base/guard_list.hpp"
#include "core/where/link_value.hpp"
#include "tests/subquery/relations.hpp"

namespace holdfast::subquery {
namespace {

postgres::RelationInfo relation(const char* name, std::uint32_t oid) {
  return two_columns(name, oid, "project", {1700}, "numeric");
}

/// Rows of tasks(id, project) in a shape with one subquery over the projects.
class Marks : public ::testing::Test {
 protected:
  Marking marking(const char* where, std::optional<Guard> off = {}) const {
    Guards guards = Guards::all();
    if (off) guards.switch_off(*off);
    auto definition = shape::Definition::resolve(
        {.table = relations_.front().name, .columns = {}, .where = where}, relations_.front(),
        &relations_);
    EXPECT_TRUE(definition.ok()) << where;
    return {
        std::make_shared<const shape::Definition>(std::move(*definition)), {"1-1"}, Rules(guards)};
  }
  static Views projects(const std::vector<std::string>& values) {
    return Views({ValueSet(values)});
  }
  static std::string packed(const char* text) {
    std::string made;
    where::append_packed(made, text);
    return made;
  }

  const where::Relations relations_ = {relation("tasks", 1), relation("projects", 2)};
};

/// Whether the move that takes project 1 in finds a task that prints it so.
bool finds(const Marking& marking, const char* printed, const std::string& value) {
  const Flips flips = marking.flips(0, {}, ValueSet({value}), {value});
  const shape::RowMarks row = marking.marks({"7", printed}, Views({ValueSet({value})}));
  return flips.ins.size() == 1 && flips.ins.front().hash == row.hashes.front();
}

TEST_F(Marks, AMoveFindsARowHoweverItsNumberIsPrinted) {
  const Marking marks = marking("project IN (SELECT id FROM projects)");
  for (const char* printed : {"1", "1.0", "1.000"})
    EXPECT_TRUE(finds(marks, printed, packed("1"))) << printed;
}

TEST_F(Marks, WithoutTheGuardAMoveMissesARowThatIsPrintedOtherwise) {
  const Marking marks =
      marking("project IN (SELECT id FROM projects)", Guard::hash_canonical_values);
  EXPECT_TRUE(finds(marks, "1", packed("1")));
  EXPECT_FALSE(finds(marks, "1.0", packed("1"))) << "F-61";
}

TEST_F(Marks, ARowWithoutAProjectIsNotOutsideOfAnyProjects) {
  const Marking marks = marking("project NOT IN (SELECT id FROM projects)");
  EXPECT_FALSE(marks.marks_if_included({"7", std::nullopt}, projects({packed("1")})));
  EXPECT_TRUE(marks.marks_if_included({"7", std::nullopt}, projects({})));
  EXPECT_TRUE(marks.marks_if_included({"7", "2"}, projects({packed("1")})));
}

TEST_F(Marks, WithoutTheGuardARowWithoutAProjectIsOutsideOfThem) {
  const Marking marks =
      marking("project NOT IN (SELECT id FROM projects)", Guard::negate_before_coercing);
  EXPECT_TRUE(marks.marks_if_included({"7", std::nullopt}, projects({packed("1")}))) << "F-32";
}

// All values of a large result at once, as rows, with NULLs on the left side: were the result
// looked through for each of them, this would take minutes.
TEST_F(Marks, ALargeChangeOfRowsCostsWhatItsValuesCost) {
  constexpr std::size_t k_values = 20'000;
  const Marking marks = marking("(id, project) NOT IN (SELECT id, id FROM projects)");
  std::vector<std::string> values;
  for (std::size_t i = 0; i < k_values; ++i) {
    const std::string number = std::to_string(i);
    values.push_back(packed(number.c_str()) + packed(number.c_str()));
  }
  const Flips flips = marks.flips(0, {}, ValueSet(values), values);
  EXPECT_TRUE(flips.ins.empty());
  EXPECT_EQ(flips.outs.size(), 3 * k_values + 1) << "(1, 1), (1, NULL), (NULL, 1), (NULL, NULL)";
}

}  // namespace
}  // namespace holdfast::subquery
