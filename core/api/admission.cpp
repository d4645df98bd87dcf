#include "core/api/admission.hpp"

#include <utility>

#include "core/base/assert.hpp"

namespace holdfast::api {

AdmissionControl::AdmissionControl(std::uint32_t max_initial, std::uint32_t max_existing)
    : initial_{max_initial}, existing_{max_existing} {}

bool AdmissionControl::admit(Admission kind) {
  const SpinGuard guard(lock_);
  Room& its = room(kind);
  if (its.taken >= its.most) return false;
  ++its.taken;
  return true;
}

void AdmissionControl::release(Admission kind) {
  const SpinGuard guard(lock_);
  Room& its = room(kind);
  ASSERT(its.taken > 0, "what is released was admitted");
  --its.taken;
}

bool AdmissionControl::reclassify() {
  if (!admit(Admission::existing)) return false;
  release(Admission::initial);
  return true;
}

std::shared_ptr<Permit> Permit::of(std::shared_ptr<AdmissionControl> control, Admission kind) {
  if (!control->admit(kind)) return nullptr;
  return std::shared_ptr<Permit>(new Permit(std::move(control), kind));
}

Permit::~Permit() {
  control_->release(kind_);
}

void Permit::shape_is_there() {
  if (kind_ == Admission::initial && control_->reclassify()) kind_ = Admission::existing;
}

}  // namespace holdfast::api
