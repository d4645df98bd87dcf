#include "oracle/client/client_view.hpp"

#include <algorithm>

namespace holdfast::oracle {

void ClientView::apply(const std::vector<Message>& messages, const protocol::LogOffset& from,
                       const protocol::LogOffset& to, const Object& object) {
  for (const Message& message : messages) {
    const bool moved_in = message.tags && message.tags->is_move_in;
    if (!moved_in && message.kind != MessageKind::snapshot_end) end_move(object);
    switch (message.kind) {
      case MessageKind::insert:
      case MessageKind::update:
      case MessageKind::erase:
        check_position(message, from, to, object);
        check_tags(message, object);
        apply_change(message, object);
        break;
      case MessageKind::snapshot_end:
        apply_snapshot_end(message, object);
        break;
      case MessageKind::move_in:
      case MessageKind::move_out:
        apply_move(message, object);
        break;
      case MessageKind::up_to_date:
        if (&message != &messages.back())
          object(property::protocol, "up-to-date is not the last message");
        if (!transaction_ended_)
          object(property::transaction_whole,
                 "up-to-date inside transaction " + std::to_string(last_record_->tx));
        marker_ = message.up_to;
        claimed_ = std::max(claimed_, marker_);
        break;
      case MessageKind::must_refetch:
        object(property::protocol, "must-refetch in an answer that is no 409");
        break;
    }
  }
}

void ClientView::apply_snapshot_end(const Message& message, const Object& object) {
  const bool of_move = move_in_ && move_in_->rows > 0;
  if (snapshot_ && !of_move) object(property::protocol, "a second snapshot-end");
  snapshot_ = message.snapshot;
  move_in_.reset();
}

void ClientView::end_move(const Object& object) {
  if (move_in_ && move_in_->rows > 0)
    object(property::tags_form, "no snapshot-end after the rows of a move");
  move_in_.reset();
}

void ClientView::apply_move(const Message& message, const Object& object) {
  if (!tags_) return object(property::tags_form, "a move in a shape without subqueries");
  if (!snapshot_) object(property::protocol, "a move before snapshot-end");
  (message.kind == MessageKind::move_in ? moves_.in : moves_.out)++;
  for (const std::string& key : tags_->move(message, object)) {
    const auto row = rows_.find(key);
    if (row == rows_.end()) continue;
    moves_.rows_out++;
    drop_cells(row->second);
    rows_.erase(row);
  }
  if (message.kind == MessageKind::move_in) move_in_ = {message.patterns, 0};
}

void ClientView::check_tags(const Message& message, const Object& object) const {
  const auto wrong = [&](const char* what) {
    object(property::tags_form, message.key + ": " + what);
  };
  if (!tags_ && message.tags) wrong("tags in a shape without subqueries");
  if (tags_ && !message.tags) wrong("no tags in a shape with subqueries");
  if (!message.tags || !message.tags->is_move_in) return;
  if (message.lsn || message.kind != MessageKind::insert) wrong("a record that a move brought");
  if (!move_in_) wrong("a row of a move, but no move before it");
}

void ClientView::check_position(const Message& message, const protocol::LogOffset& from,
                                const protocol::LogOffset& to, const Object& object) {
  if (!message.lsn) {
    if (snapshot_ && !(message.tags && message.tags->is_move_in))
      object(property::protocol, "a snapshot row after snapshot-end: " + message.key);
    return;
  }
  const auto at = protocol::LogOffset::at(*message.lsn, message.op);
  if (!snapshot_) object(property::protocol, "a log record before snapshot-end: " + at.to_string());
  if (at <= from || at > to)
    object(property::log_order,
           at.to_string() + " outside of (" + from.to_string() + ", " + to.to_string() + "]");
  check_transaction(at, object);
  check_key_change(message, object);
  last_record_ = at;
  transaction_ended_ = message.last;
}

void ClientView::check_transaction(const protocol::LogOffset& at, const Object& object) const {
  const bool same = last_record_ && last_record_->tx == at.tx;
  if (last_record_ && at <= *last_record_)
    object(property::log_order, at.to_string() + " after " + last_record_->to_string());
  if (!same && !transaction_ended_)
    object(property::last_once,
           "no record of transaction " + std::to_string(last_record_->tx) + " carries `last`");
  if (same && transaction_ended_)
    object(property::last_once, at.to_string() + " follows the `last` record of its transaction");
  if (!same && at.tx <= marker_)
    object(property::marker_honest,
           at.to_string() + " comes after an up-to-date marker for " + std::to_string(marker_));
}

void ClientView::check_columns(const Message& message, const Object& object) const {
  const bool whole = message.kind == MessageKind::insert || spec_->replica == ReplicaMode::full ||
                     (message.kind == MessageKind::erase && spec_->key_columns.empty());
  for (const Cell& cell : message.value)
    if (!spec_->selects(cell.column))
      object(property::row_content, "column " + cell.column + " was not asked for: " + message.key);
  for (const std::string& column : whole ? spec_->all_columns : spec_->key_columns)
    if (spec_->selects(column) && find_cell(message.value, column) == nullptr)
      object(property::row_content, "column " + column + " is missing: " + message.key);
}

void ClientView::check_key_change(const Message& message, const Object& object) {
  const auto at = protocol::LogOffset::at(*message.lsn, message.op);
  const bool second = message.kind == MessageKind::insert && !message.key_change_from.empty();
  const bool expected = key_change_ && second && at == key_change_->second &&
                        message.key == key_change_->to &&
                        message.key_change_from == key_change_->from;
  if (key_change_ ? !expected : !message.key_change_from.empty())
    object(property::row_content, at.to_string() + " is not the second half of the key change of " +
                                      (key_change_ ? key_change_->from : message.key_change_from));
  key_change_.reset();
  if (message.key_change_to.empty()) return;
  if (message.kind != MessageKind::erase || message.last)
    object(property::row_content, at.to_string() + " cannot be the first half of a key change");
  key_change_ = {message.key, message.key_change_to,
                 protocol::LogOffset::at(*message.lsn, message.op + 1)};
}

void ClientView::check_old(const Message& message, const HeldRow& held,
                           const Object& object) const {
  const auto was = [&](const Cell& cell) {
    const auto found = std::find_if(held.begin(), held.end(), [&](const HeldCell& each) {
      return each.cell.column == cell.column;
    });
    return found != held.end() && found->cell.text == parsed(cell);
  };
  const bool full = spec_->replica == ReplicaMode::full;
  const auto wrong = [&](const std::string& column, const char* what) {
    object(property::row_content, "column " + column + " of " + message.key + ": " + what);
  };
  if (message.kind == MessageKind::erase) {
    for (const Cell& cell : message.value)
      if (!was(cell)) wrong(cell.column, "a delete has another value than the row had");
    return;
  }
  if (message.old_value.has_value() != full)
    return object(property::row_content, "old_value belongs to replica=full: " + message.key);
  for (const Cell& cell : message.value) {
    const bool in_key = std::find(spec_->key_columns.begin(), spec_->key_columns.end(),
                                  cell.column) != spec_->key_columns.end();
    const bool said_old = full && find_cell(*message.old_value, cell.column) != nullptr;
    if (full && said_old == was(cell)) wrong(cell.column, "old_value has what changed, only");
    if (!full && !in_key && was(cell)) wrong(cell.column, "an update has what did not change");
  }
  if (!full) return;
  for (const Cell& cell : *message.old_value)
    if (!was(cell)) wrong(cell.column, "old_value is not what the row had");
}

/// What the application gets of a cell: both ways of writing a boolean are the same to it
/// (where-clauses.md §15.4), as they are to the official client's parser.
std::optional<std::string> ClientView::parsed(const Cell& cell) const {
  if (!cell.text || !spec_->is_bool(cell.column)) return cell.text;
  if (*cell.text == "true") return "t";
  return *cell.text == "false" ? "f" : *cell.text;
}

void ClientView::drop_cells(HeldRow& row) {
  for (const HeldCell& held : row) digest_.remove(held.hash);
  row.clear();
}

void ClientView::take_cells(const Message& message, HeldRow& row) {
  const Hash128 key = hash128(message.key);
  row.reserve(message.value.size());
  for (const Cell& cell : message.value) {
    auto held = std::find_if(row.begin(), row.end(), [&](const HeldCell& other) {
      return other.cell.column == cell.column;
    });
    if (held == row.end())
      held = row.insert(held, HeldCell{{cell.column, {}}, Hash128{}});
    else
      digest_.remove(held->hash);
    held->cell.text = parsed(cell);
    held->hash = hash_cell(key, cell.column, held->cell.text);
    digest_.add(held->hash);
  }
}

void ClientView::apply_change(const Message& message, const Object& object) {
  check_columns(message, object);
  const bool tagged = tags_ && message.tags;
  const auto row = rows_.find(message.key);
  if (message.kind == MessageKind::insert) {
    if (row != rows_.end())
      object(property::row_legality, "insert of the present row " + message.key);
    HeldRow& fresh = row == rows_.end() ? rows_[message.key] : row->second;
    drop_cells(fresh);
    take_cells(message, fresh);
    if (tagged) tags_->take(message, object);
    if (tagged && message.tags->is_move_in && move_in_) {
      tags_->check_moved_in(message, move_in_->patterns, object);
      move_in_->rows++;
      moves_.rows_in++;
    }
  } else if (row == rows_.end()) {
    object(property::row_legality, message.kind == MessageKind::update
                                       ? "update of the absent row " + message.key
                                       : "delete of the absent row " + message.key);
  } else if (message.kind == MessageKind::update) {
    check_old(message, row->second, object);
    take_cells(message, row->second);
    if (tagged) tags_->take(message, object);
  } else {
    check_old(message, row->second, object);
    if (tagged) tags_->erase(message, object);
    drop_cells(row->second);
    rows_.erase(row);
  }
}

Rows ClientView::rows() const {
  Rows rows;
  for (const auto& [key, held_row] : rows_) {
    Row& row = rows[key];
    for (const HeldCell& held : held_row) row.emplace(held.cell.column, held.cell.text);
  }
  return rows;
}

}  // namespace holdfast::oracle
