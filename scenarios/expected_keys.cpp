#include <algorithm>

#include "scenarios/plans/workload.hpp"

namespace holdfast::scenarios {
namespace {

using sim::postgres::ColumnText;
using sim::postgres::Statement;
using sim::postgres::StatementKind;

template <class Cells>
auto find_id(Cells& cells) {
  return std::find_if(cells.begin(), cells.end(),
                      [](const ColumnText& cell) { return cell.first == "id"; });
}

std::optional<std::string> id_in(const std::vector<ColumnText>& cells) {
  const auto id = find_id(cells);
  return id == cells.end() ? std::nullopt : id->second;
}

}  // namespace

void ExpectedKeys::apply(const Statement& statement) {
  const std::string& table = statement.table.table;
  const auto to = id_in(statement.set);
  const auto of = id_in(statement.where);
  if (statement.kind == StatementKind::insert && to) present_.insert({table, *to});
  const bool leaves = statement.kind == StatementKind::erase ||
                      (statement.kind == StatementKind::update && to.has_value());
  if (leaves && of && present_.erase({table, *of}) > 0 && to) present_.insert({table, *to});
}

bool ExpectedKeys::collides(const Statement& statement) const {
  const std::string& table = statement.table.table;
  const auto to = id_in(statement.set);
  if (!to || !present_.contains({table, *to})) return false;
  if (statement.kind == StatementKind::insert) return true;
  const auto of = id_in(statement.where);
  return of && of != to && present_.contains({table, *of});
}

std::optional<std::uint64_t> ExpectedKeys::next(const std::string& table, std::uint64_t from,
                                                std::uint64_t keys, bool present) const {
  for (std::uint64_t i = 0; i < keys; ++i)
    if (const std::uint64_t key = (from + i) % keys;
        present_.contains({table, std::to_string(key)}) == present)
      return key;
  return std::nullopt;
}

Statement ExpectedKeys::aim(Statement drawn, std::uint64_t keys) const {
  const std::string& table = drawn.table.table;
  if (drawn.kind == StatementKind::insert) {
    const auto id = find_id(drawn.set);
    const std::uint64_t key = std::stoull(*id->second);
    if (const auto free = next(table, key, keys, false)) {
      id->second = std::to_string(*free);
      return drawn;
    }
    // No room: the row is there already, so it gets these values.
    const Statement full{StatementKind::update, drawn.table, {}, {*id}, {}};
    drawn.set.erase(id);
    return {full.kind, full.table, std::move(drawn.set), full.where, {}};
  }
  const auto of = find_id(drawn.where);
  if (const auto present = next(table, std::stoull(*of->second), keys, true))
    of->second = std::to_string(*present);
  const auto to = find_id(drawn.set);
  if (to == drawn.set.end() || !collides(drawn)) return drawn;
  if (const auto free = next(table, std::stoull(*to->second), keys, false))
    to->second = std::to_string(*free);
  else
    *to = *of;  // nowhere to go
  return drawn;
}

}  // namespace holdfast::scenarios
