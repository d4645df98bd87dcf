#include "oracle/checks/conflict_ledger.hpp"

#include <algorithm>

namespace holdfast::oracle {

namespace {

/// The columns that have changed are of some concern to the shape.
bool concerns(const CauseEvent& event, const ShapeSpec& spec) {
  if (!spec.reads(event.subject)) return false;
  return event.columns.empty() ||
         std::any_of(event.columns.begin(), event.columns.end(),
                     [&](const std::string& column) { return spec.names(column); });
}

}  // namespace

bool ConflictLedger::lasts(Cause cause, const ShapeSpec& spec, Instant sent,
                           Instant answered) const {
  return std::any_of(journal_->begin(), journal_->end(), [&](const CauseEvent& event) {
    return event.cause == cause && concerns(event, spec) && event.at <= answered &&
           event.over >= sent;
  });
}

Instant ConflictLedger::earliest_birth(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                                       Instant sent) const {
  // At most one shape of a definition lives at a time, and none lives twice. So another handle that
  // answered before this request was sent had ended before this one was born, but lived when its
  // own request was sent.
  Instant birth;
  const auto known = answers_.find(spec.name);
  if (known == answers_.end()) return birth;
  for (const Answer& other : known->second)
    if (other.handle != handle && other.answered < sent) birth = std::max(birth, other.sent);
  return birth;
}

void ConflictLedger::served(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                            Instant sent, Instant answered, const Object& object) {
  auto life = lives_.find(handle);
  if (life == lives_.end())
    life = lives_.emplace(handle, Life{spec.name, earliest_birth(spec, handle, sent), {}}).first;
  answers_[spec.name].push_back({handle, sent, answered});
  if (life->second.spec != spec.name)
    object(property::handle_unique,
           handle.text + " serves " + spec.name + " and " + life->second.spec);
  if (life->second.ended && sent > *life->second.ended)
    object(property::removal_final, handle.text + " serves again after a 409 or its deletion");
}

void ConflictLedger::deleted(const ShapeSpec& spec, Instant sent, Instant answered) {
  const auto known = answers_.find(spec.name);
  if (known == answers_.end()) return;
  for (const Answer& answer : known->second) {
    Life& life = lives_.at(answer.handle);
    if (answer.answered < sent && !life.ended) life.ended = answered;
  }
}

bool ConflictLedger::explains(const CauseEvent& event, const ShapeSpec& spec,
                              const std::string& reason) const {
  switch (event.cause) {
    case Cause::deleted_by_request:
      return event.subject == spec.name;
    case Cause::truncated:
      return spec.reads(event.subject);
    case Cause::slot_recreated:
      return true;
    case Cause::poisoned:
      // Of the shape itself, or of what one of its subqueries selects.
      return reason.ends_with("quarantine_overflow");
    case Cause::over_limit:
      // At most one shape of a definition lives at a time.
      return reason == "expired" && asked_.size() > event.limit;
    case Cause::table_altered:
      return concerns(event, spec) || (spec.columns.empty() && spec.reads(event.subject));
    case Cause::table_unfit:
    case Cause::table_unpublished:
      return false;
  }
  return false;
}

void ConflictLedger::named(const ShapeSpec& spec, const protocol::ShapeHandle& asked,
                           const protocol::ShapeHandle& successor, Instant sent, Instant answered,
                           const Object& object) {
  if (successor == asked)
    return object(property::removal_final,
                  "a 409 for " + asked.text + " names it as its successor");
  served(spec, successor, sent, answered, [&](const char* property, const std::string& what) {
    object(property, what + " (named by a 409 for " + asked.text + ")");
  });
}

void ConflictLedger::refused(const ShapeSpec& spec, const protocol::ShapeHandle& handle,
                             Instant answered, const std::string& reason, const Object& object) {
  const auto life = lives_.find(handle);
  const Instant born = life == lives_.end() ? Instant{} : life->second.born;
  const bool excused = std::any_of(journal_->begin(), journal_->end(), [&](const CauseEvent& e) {
    return explains(e, spec, reason) && e.over >= born && e.at <= answered;
  });
  if (excused) {
    legitimate_++;
  } else {
    spurious_++;
    object(property::spurious_conflict, "409 for " + handle.text + " of " + spec.name +
                                            ", which nothing in the journal explains");
  }
  if (life != lives_.end() && !life->second.ended) life->second.ended = answered;
}

}  // namespace holdfast::oracle
