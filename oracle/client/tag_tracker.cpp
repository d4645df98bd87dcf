#include "oracle/client/tag_tracker.hpp"

#include <algorithm>
#include <set>

namespace holdfast::oracle {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string print(const MovePattern& pattern) {
  return pattern.value + " in position " + std::to_string(pattern.position);
}

}  // namespace

TagTracker::Slots TagTracker::split(const std::string& tag) {
  Slots slots(1);
  for (const char c : tag)
    if (c == '/')
      slots.emplace_back();
    else
      slots.back().push_back(c);
  return slots;
}

std::vector<TagTracker::Slots> TagTracker::disjuncts_of(const std::vector<std::string>& tags) {
  std::vector<Slots> disjuncts;
  disjuncts.reserve(tags.size());
  for (const std::string& tag : tags) disjuncts.push_back(split(tag));
  return disjuncts;
}

bool TagTracker::included(const std::vector<Slots>& disjuncts,
                          const std::vector<bool>& conditions) {
  return std::any_of(disjuncts.begin(), disjuncts.end(), [&](const Slots& slots) {
    for (std::size_t p = 0; p < slots.size(); ++p)
      if (!slots[p].empty() && !conditions[p]) return false;
    return true;
  });
}

std::vector<MovePattern> TagTracker::values_of(const std::vector<Slots>& disjuncts) {
  std::set<MovePattern> values;
  for (const Slots& slots : disjuncts)
    for (std::size_t p = 0; p < slots.size(); ++p)
      if (!slots[p].empty() && slots[p] != "1") values.insert({p, slots[p]});
  return {values.begin(), values.end()};
}

bool TagTracker::check_form(const Message& message, const Object& object) {
  const auto wrong = [&](const char* what) {
    object(property::tags_form, message.key + ": " + what);
    return false;
  };
  if (message.tags->tags.empty()) return wrong("no tags");
  std::string form;
  const std::vector<Slots> disjuncts = disjuncts_of(message.tags->tags);
  for (const Slots& slots : disjuncts) {
    if (slots.size() != disjuncts.front().size()) return wrong("tags of unequal length");
    for (const std::string& slot : slots)
      form.push_back(slot.empty() ? '-' : slot == "1" ? '1' : 's');
    form.push_back('/');
  }
  for (const MovePattern& one : values_of(disjuncts))
    for (const Slots& slots : disjuncts)
      if (!slots[one.position].empty() && slots[one.position] != one.value)
        return wrong("two values in one position");
  if (message.tags->conditions && message.tags->conditions->size() != disjuncts.front().size())
    return wrong("not a condition for each position");
  if (form_.empty()) form_ = form;
  if (form != form_) return wrong("tags of another form than the rows before");
  return true;
}

void TagTracker::check_removed(const Message& message, const Held& held,
                               const Object& object) const {
  const RowTags& now = *message.tags;
  if (!now.removed)
    return object(property::tags_form, "an update without removed_tags: " + message.key);
  for (const std::string& tag : held.tags)
    if (contains(now.tags, tag) == contains(*now.removed, tag))
      object(property::tags_true,
             "the old tag " + tag + " of " + message.key + " is neither kept nor removed, or both");
  for (const std::string& tag : *now.removed)
    if (!contains(held.tags, tag))
      object(property::tags_true, message.key + " never had the removed tag " + tag);
}

/// A condition on a subquery is a matter of the value and of what the shape knows of the inner
/// rows, so that at any moment all rows with the value have it or none.
void TagTracker::check_known(const Message& message, const std::vector<Slots>& disjuncts,
                             const Object& object) {
  for (const MovePattern& value : values_of(disjuncts)) {
    const bool active = (*message.tags->conditions)[value.position];
    Known& known = known_[value];
    if (known.rows > 0 && known.active != active)
      object(property::tags_true, "rows contradict each other about " + print(value) + ", " +
                                      message.key + " is one of them");
    if (known.rows == 0) known.active = active;
    known.rows++;
  }
}

