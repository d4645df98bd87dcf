#include "tests/subquery/database.hpp"

#include <algorithm>

namespace holdfast::subquery::test {
namespace {

std::optional<std::string> maybe_null(Dice& dice, std::string text) {
  if (dice.one_in(6)) return std::nullopt;
  return text;
}

}  // namespace

// o(id, a, b, c) and p, q(id, v, n, w, active): few values, several texts for one number.
Cells SmallDatabase::make_row(Dice& dice, const std::string& table, std::string id) {
  static const std::vector<std::string> numbers = {"1", "1.0", "2", "2.00", "3"};
  Cells row = {std::move(id)};
  row.push_back(maybe_null(dice, std::to_string(1 + dice.below(4))));
  row.push_back(maybe_null(dice, dice.one_of(numbers)));
  row.push_back(maybe_null(dice, std::to_string(1 + dice.below(table == "o" ? 2 : 4))));
  if (table != "o") row.push_back(dice.one_in(3) ? "f" : "t");
  return row;
}

void SmallDatabase::change_row(Dice& dice, Committed& into) {
  static const std::vector<std::string> tables = {"o", "o", "p", "q"};
  const std::string table = dice.one_of(tables);
  const std::string id = std::to_string(1 + dice.below(table == "o" ? 6 : 4));
  std::vector<Version>& versions = tables_[table][id];
  // Who wrote it last must have ended for everybody: writers of one row wait for each other.
  const auto blocks = [&](std::uint32_t xid) {
    return xid != into.xid && (running_.contains(xid) || hidden_.contains(xid));
  };
  if (!versions.empty() && blocks(versions.back().xid)) return;
  RowChange change{table, versions.empty() ? std::nullopt : versions.back().cells, std::nullopt};
  if (!change.before || !dice.one_in(3)) {
    change.after = make_row(dice, table, id);
    // Often only one cell differs, as an application would have it.
    if (change.before && dice.one_in(2)) {
      const std::size_t kept = 1 + dice.below(change.after->size() - 1);
      for (std::size_t i = 1; i < change.after->size(); ++i)
        if (i != kept) (*change.after)[i] = (*change.before)[i];
    }
  }
  versions.push_back({into.xid, change.after});
  into.changes.push_back(std::move(change));
}

void SmallDatabase::start(Dice& dice) {
  Committed transaction;
  transaction.xid = next_xid_++;
  for (std::size_t n = 1 + dice.below(3); n > 0; --n) change_row(dice, transaction);
  running_.emplace(transaction.xid, std::move(transaction));
}

void SmallDatabase::commit(Dice& dice) {
  if (running_.empty()) return;
  const auto chosen =
      std::next(running_.begin(), static_cast<std::ptrdiff_t>(dice.below(running_.size())));
  Committed committed = std::move(chosen->second);
  running_.erase(chosen);
  committed.commit_lsn = {insert_lsn().value + 2};
  hidden_.insert(committed.xid);
  wal.push_back(std::move(committed));
}

void SmallDatabase::show(Dice& dice) {
  if (hidden_.empty()) return;
  hidden_.erase(
      std::next(hidden_.begin(), static_cast<std::ptrdiff_t>(dice.below(hidden_.size()))));
}

postgres::Snapshot SmallDatabase::snapshot() const {
  postgres::Snapshot made;
  std::set<std::uint32_t> unseen = hidden_;
  for (const auto& [xid, transaction] : running_) unseen.insert(xid);
  made.xmax = {next_xid_};
  made.xmin = {unseen.empty() ? next_xid_ : *unseen.begin()};
  for (const std::uint32_t xid : unseen) made.xip.push_back({xid});
  made.insert_lsn = insert_lsn();
  return made;
}

bool SmallDatabase::sees_all_of(const std::set<std::uint32_t>& xids) const {
  return std::none_of(xids.begin(), xids.end(),
                      [&](std::uint32_t xid) { return hidden_.contains(xid); });
}

Rows SmallDatabase::visible_rows(const std::string& table) const {
  Rows rows;
  const auto found = tables_.find(table);
  if (found == tables_.end()) return rows;
  for (const auto& [id, versions] : found->second)
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      if (running_.contains(version->xid) || hidden_.contains(version->xid)) continue;
      if (version->cells) rows[id] = *version->cells;
      break;
    }
  return rows;
}

Rows SmallDatabase::rows_after(const std::string& table, std::size_t commits) const {
  Rows rows;
  for (std::size_t i = 0; i < commits; ++i)
    for (const RowChange& change : wal[i].changes) {
      if (change.table != table) continue;
      if (change.before) rows.erase(*change.before->front());
      if (change.after) rows[*change.after->front()] = *change.after;
    }
  return rows;
}

}  // namespace holdfast::subquery::test
