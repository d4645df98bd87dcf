// Somebody drops the publication: what was written without it is in no stream, so all shapes end,
// and what is made anew misses nothing.
#include "core/base/mark_list.hpp"
#include "tests/stack/whole_engine.hpp"

namespace holdfast::stack::test {
namespace {

/// One shape and its client, and what is lost under them.
class LostStream : public ::testing::Test, public WholeEngine {
 protected:
  LostStream() {
    create_items();
    start();
  }
  void make_shape() { handle_ = *ask(target_ + "&offset=-1").header("electric-handle"); }
  protocol::Response go_on(const std::string& how = {}) {
    return ask(target_ + "&handle=" + handle_ + "&offset=0_0" + how);
  }
  void drop_publication() { postgres_.drop_publication(StackOptions{}.publication); }
  void write_row_2() { write({insert("items", {{"id", "2"}})}); }
  void expect_a_new_shape_with_row_2() {
    EXPECT_EQ(go_on().status, 409);
    EXPECT_NE(ask(target_ + "&offset=-1").body.find(R"("2")"), std::string::npos);
  }

  const std::string target_ = "/v1/shape?table=items";
  std::string handle_;
};

TEST_F(LostStream, OfADroppedPublicationEndsAllShapesAndTheSlotIsMadeAnew) {
  make_shape();
  drop_publication();
  postgres_.disconnect_all();
  write_row_2();
  until([&] { return reached(Mark::all_shapes_reset); });
  until([&] { return instance_->engine().health() == api::HealthStatus::active; });
  expect_a_new_shape_with_row_2();
}

// Nobody writes, so the stream does not fail; whoever publishes a table finds out. Once its shape
// was made and removed without end.
TEST_F(LostStream, OfADroppedPublicationIsFoundByANewShape) {
  drop_publication();
  EXPECT_EQ(ask(target_ + "&offset=-1").status, 200);
  EXPECT_TRUE(reached(Mark::publication_found_missing));
}

// Without a disconnection: the stream ends with the first change that is decoded without it.
TEST_F(LostStream, OfADroppedPublicationEndsWithTheNextChange) {
  make_shape();
  drop_publication();
  write_row_2();
  EXPECT_EQ(go_on("&live=true").status, 409);
  EXPECT_TRUE(reached(Mark::all_shapes_reset));
}

// Somebody makes it again after a write: no session of that slot ever gets past the write.
TEST_F(LostStream, OfAPublicationMadeAgainByHandGetsANewSlot) {
  make_shape();
  drop_publication();
  write_row_2();
  postgres_.create_publication(StackOptions{}.publication);
  EXPECT_EQ(go_on("&live=true").status, 409);
  EXPECT_TRUE(reached(Mark::all_shapes_reset));
  expect_a_new_shape_with_row_2();

  make_shape();
  postgres_.disconnect_all();
  pass(std::chrono::seconds(5));
  EXPECT_EQ(go_on().status, 200) << "the new slot is of use to every session";
}

// wal_status = lost: the slot is made anew, and everything that was made by the old one ends.
TEST_F(LostStream, OfALostSlotEndsAllShapesAndTheSlotIsMadeAnew) {
  make_shape();
  postgres_.invalidate_slot(StackOptions{}.slot);
  write_row_2();
  until([&] { return reached(Mark::all_shapes_reset); });
  expect_a_new_shape_with_row_2();
}

}  // namespace
}  // namespace holdfast::stack::test