void TagTracker::forget(const Held& held) {
  for (const MovePattern& value : values_of(disjuncts_of(held.tags))) {
    const auto known = known_.find(value);
    if (known != known_.end() && --known->second.rows == 0) known_.erase(known);
  }
}

void TagTracker::take(const Message& message, const Object& object) {
  const auto held = rows_.find(message.key);
  if (held != rows_.end() && message.kind == MessageKind::update)
    check_removed(message, held->second, object);
  if (message.kind == MessageKind::insert && message.tags->removed)
    object(property::tags_form, "an insert with removed_tags: " + message.key);
  if (held != rows_.end()) {
    forget(held->second);
    rows_.erase(held);
  }
  if (!message.tags->conditions)
    return object(property::tags_form, message.key + ": no active_conditions");
  if (!check_form(message, object)) return;
  const std::vector<Slots> disjuncts = disjuncts_of(message.tags->tags);
  if (!included(disjuncts, *message.tags->conditions))
    object(property::tags_true, "by its own conditions " + message.key + " is not in the shape");
  check_known(message, disjuncts, object);
  rows_[message.key] = {message.tags->tags, *message.tags->conditions};
}

void TagTracker::erase(const Message& message, const Object& object) {
  const auto held = rows_.find(message.key);
  if (held == rows_.end()) return;
  // The first half of a key change also has the tags of the second (http-api.md §24).
  for (const std::string& tag : held->second.tags)
    if (!contains(message.tags->tags, tag))
      object(property::tags_true, "a delete without the tag " + tag + " of " + message.key);
  forget(held->second);
  rows_.erase(held);
}

bool TagTracker::tests_membership(std::size_t position) const {
  const std::size_t width = form_.find('/');
  if (position >= width) return false;
  for (std::size_t at = position; at < form_.size(); at += width + 1)
    if (form_[at] == 's') return true;
  return false;
}

std::vector<std::string> TagTracker::move(const Message& message, const Object& object) {
  const bool in = message.kind == MessageKind::move_in;
  std::set<MovePattern> patterns;
  for (const MovePattern& pattern : message.patterns) {
    if (!form_.empty() && !tests_membership(pattern.position))
      object(property::tags_form, "a move of no subquery: " + print(pattern));
    if (!patterns.insert(pattern).second)
      object(property::moves_legal, "a move has twice " + print(pattern));
    const auto known = known_.find(pattern);
    if (known == known_.end()) continue;
    if (known->second.active == in)
      object(property::moves_legal, "a move " + std::string(in ? "in" : "out") +
                                        " of what is so already: " + print(pattern));
    known->second.active = in;
  }
  std::vector<std::string> out;
  for (auto& [key, held] : rows_) {
    const std::vector<Slots> disjuncts = disjuncts_of(held.tags);
    for (const MovePattern& value : values_of(disjuncts))
      if (patterns.contains(value)) held.conditions[value.position] = in;
    if (!included(disjuncts, held.conditions)) out.push_back(key);
  }
  for (const std::string& key : out) {
    forget(rows_[key]);
    rows_.erase(key);
  }
  return out;
}

void TagTracker::check_moved_in(const Message& row, const std::vector<MovePattern>& move,
                                const Object& object) const {
  if (!row.tags->conditions) return;  // objected to by take()
  const std::vector<Slots> disjuncts = disjuncts_of(row.tags->tags);
  std::vector<bool> before = *row.tags->conditions;
  bool matches = false;
  if (before.size() != disjuncts.front().size()) return;  // objected to by take()
  for (const MovePattern& value : values_of(disjuncts)) {
    if (std::find(move.begin(), move.end(), value) == move.end()) continue;
    matches = true;
    before[value.position] = false;
  }
  if (!matches)
    object(property::moves_legal, row.key + " came with a move that does not concern it");
  else if (included(disjuncts, before))
    object(property::moves_legal, row.key + " was in the shape before the move that brought it");
}

}  // namespace holdfast::oracle
