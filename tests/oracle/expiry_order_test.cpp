// Who expires first, on requests made by hand: "idle" was read at 10 s and by nobody since, "held"
// is waited for until it is told at 30 s that it expired.
#include "oracle/checks/expiry_order.hpp"

#include <gtest/gtest.h>

#include "tests/oracle/objections.hpp"

namespace holdfast::oracle::test {
namespace {

using protocol::ShapeHandle;

const ShapeHandle k_idle{"1-1"};
const ShapeHandle k_held{"2-1"};

Instant second(int count) {
  return Instant{} + std::chrono::seconds(count);
}

class ExpiryOrderTest : public ::testing::Test {
 protected:
  void serve(const char* spec, const ShapeHandle& handle, int sent, int answered) {
    order_.asked(spec, "c");
    order_.ended(spec, "c", second(answered));
    order_.served(spec, handle, second(sent), found_.sink());
  }
  void expire_held(int sent = 25) {
    order_.asked("held", "c");
    order_.ended("held", "c", second(30));
    order_.expired("held", second(sent), second(30));
  }

  ExpiryOrder order_;
  Objections found_;
};

TEST_F(ExpiryOrderTest, OneThatIsWaitedForExpiringBeforeAnIdleOneIsAnObjection) {
  serve("idle", k_idle, 9, 10);
  serve("held", k_held, 20, 21);
  expire_held();
  serve("idle", k_idle, 40, 41);
  EXPECT_EQ(found_.properties(), Properties{property::expiry_order});
}

TEST_F(ExpiryOrderTest, IfTheIdleOneWentAsWellAllIsRight) {
  serve("idle", k_idle, 9, 10);
  expire_held();
  serve("idle", ShapeHandle{"1-2"}, 40, 41);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(ExpiryOrderTest, NothingIsSaidOfOneThatSomebodyAsksFor) {
  serve("idle", k_idle, 9, 10);
  order_.asked("idle", "other");
  expire_held();
  order_.ended("idle", "other", second(31));
  serve("idle", k_idle, 40, 41);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(ExpiryOrderTest, NorOfARequestThatMayHaveComeTooLate) {
  serve("idle", k_idle, 9, 10);
  expire_held(30);
  serve("idle", k_idle, 40, 41);
  EXPECT_EQ(found_.properties(), Properties{});
}

TEST_F(ExpiryOrderTest, ARestartInBetweenMakesAllAlike) {
  serve("idle", k_idle, 9, 10);
  order_.disturbance_begins();
  order_.disturbance_ends(second(15));
  expire_held();
  serve("idle", k_idle, 40, 41);
  EXPECT_EQ(found_.properties(), Properties{});
}

}  // namespace
}  // namespace holdfast::oracle::test
