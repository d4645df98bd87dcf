#include "oracle/checks/conflict_ledger.hpp"

#include <algorithm>

namespace holdfast::oracle {

void ConflictLedger::served(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                            Instant sent, const Object& object) {
  // Whoever made the shape asked after the previous one had ended; the first one may be as old as
  // the run.
  const auto [life, fresh] = lives_.try_emplace(handle, Life{spec.name, last_end_[spec.name], {}});
  if (life->second.spec != spec.name)
    object(property::handle_unique,
           handle.text + " serves " + spec.name + " and " + life->second.spec);
  if (life->second.ended && sent > *life->second.ended)
    object(property::removal_final, handle.text + " serves again after a 409 ended it");
}

void ConflictLedger::refused(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                             Instant sent, Instant answered, const Object& object) {
  const auto life = lives_.find(handle);
  const Instant born = life == lives_.end() ? Instant{} : life->second.born;
  const bool excused = std::any_of(journal_->begin(), journal_->end(), [&](const CauseEvent& e) {
    const bool about =
        e.cause == Cause::truncated ? e.subject == spec.table : e.subject == spec.name;
    return about && e.at >= born && e.at <= answered;
  });
  if (excused) {
    legitimate_++;
  } else {
    spurious_++;
    object(property::spurious_conflict, "409 for " + handle.text + " of " + spec.name +
                                            ", which nothing in the journal explains");
  }
  if (life == lives_.end()) return;
  if (!life->second.ended) life->second.ended = answered;
  // The successor cannot be older than what ended this one; what was sent before may be its maker.
  last_end_[spec.name] = std::max(last_end_[spec.name], std::min(sent, born));
}

}  // namespace holdfast::oracle
