#include "oracle/client/client_view.hpp"

namespace holdfast::oracle {

void ClientView::apply(const std::vector<Message>& messages, const protocol::LogOffset& from,
                       const protocol::LogOffset& to, const Object& object) {
  for (const Message& message : messages) {
    switch (message.kind) {
      case MessageKind::insert:
      case MessageKind::update:
      case MessageKind::erase:
        check_position(message, from, to, object);
        apply_change(message, object);
        break;
      case MessageKind::snapshot_end:
        if (snapshot_) object(property::protocol, "a second snapshot-end");
        snapshot_ = message.snapshot;
        break;
      case MessageKind::up_to_date:
        if (&message != &messages.back())
          object(property::protocol, "up-to-date is not the last message");
        if (!transaction_ended_)
          object(property::transaction_whole,
                 "up-to-date inside transaction " + std::to_string(last_record_->tx));
        marker_ = message.up_to;
        break;
      case MessageKind::must_refetch:
        object(property::protocol, "must-refetch in an answer that is no 409");
        break;
    }
  }
}

void ClientView::check_position(const Message& message, const protocol::LogOffset& from,
                                const protocol::LogOffset& to, const Object& object) {
  if (!message.lsn) {
    if (snapshot_) object(property::protocol, "a snapshot row after snapshot-end: " + message.key);
    return;
  }
  const auto at = protocol::LogOffset::at(*message.lsn, message.op);
  if (!snapshot_) object(property::protocol, "a log record before snapshot-end: " + at.to_string());
  if (at <= from || at > to)
    object(property::log_order,
           at.to_string() + " outside of (" + from.to_string() + ", " + to.to_string() + "]");
  check_transaction(at, object);
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
  for (const auto& [column, cell] : message.value)
    if (!spec_->selects(column))
      object(property::row_content, "column " + column + " was not asked for: " + message.key);
  for (const std::string& column : whole ? spec_->all_columns : spec_->key_columns)
    if (spec_->selects(column) && !message.value.contains(column))
      object(property::row_content, "column " + column + " is missing: " + message.key);
}

/// What the application gets of a cell: both ways of writing a boolean are the same to it
/// (where-clauses.md §15.4), as they are to the official client's parser.
std::optional<std::string> ClientView::parsed(const std::string& column,
                                              const std::optional<std::string>& cell) const {
  if (!cell || !spec_->is_bool(column)) return cell;
  if (*cell == "true") return "t";
  return *cell == "false" ? "f" : *cell;
}

void ClientView::apply_change(const Message& message, const Object& object) {
  check_columns(message, object);
  const auto row = rows_.find(message.key);
  if (message.kind == MessageKind::insert) {
    if (row != rows_.end())
      object(property::row_legality, "insert of the present row " + message.key);
    Row& fresh = rows_[message.key];
    fresh.clear();
    for (const auto& [column, cell] : message.value) fresh[column] = parsed(column, cell);
  } else if (row == rows_.end()) {
    object(property::row_legality, message.kind == MessageKind::update
                                       ? "update of the absent row " + message.key
                                       : "delete of the absent row " + message.key);
  } else if (message.kind == MessageKind::update) {
    for (const auto& [column, cell] : message.value) row->second[column] = parsed(column, cell);
  } else {
    rows_.erase(row);
  }
}

}  // namespace holdfast::oracle
