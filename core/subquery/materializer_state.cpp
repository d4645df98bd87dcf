#include "core/subquery/materializer_state.hpp"

#include <algorithm>
#include <utility>

#include "core/where/link_value.hpp"

namespace holdfast::subquery {
namespace {

std::string key_of(const shape::Definition& definition, const postgres::Tuple& tuple) {
  std::string key;
  for (const std::uint16_t column : definition.key()) where::append_packed(key, tuple[column]);
  return key;
}

std::string value_of(const shape::Definition& definition, const std::vector<std::uint16_t>& link,
                     const postgres::Tuple& tuple) {
  std::string value;
  for (const std::uint16_t column : link) {
    const auto loader =
        where::own_loader(where::type_of_column(definition.relation().columns[column]));
    ASSERT(loader, "a link column compares");
    if (!where::append_link_cell(value, *loader, tuple[column]))
      where::append_packed(value, tuple[column]);  // equal to nothing but itself
  }
  return value;
}

void write_marks(where::ByteWriter& out, const shape::RowMarks& marks) {
  out.number(marks.hashes.size());
  for (std::size_t i = 0; i < marks.hashes.size(); ++i) {
    out.text(marks.hashes[i]);
    out.number(marks.active[i] ? 1 : 0);
  }
}

shape::RowMarks read_marks(where::ByteReader& in) {
  shape::RowMarks marks;
  const std::size_t positions = in.count();
  for (std::size_t i = 0; i < positions && !in.failed(); ++i) {
    marks.hashes.emplace_back(in.text());
    marks.active.push_back(in.number_up_to(1) == 1);
  }
  return marks;
}

}  // namespace

void MaterializerState::count_up(const std::string& value) {
  std::uint64_t& count = counts_[value];
  touched_.emplace(value, count > 0);
  if (++count == 1 && !rules_.cancel_within_a_commit) raw_.ins.push_back(value);
}

void MaterializerState::count_down(const std::string& value) {
  const auto found = counts_.find(value);
  ASSERT(found != counts_.end(), "a value is counted as often as rows have it");
  touched_.emplace(value, true);
  if (--found->second > 0) return;
  counts_.erase(found);
  if (!rules_.cancel_within_a_commit) raw_.outs.push_back(value);
}

void MaterializerState::add(const std::string& key, Row row) {
  changed_rows_.insert(key);
  count_up(row.value);
  if (const auto there = rows_.find(key); there != rows_.end()) {
    ASSERT(!unique_keys_, "an inner row is inserted once");
    ++there->second.copies;
    return;
  }
  for (std::size_t p = 0; p < row.marks.hashes.size(); ++p)
    if (plan_->positions[p].dependency) keys_by_pattern_[{p, row.marks.hashes[p]}].insert(key);
  rows_.emplace(key, std::move(row));
}

void MaterializerState::remove(Rows::iterator row) {
  changed_rows_.insert(row->first);
  count_down(row->second.value);
  if (--row->second.copies > 0) return;
  const shape::RowMarks& marks = row->second.marks;
  for (std::size_t p = 0; p < marks.hashes.size(); ++p) {
    if (!plan_->positions[p].dependency) continue;
    const auto keys = keys_by_pattern_.find({p, marks.hashes[p]});
    ASSERT(keys != keys_by_pattern_.end(), "a row is found by its tags");
    keys->second.erase(row->first);
    if (keys->second.empty()) keys_by_pattern_.erase(keys);
  }
  rows_.erase(row);
}

// A row may be found by several patterns and counts once (F-74): inclusion is asked of all its
// positions.
void MaterializerState::move(const InnerChange& change) {
  ASSERT(plan_ != nullptr, "only a shape with subqueries has moves");
  std::set<std::string> concerned;
  for (const shape::MovePattern& pattern : change.patterns) {
    const auto keys = keys_by_pattern_.find(pattern);
    if (keys == keys_by_pattern_.end()) continue;
    for (const std::string& key : keys->second) {
      rows_.at(key).marks.active.at(pattern.position) = change.kind == InnerChange::Kind::move_in;
      concerned.insert(key);
      changed_rows_.insert(key);
    }
  }
  for (const std::string& key : concerned) {
    const auto row = rows_.find(key);
    if (shape::included(*plan_, row->second.marks.active)) continue;
    for (std::uint64_t copies = row->second.copies; copies > 0; --copies) remove(row);
  }
}

void MaterializerState::apply(const InnerChange& change) {
  switch (change.kind) {
    case InnerChange::Kind::insert:
      return add(change.key, {change.value, change.marks});
    case InnerChange::Kind::update:
    case InnerChange::Kind::erase: {
      const auto row = rows_.find(change.key);
      ASSERT(row != rows_.end(), "a row that changes was inserted");
      if (change.kind == InnerChange::Kind::erase) return remove(row);
      // Up before down, so that a value that stays is never gone in between.
      const Row after{change.value, change.marks};
      count_up(after.value);
      remove(row);
      add(change.key, after);
      count_down(after.value);
      return;
    }
    case InnerChange::Kind::move_in:
    case InnerChange::Kind::move_out:
      return move(change);
  }
}

Moves MaterializerState::commit(std::vector<std::uint64_t> txids) {
  Moves moves;
  for (const auto& [value, before] : touched_) {
    const bool after = counts_.contains(value);
    if (before == after) continue;
    (after ? moves.ins : moves.outs).push_back(value);
    values_ = after ? values_.with(value) : values_.without(value);
  }
  touched_.clear();
  if (!rules_.cancel_within_a_commit) {
    moves = std::move(raw_);
    raw_ = {};
  }
  moves.txids = std::move(txids);
  return moves;
}

std::uint64_t MaterializerState::count(const std::string& value) const {
  const auto found = counts_.find(value);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<StateDelta> MaterializerState::take_changes() {
  ASSERT(touched_.empty(), "a state is stored between commits");
  std::vector<StateDelta> changes;
  for (const std::string& key : std::exchange(changed_rows_, {})) {
    StateDelta delta{number(Space::rows), key, std::nullopt};
    if (const auto row = rows_.find(key); row != rows_.end()) {
      where::ByteWriter out;
      out.text(row->second.value);
      write_marks(out, row->second.marks);
      out.number(row->second.copies);
      delta.value = out.take();
    }
    changes.push_back(std::move(delta));
  }
  return changes;
}

Result<MaterializerState> MaterializerState::restore(const std::vector<StateDelta>& entries,
                                                     const where::Plan* inner_plan, Rules rules,
                                                     bool unique_keys) {
  MaterializerState state(inner_plan, rules, unique_keys);
  const std::size_t positions = inner_plan == nullptr ? 0 : inner_plan->positions.size();
  for (const auto& [space, key, value] : entries) {
    if (space != number(Space::rows)) continue;
    where::ByteReader in(*value);
    Row row{std::string(in.text()), read_marks(in)};
    const std::uint64_t copies = in.number();
    if (!in.finished() || copies == 0 || (unique_keys && copies > 1) ||
        row.marks.hashes.size() != positions)
      return fail("a materializer's state is damaged");
    for (std::uint64_t i = 0; i < copies; ++i) state.add(*key, row);
  }
  for (const auto& [value, count] : state.counts_) state.values_ = state.values_.with(value);
  state.touched_.clear();
  state.raw_ = {};
  state.changed_rows_.clear();
  return state;
}

InnerChange inner_row(const shape::Definition& inner, const std::vector<std::uint16_t>& link,
                      const postgres::Tuple& tuple, const shape::RowMarks* marks) {
  InnerChange change;
  change.key = key_of(inner, tuple);
  change.value = value_of(inner, link, tuple);
  if (marks != nullptr) change.marks = *marks;
  return change;
}

void append_inner_changes(std::vector<InnerChange>& out, const shape::Definition& inner,
                          const std::vector<std::uint16_t>& link, const postgres::Change& change,
                          bool old_in, bool new_in, const shape::RowMarks* new_marks) {
  InnerChange after;
  if (new_in) after = inner_row(inner, link, change.new_tuple, new_marks);
  if (old_in) {
    const std::string old_key = key_of(inner, change.old_tuple);
    if (new_in && after.key == old_key) {
      after.kind = InnerChange::Kind::update;
    } else {
      InnerChange before;
      before.kind = InnerChange::Kind::erase;
      before.key = old_key;
      out.push_back(std::move(before));
    }
  }
  if (new_in) out.push_back(std::move(after));
}

}  // namespace holdfast::subquery
