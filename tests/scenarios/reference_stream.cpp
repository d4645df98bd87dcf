#include "tests/scenarios/reference_stream.hpp"

#include <algorithm>
#include <set>

namespace holdfast::scenarios::test {

using oracle::Message;
using oracle::MessageKind;
using oracle::MovePattern;

ReferenceStream::ReferenceStream(ModelTruth& truth, oracle::ShapeSpec spec,
                                 std::vector<Literal> literals, Disjuncts disjuncts, Defect defect)
    : truth_(truth),
      spec_(std::move(spec)),
      literals_(std::move(literals)),
      disjuncts_(std::move(disjuncts)),
      defect_(defect) {}

std::string ReferenceStream::clause(const std::vector<Literal>& literals,
                                    const Disjuncts& disjuncts) {
  std::string any;
  for (const auto& disjunct : disjuncts) {
    std::string all;
    for (const std::size_t position : disjunct)
      all += (all.empty() ? "" : " AND ") + literals[position].sql;
    any += (any.empty() ? "(" : " OR (") + all + ")";
  }
  return any;
}

ReferenceStream::State ReferenceStream::look(std::uint64_t position) const {
  const oracle::VisibleSet now{position, {1, 1, {}}};
  oracle::ShapeSpec query = spec_;
  query.where.clear();
  State state;
  for (auto& [key, cells] : truth_.rows(query, now))
    state[key] = {cells, std::vector<bool>(literals_.size(), false)};
  for (std::size_t p = 0; p < literals_.size(); ++p) {
    query.where = literals_[p].sql;
    const std::size_t negation = query.where.find(" NOT IN ");
    if (defect_ == Defect::null_is_not_in && negation != std::string::npos)
      query.where = "(" + query.where.substr(0, negation) + " IN " +
                    query.where.substr(negation + 8) + ") IS NOT TRUE";
    if (defect_ == Defect::never_was_so && !literals_[p].columns.empty())
      query.where = "(" + query.where + ") OR " + literals_[p].columns.front() + " = 0";
    for (const auto& [key, cells] : truth_.rows(query, now)) state[key].conditions[p] = true;
  }
  return state;
}

bool ReferenceStream::included(const std::vector<bool>& conditions) const {
  return std::any_of(disjuncts_.begin(), disjuncts_.end(), [&](const auto& disjunct) {
    return std::all_of(disjunct.begin(), disjunct.end(),
                       [&](std::size_t position) { return conditions[position]; });
  });
}

std::string ReferenceStream::value(const Known& row, std::size_t position) const {
  if (literals_[position].columns.empty()) return "1";
  std::string text;
  for (const std::string& column : literals_[position].columns) {
    std::string cell = row.cells.at(column).value_or("NULL");
    if (column == "n" && cell.find('.') != std::string::npos) {  // 1.0 is 1
      cell.erase(cell.find_last_not_of('0') + 1);
      if (cell.back() == '.') cell.pop_back();
    }
    text += column + (row.cells.at(column) ? ":v:" : ":") + cell + ";";
  }
  return std::to_string(hash64(text));
}

std::vector<std::string> ReferenceStream::tags(const Known& row) const {
  std::vector<std::string> tags;
  for (const auto& disjunct : disjuncts_) {
    std::string& tag = tags.emplace_back();
    for (std::size_t p = 0; p < literals_.size(); ++p) {
      if (p > 0) tag.push_back('/');
      if (std::find(disjunct.begin(), disjunct.end(), p) != disjunct.end()) tag += value(row, p);
    }
  }
  return tags;
}

Message ReferenceStream::row_message(const std::string& key, const Known& row) const {
  Message message;
  message.key = key;
  for (const auto& [column, text] : row.cells) message.value.push_back({column, text});
  message.tags = oracle::RowTags{tags(row), {}, row.conditions, false};
  return message;
}

std::vector<Message> ReferenceStream::snapshot() {
  state_ = look(truth_.last_commit());
  std::vector<Message> messages;
  for (const auto& [key, row] : state_)
    if (included(row.conditions)) messages.push_back(row_message(key, row));
  messages.emplace_back().kind = MessageKind::snapshot_end;
  messages.back().snapshot = {1, 1, {}};
  return messages;
}

std::vector<Message> ReferenceStream::after_inner(std::uint64_t position) {
  State now = look(position);
  std::set<MovePattern> out;
  std::set<MovePattern> in;
  std::vector<std::string> entered;
  for (auto& [key, row] : now) {
    const Known& before = state_.at(key);
    std::vector<bool> between = before.conditions;  // after the moves out
    for (std::size_t p = 0; p < literals_.size(); ++p) {
      if (before.conditions[p] == row.conditions[p]) continue;
      (row.conditions[p] ? in : out).insert({p, value(row, p)});
      if (!row.conditions[p]) between[p] = false;
    }
    const bool again = defect_ == Defect::present_rows_sent_again && between != row.conditions;
    if (included(row.conditions) && (again || !included(between))) entered.push_back(key);
  }
  std::vector<Message> messages;
  const auto tell = [&](MessageKind kind, const std::set<MovePattern>& patterns) {
    Message& move = messages.emplace_back();
    move.kind = kind;
    move.patterns.assign(patterns.begin(), patterns.end());
    if (defect_ == Defect::pattern_of_another_value) move.patterns.front().value += "0";
  };
  if (!out.empty() && defect_ != Defect::move_out_lost) tell(MessageKind::move_out, out);
  if (defect_ == Defect::move_twice && !messages.empty()) messages.push_back(messages.back());
  if (!in.empty() && defect_ != Defect::move_in_lost) {
    tell(MessageKind::move_in, in);
    for (const std::string& key : entered) {
      if (defect_ == Defect::rows_of_a_move_lost && key == entered.back()) break;
      messages.push_back(row_message(key, now.at(key)));
      messages.back().tags->is_move_in = true;
    }
    if (messages.back().kind == MessageKind::insert) {
      messages.emplace_back().kind = MessageKind::snapshot_end;
      messages.back().snapshot = {1, 1, {}};
    }
  }
  state_ = std::move(now);
  return messages;
}

Message ReferenceStream::change(const std::string& key, const Known* old_row,
                                const Known* new_row) const {
  Message message = row_message(key, new_row != nullptr ? *new_row : *old_row);
  if (new_row == nullptr) message.kind = MessageKind::erase;
  if (old_row == nullptr || new_row == nullptr) {
    if (new_row == nullptr) message.value = {{"id", old_row->cells.at("id")}};
    return message;
  }
  message.kind = MessageKind::update;
  std::erase_if(message.value, [&](const oracle::Cell& cell) {
    return cell.column != "id" && cell.text == old_row->cells.at(cell.column);
  });
  message.tags->removed.emplace();
  const std::vector<std::string> kept = message.tags->tags;
  for (const std::string& tag : tags(*old_row))
    if (std::find(kept.begin(), kept.end(), tag) == kept.end() &&
        defect_ != Defect::removed_tags_missing)
      message.tags->removed->push_back(tag);
  if (defect_ == Defect::conditions_stale) message.tags->conditions = old_row->conditions;
  return message;
}

std::vector<Message> ReferenceStream::after_outer(std::uint64_t lsn) {
  State now = look(truth_.last_commit());
  std::vector<Message> messages;
  const auto in = [&](const State& state, const std::string& key) -> const Known* {
    const auto found = state.find(key);
    return found != state.end() && included(found->second.conditions) ? &found->second : nullptr;
  };
  std::set<std::string> keys;
  for (const State* state : {&state_, &now})
    for (const auto& [key, row] : *state) keys.insert(key);
  for (const std::string& key : keys) {
    const Known* old_row = in(state_, key);
    const Known* new_row = in(now, key);
    if (old_row == nullptr && new_row == nullptr) continue;
    if (old_row != nullptr && new_row != nullptr && old_row->cells == new_row->cells) continue;
    messages.push_back(change(key, old_row, new_row));
    messages.back().lsn = lsn;
    messages.back().op = 2 * messages.size();
  }
  if (!messages.empty()) messages.back().last = true;
  state_ = std::move(now);
  return messages;
}

}  // namespace holdfast::scenarios::test
