#include "scenarios/world/aim.hpp"

#include "core/base/assert.hpp"

namespace holdfast::scenarios {
namespace {

/// The label with which a moment begins.
std::string_view label_of(Moment moment) {
  switch (moment) {
    case Moment::any_time:
      break;
    case Moment::commit:
      return "store.commit";
    case Moment::snapshot:
      return "Snapshotter::run";
    case Moment::removal:
      return "store.remove";
    case Moment::takeover:
      return "store.take_over";
    case Moment::slot_made:
      return "pg.slot.created";
    case Moment::fragment:
      return "collector.fragment";
    case Moment::move:
      return "Mover::run";
    case Moment::confirmation:
      return "pg.send_status";
    case Moment::doubt:
      return "store.failed";
    case Moment::spill:
      return "StoreProcess::finish_spill";
    case Moment::judgement:
      return "snapshot.known";
  }
  ASSERT(false, "who aims, aims at a moment with a label");
}

/// How many steps after its first a moment is hit at the latest: a snapshot lasts long, a commit
/// not, unless the disk is one that yields everywhere.
unsigned steps_of(Moment moment, const Knobs& knobs) {
  switch (moment) {
    case Moment::snapshot:
    case Moment::fragment:
    case Moment::move:
      return 24;
    case Moment::slot_made:
    case Moment::doubt:
      return 40;
    default:
      return knobs.disk_yields_everywhere ? 24 : 3;
  }
}

}  // namespace

Aim::Aim(Moment moment, std::uint64_t draw, const Knobs& knobs)
    : label_(label_of(moment)),
      is_one_step_(moment == Moment::judgement),
      steps_(static_cast<unsigned>(draw % steps_of(moment, knobs))) {}

bool Aim::take(std::string_view label) {
  if (steps_to_go_) return (*steps_to_go_)-- == 0;
  if (label != label_) return false;
  if (!is_one_step_) steps_to_go_ = steps_;
  return is_one_step_;
}

}  // namespace holdfast::scenarios
