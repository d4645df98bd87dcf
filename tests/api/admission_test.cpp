// http-api.md §22: two counters that know nothing of each other, and the move between them.
#include "core/api/admission.hpp"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

std::shared_ptr<AdmissionControl> room_for(std::uint32_t initial, std::uint32_t existing) {
  return std::make_shared<AdmissionControl>(initial, existing);
}

TEST(Admission, RefusesWhoIsOneTooMany) {
  const auto control = room_for(1, 1);
  auto first = Permit::of(control, Admission::initial);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(Permit::of(control, Admission::initial), nullptr);
  EXPECT_NE(Permit::of(control, Admission::existing), nullptr) << "each kind has its own room";
  first = nullptr;
  EXPECT_NE(Permit::of(control, Admission::initial), nullptr) << "its end gives the place back";
}

TEST(Admission, ARequestWhoseShapeIsThereMakesRoomForNewOnes) {
  const auto control = room_for(1, 1);
  const auto first = Permit::of(control, Admission::initial);
  first->shape_is_there();
  first->shape_is_there();
  EXPECT_EQ(Permit::of(control, Admission::existing), nullptr) << "it is an existing one now";
  EXPECT_NE(Permit::of(control, Admission::initial), nullptr);
}

TEST(Admission, WithoutRoomAmongTheExistingItStaysWhereItIs) {
  const auto control = room_for(1, 1);
  auto existing = Permit::of(control, Admission::existing);
  auto first = Permit::of(control, Admission::initial);
  first->shape_is_there();
  EXPECT_EQ(Permit::of(control, Admission::initial), nullptr);
  existing = nullptr;
  EXPECT_NE(Permit::of(control, Admission::existing), nullptr);
  first = nullptr;
  EXPECT_NE(Permit::of(control, Admission::initial), nullptr);
}

}  // namespace
}  // namespace holdfast::api
