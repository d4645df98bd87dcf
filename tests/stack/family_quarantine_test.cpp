// Shapes with subqueries whose consumers die of their input: neither they nor what they refer to
// holds the stream. They are set aside with the shapes above them, and miss nothing afterwards.
#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using sim::postgres::Statement;
using sim::postgres::TypeId;

/// One reader and what it knows of its shape.
struct Reader {
  std::string where;
  std::string handle = {};
  std::string offset = "-1";
  std::string log = {};
  int status = 0;
};

class FamilyQuarantine : public ::testing::Test, public test::WholeEngine {
 protected:
  FamilyQuarantine() {
    engine_.stack.quarantine_retry = std::chrono::seconds(20);
    create_table("projects", {{"id", TypeId::int8, true, 1}});
    create_table("tasks", {{"id", TypeId::int8, true, 1}, {"project", TypeId::int8}});
    write({insert("projects", {{"id", "1"}}), insert("tasks", {{"id", "1"}, {"project", "1"}})});
  }
  void serve(const Guards& guards = Guards::all()) {
    start(guards);
    for (Reader* reader : {&outer_, &plain_}) read(*reader);
    pass(std::chrono::seconds(1));
  }
  void read(Reader& reader) {
    for (;;) {
      const std::string known = reader.handle.empty() ? "" : "&handle=" + reader.handle;
      const auto answer =
          ask("/v1/shape?table=tasks&where=" + reader.where + "&offset=" + reader.offset + known);
      reader.status = answer.status;
      if (answer.status != 200) return;
      reader.log += answer.body;
      reader.handle = *answer.header("electric-handle");
      reader.offset = *answer.header("electric-offset");
      if (answer.header("electric-up-to-date") != nullptr) return;
    }
  }
  /// Its consumer dies of all that it is given, until cure(). The inner one is that which has a
  /// materializer.
  enum class Whose : std::uint8_t { outer, inner };
  void poison(Whose whose) {
    const auto materializer = process("materializer");
    ASSERT_TRUE(materializer.has_value());
    const std::string key = materializer->path.substr(materializer->path.rfind('[') + 1);
    const std::string inner = "/consumer[" + key.substr(0, key.find('/')) + "]";
    const std::string outer = "/consumer[" + outer_.handle + "]";
    victim_ = whose == Whose::inner ? inner : outer;
    executor_.on_step([this](const sim::StepInfo& step) {
      if (victim_.empty() || step.label.text != "Consumer::deliver") return;
      if (step.path.find(victim_) != std::string::npos) step.instance->kill(step.process);
    });
  }
  void cure() { victim_.clear(); }

  static Statement task(int id, int project) {
    return insert("tasks", {{"id", std::to_string(id)}, {"project", std::to_string(project)}});
  }
  static Statement project(int id) { return insert("projects", {{"id", std::to_string(id)}}); }
  bool confirmed() {
    const auto slot = postgres_.slot(engine_.stack.slot);
    return slot && slot->confirmed_flush >= postgres_.flushed_position();
  }
  /// Keys that its log inserts.
  static std::vector<int> inserted(const Reader& reader) {
    std::vector<int> ids;
    constexpr std::string_view k_key = R"(\"tasks\"/\")";
    for (std::size_t at = 0; (at = reader.log.find(k_key, at)) != std::string::npos; ++at)
      ids.push_back(std::stoi(reader.log.substr(at + k_key.size())));
    return ids;
  }

  Reader outer_{"project+IN+(SELECT+id+FROM+projects)"};
  Reader plain_{"id+%3E+0"};
  std::string victim_;
};

TEST_F(FamilyQuarantine, AnOuterShapeIsSetAsideAndTheOthersGoOn) {
  serve();
  poison(Whose::outer);
  write({task(2, 1)});
  pass(std::chrono::seconds(5));
  write({project(2), task(3, 2), task(4, 1)});
  pass(std::chrono::seconds(8));
  read(plain_);
  read(outer_);
  EXPECT_EQ(plain_.status, 200);
  EXPECT_EQ(inserted(plain_), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(outer_.status, 503);
  EXPECT_TRUE(confirmed()) << "one poisoned shape holds up the stream";
  cure();
  pass(std::chrono::seconds(40));
  read(outer_);
  EXPECT_EQ(outer_.status, 200);
  auto ids = inserted(outer_);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(FamilyQuarantine, AnInnerShapeTakesThoseAboveItAlong) {
  serve();
  poison(Whose::inner);
  write({project(2), task(2, 1), task(3, 2)});
  pass(std::chrono::seconds(8));
  read(plain_);
  read(outer_);
  EXPECT_EQ(inserted(plain_), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(outer_.status, 503);
  EXPECT_TRUE(reached(Mark::quarantined_with_its_subquery));
  // One that is asked for now is no better off.
  Reader late{"project+IN+(SELECT+id+FROM+projects)+AND+id+%3E+0"};
  read(late);
  EXPECT_EQ(late.status, 503);
  EXPECT_TRUE(confirmed());
  cure();
  pass(std::chrono::seconds(60));
  for (Reader* reader : {&outer_, &late}) {
    read(*reader);
    EXPECT_EQ(reader->status, 200);
    auto ids = inserted(*reader);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(ids, (std::vector<int>{1, 2, 3}));
  }
}

TEST_F(FamilyQuarantine, GoesOnAfterARestart) {
  serve();
  poison(Whose::inner);
  write({project(2), task(2, 1), task(3, 2)});
  pass(std::chrono::seconds(8));
  instance_->kill();
  start();
  read(outer_);
  EXPECT_EQ(outer_.status, 503) << "what it rests on is still set aside";
  write({project(3), task(4, 3)});
  cure();
  pass(std::chrono::seconds(60));
  read(outer_);
  EXPECT_EQ(outer_.status, 200);
  auto ids = inserted(outer_);
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(FamilyQuarantine, WithoutItTheStreamIsHeld) {
  for (const Whose whose : {Whose::outer, Whose::inner}) {
    struct Held : FamilyQuarantine {
      void TestBody() override {}
      void run(Whose victim) {
        Guards guards = Guards::all();
        guards.switch_off(Guard::poisoned_shape_is_quarantined);
        serve(guards);
        poison(victim);
        write({project(2), task(2, 1)});
        pass(std::chrono::seconds(60));
        read(plain_);
        EXPECT_EQ(inserted(plain_), (std::vector<int>{1}));
        EXPECT_FALSE(confirmed());
      }
    } held;
    held.run(whose);
  }
}

TEST_F(FamilyQuarantine, InputThatIsNotStoredIsMissed) {
  Guards guards = Guards::all();
  guards.switch_off(Guard::quarantined_input_is_stored);
  serve(guards);
  poison(Whose::outer);
  write({task(2, 1)});
  pass(std::chrono::seconds(5));
  cure();
  pass(std::chrono::seconds(60));
  read(outer_);
  EXPECT_EQ(outer_.status, 200);
  EXPECT_EQ(inserted(outer_), std::vector<int>{1});
}

}  // namespace
}  // namespace holdfast::stack
