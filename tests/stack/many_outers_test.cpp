// A thousand shapes with subqueries: what a change of an inner table costs follows from the shapes
// that have the value in their views, and not from how many others there are. Counted in steps and
// messages of the whole engine, on 1,000 shapes and on 10 of which as many are concerned.
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::Statement;
using sim::postgres::StatementKind;
using sim::postgres::TypeId;

/// What the engine did.
struct Work {
  std::uint64_t steps = 0;
  std::uint64_t messages = 0;
  bool operator==(const Work&) const = default;
};

/// For readers of a failed test.
void PrintTo(const Work& work, std::ostream* out) {
  *out << work.steps << " steps, " << work.messages << " messages";
}

class Crowd : public test::WholeEngine {
 public:
  Crowd() {
    create_table("projects", {{"id", TypeId::int8, true, 1}});
    create_table("people", {{"id", TypeId::int8, true, 1}});
    create_table(
        "members",
        {{"id", TypeId::int8, true, 1}, {"person", TypeId::int8}, {"project", TypeId::int8}});
    create_table(
        "tasks",
        {{"id", TypeId::int8, true, 1}, {"project", TypeId::int8}, {"owner", TypeId::int8}});
    write({insert("projects", {{"id", "1"}}), insert("people", {{"id", "1"}})});
    start();
  }
  /// All refer to one inner shape: those that are concerned to `projects`, the others to another.
  void share_inner_shapes(unsigned shapes, unsigned concerned) {
    for (unsigned i = 0; i < shapes; ++i)
      serve((i < concerned ? "project IN (SELECT id FROM projects)"
                           : "owner IN (SELECT id FROM people)") +
            std::string(" AND id > -") + std::to_string(i + 1));
    pass(std::chrono::seconds(30));
  }
  /// Each has an inner shape of its own: the projects of one member. Project 1 is in the results of
  /// those that are concerned, 2 in those of the others.
  void have_inner_shapes_of_their_own(unsigned shapes, unsigned concerned) {
    for (unsigned i = 0; i < shapes; ++i) {
      const std::string person = std::to_string(i);
      write({insert("members",
                    {{"id", person}, {"person", person}, {"project", i < concerned ? "1" : "2"}})});
      serve("project IN (SELECT project FROM members WHERE person = " + person + ")");
    }
    pass(std::chrono::seconds(30));
  }
  Work work_of(const Statement& statement) {
    const Work before = now();
    write({statement});
    pass(std::chrono::seconds(4));
    const Work after = now();
    return {after.steps - before.steps, after.messages - before.messages};
  }

  static Statement insert_project() { return insert("projects", {{"id", "2"}}); }
  static Statement erase_project() {
    Statement statement;
    statement.kind = StatementKind::erase;
    statement.table = {"public", "projects"};
    statement.where = {{"id", "2"}};
    return statement;
  }
  static Statement insert_task() {
    return insert("tasks", {{"id", "8"}, {"project", "1"}, {"owner", "7"}});
  }
  static Statement insert_member() {
    return insert("members", {{"id", "5000"}, {"person", "0"}, {"project", "9"}});
  }

 private:
  void serve(std::string where) {
    for (std::size_t at; (at = where.find(' ')) != std::string::npos;) where.replace(at, 1, "+");
    for (std::size_t at; (at = where.find('>')) != std::string::npos;) where.replace(at, 1, "%3E");
    const auto answer = ask("/v1/shape?table=tasks&offset=-1&where=" + where);
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  Work now() {
    const runtime::Counters& counters = runtime().counters();
    return {counters.steps, counters.messages};
  }
};

constexpr unsigned k_few = 3;
constexpr unsigned k_many = 300;

/// At most in proportion to who is concerned.
void expect_proportional(const Work& few, const Work& many) {
  EXPECT_LE(many.steps, few.steps * k_many / k_few);
  EXPECT_LE(many.messages, few.messages * k_many / k_few);
}

TEST(ManyOuters, AToggleOfOneInnerValueCostsWhatItsHoldersCost) {
  Crowd few;
  few.share_inner_shapes(1'000, k_few);
  Crowd small;
  small.share_inner_shapes(10, k_few);
  Crowd many;
  many.share_inner_shapes(1'000, k_many);
  const Work in = few.work_of(Crowd::insert_project());
  EXPECT_EQ(in, small.work_of(Crowd::insert_project()));
  expect_proportional(in, many.work_of(Crowd::insert_project()));
  const Work out = few.work_of(Crowd::erase_project());
  EXPECT_EQ(out, small.work_of(Crowd::erase_project()));
  expect_proportional(out, many.work_of(Crowd::erase_project()));
}

TEST(ManyOuters, ARowOfTheOuterTableGoesToThoseWhoseViewsHaveItsValue) {
  Crowd few;
  few.have_inner_shapes_of_their_own(1'000, k_few);
  Crowd small;
  small.have_inner_shapes_of_their_own(10, k_few);
  Crowd many;
  many.have_inner_shapes_of_their_own(1'000, k_many);
  const Work inserted = few.work_of(Crowd::insert_task());
  EXPECT_EQ(inserted, small.work_of(Crowd::insert_task()));
  expect_proportional(inserted, many.work_of(Crowd::insert_task()));
  // A row of the inner table goes to the one inner shape that may have it.
  const Work joined = few.work_of(Crowd::insert_member());
  EXPECT_EQ(joined, small.work_of(Crowd::insert_member()));
  EXPECT_EQ(joined, many.work_of(Crowd::insert_member()));
}

}  // namespace
}  // namespace holdfast::stack
