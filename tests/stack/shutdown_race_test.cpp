// Bug 6 at its own level: an inner shape's consumer calls its materializer inline, and that dies
// while the engine stops. Whatever it died of, the shape is there after the restart as long as one
// of the three guards of the cut is on; with none it was removed, for no cause that a client could
// be told. Real processes throughout; the race is made by whom the scheduler lets run.
#include "core/base/guard_list.hpp"
#include "core/base/mark_list.hpp"
#include "core/stack/names.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack {
namespace {

using runtime::ExitKind;
using runtime::ExitReason;
using sim::postgres::TypeId;

const std::vector<Guard> k_cut = {Guard::materializer_exit_is_not_a_crash,
                                  Guard::consumer_crash_is_not_removal,
                                  Guard::no_removal_while_stopping};

constexpr const char* k_shape =
    "/v1/shape?table=tasks&where=project%20IN%20(SELECT%20id%20FROM%20projects)";

ExitReason reason_of(ExitKind kind) {
  switch (kind) {
    case ExitKind::normal:
      return ExitReason::normal();
    case ExitKind::shutdown:
      return ExitReason::shutdown();
    case ExitKind::killed:
      return ExitReason::killed();
    case ExitKind::crash:
      return ExitReason::crash("of something else");
    case ExitKind::noproc:
    case ExitKind::timeout:
      break;
  }
  ADD_FAILURE() << "no process ends so";
  return {};
}

class ShutdownRace : public ::testing::TestWithParam<ExitKind>, public test::WholeEngine {
 protected:
  /// A shape with a subquery, served to its end.
  void serve(const Guards& guards) {
    create_table("projects", {{"id", TypeId::int8, true, 1}});
    create_table("tasks", {{"id", TypeId::int8, true, 1}, {"project", TypeId::int8}});
    write({insert("projects", {{"id", "1"}}), insert("tasks", {{"id", "7"}, {"project", "1"}})});
    start(guards);
    const protocol::Response first = ask(std::string(k_shape) + "&offset=-1");
    ASSERT_EQ(first.status, 200) << first.body;
    handle_ = *first.header("electric-handle");
    offset_ = *first.header("electric-offset");
    const auto materializer = process("materializer");
    ASSERT_TRUE(materializer.has_value());
    materializer_ = *materializer;
    const std::string& path = materializer_.path;
    consumer_.value = std::stoull(path.substr(path.rfind('/') + 1));
    pass(std::chrono::seconds(1));
  }
  runtime::ProcessInfo consumer() {
    for (runtime::ProcessInfo& info : runtime().processes())
      if (info.id == consumer_) return std::move(info);
    return {};
  }
  bool stopping() { return !runtime().whereis(names::shape_cache.text).valid(); }
  void stop() {
    instance_->stop([] {});
    until([&] { return stopping(); });
  }

  /// The call is under way when its callee ends.
  void materializer_ends_during_the_call(ExitKind kind) {
    executor_.freeze(materializer_.path);
    write({insert("projects", {{"id", "2"}})});
    until([&] { return consumer().callee == materializer_.id; });
    stop();
    runtime().send_exit(materializer_.id, reason_of(kind));
    executor_.thaw(materializer_.path);
  }
  /// The callee has ended when the call begins: only now does the consumer come to it.
  void call_comes_after_the_materializer() {
    const std::string path = consumer().path;
    executor_.freeze(path);
    write({insert("projects", {{"id", "2"}})});
    until([&] { return consumer().mailbox_size > 0; });
    stop();
    until([&] { return !runtime().alive(materializer_.id); });
    executor_.stall(runtime(), runtime().whereis(names::shapes.text), std::chrono::seconds(1));
    executor_.thaw(path);
  }

  /// What a client that goes on where it was is told after the restart.
  int status_after_the_race(const Guards& guards) {
    serve(guards);
    if (GetParam() == ExitKind::noproc)
      call_comes_after_the_materializer();
    else
      materializer_ends_during_the_call(GetParam());
    until([&] { return instance_->ended(); });
    EXPECT_TRUE(reached(Mark::inline_call_exited_while_stopping)) << "this was not the race";
    start();
    return ask(std::string(k_shape) + "&handle=" + handle_ + "&offset=" + offset_).status;
  }
  static Guards without_the_cut() {
    Guards guards = Guards::all();
    for (const Guard guard : k_cut) guards.switch_off(guard);
    return guards;
  }
  Guards only(Guard guard) {
    Guards guards = Guards::all();
    for (const Guard other : k_cut)
      if (other != guard) guards.switch_off(other);
    return guards;
  }

  std::string handle_;
  std::string offset_;
  runtime::ProcessInfo materializer_;
  runtime::ProcessId consumer_;
};

TEST_P(ShutdownRace, WithoutTheCutTheShapeIsRemoved) {
  EXPECT_EQ(status_after_the_race(without_the_cut()), 409);
}

TEST_P(ShutdownRace, ThatTheMaterializersEndIsNoCrashSuffices) {
  EXPECT_EQ(status_after_the_race(only(Guard::materializer_exit_is_not_a_crash)), 200);
  EXPECT_EQ(
      events_.last["materializer_gone"]["reason"],
      (GetParam() == ExitKind::noproc ? ExitReason::noproc() : reason_of(GetParam())).to_string());
}

TEST_P(ShutdownRace, ThatAConsumersCrashIsNoRemovalSuffices) {
  EXPECT_EQ(status_after_the_race(only(Guard::consumer_crash_is_not_removal)), 200);
}

TEST_P(ShutdownRace, ThatNothingIsRemovedWhileStoppingSuffices) {
  EXPECT_EQ(status_after_the_race(only(Guard::no_removal_while_stopping)), 200);
}

INSTANTIATE_TEST_SUITE_P(OfEveryReason, ShutdownRace,
                         ::testing::Values(ExitKind::normal, ExitKind::shutdown, ExitKind::killed,
                                           ExitKind::noproc, ExitKind::crash),
                         [](const auto& kind) {
                           switch (kind.param) {
                             case ExitKind::normal:
                               return "normal";
                             case ExitKind::shutdown:
                               return "shutdown";
                             case ExitKind::killed:
                               return "killed";
                             case ExitKind::noproc:
                               return "noproc";
                             case ExitKind::timeout:
                               return "timeout";
                             case ExitKind::crash:
                               return "crash";
                           }
                           return "";
                         });

}  // namespace
}  // namespace holdfast::stack
