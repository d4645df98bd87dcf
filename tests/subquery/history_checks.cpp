// What must be true of a shape's reader, computed from the database alone.
#include "core/base/md5.hpp"
#include "core/where/link_value.hpp"
#include "tests/subquery/history.hpp"

namespace holdfast::subquery::test {

ValueSets value_sets(const Views& views) {
  ValueSets made;
  for (const ValueSet& set : views.sets) {
    made.emplace_back();
    for (const std::string& packed : set.values()) {
      Value value;
      for (const auto& cell : where::unpack_link_value(packed))
        value.push_back(cell ? std::optional<std::string>(*cell) : std::nullopt);
      made.back().insert(std::move(value));
    }
  }
  return made;
}

void History::check(Node& node) {
  if (!node.machine || !node.machine->snapshot_complete() || !node.machine->steady()) return;
  if (!trouble_.empty()) return;
  ++tally.checks;
  const ValueSets sets = value_sets(node.machine->views());
  std::size_t expected = 0;
  for (const auto& [id, cells] :
       database_.rows_after(node.definition->relation().name.table, frontier_)) {
    if (node.clause.holds(cells, node.sources, sets) != 2) continue;
    ++expected;
    check_row(node, cells, sets);
  }
  tally.rows += expected;
  if (expected != node.reader.rows.size())
    object("the reader has " + std::to_string(node.reader.rows.size()) + " rows, the query " +
           std::to_string(expected));
}

void History::check_row(const Node& node, const Cells& cells, const ValueSets& sets) {
  const auto seen = node.reader.rows.find(*cells.front());
  if (seen == node.reader.rows.end()) return object("a row is missing: " + *cells.front());
  const auto& columns = node.definition->relation().columns;
  for (const std::uint16_t i : node.definition->selected()) {
    const auto cell = seen->second.cells.find(columns[i].name);
    const bool same =
        cell != seen->second.cells.end() &&
        (cells[i] ? cell->second == nlohmann::json(*cells[i]) : cell->second.is_null());
    if (!same) return object("a row has an old " + columns[i].name + ": " + *cells.front());
  }
  std::vector<bool> active;
  std::vector<const Clause*> leaves;
  node.clause.literals(cells, node.sources, sets, false, active, leaves);
  if (active != seen->second.active) return object("conditions differ: " + *cells.front());
  std::vector<std::string> hashes;
  for (const Clause* leaf : leaves) {
    std::string text = node.handle.text;
    const bool in = leaf->kind == Clause::Kind::in;
    const auto& left = in ? node.sources[leaf->source].left : std::vector<std::size_t>();
    for (const std::size_t i : left) {
      if (left.size() > 1) text += columns[i].name + ":";
      text += cells[i] ? "v:" + canonical(*cells[i]) : "NULL";
    }
    hashes.push_back(in ? md5_hex(text) : "1");
  }
  if (seen->second.tags != shape::tags(*node.definition->condition()->plan(), hashes))
    object("tags differ: " + *cells.front());
}

// At rest every view is its dependency's result, as SQL has it.
void History::check_results(const Node& node) {
  if (node.machine && value_sets(node.machine->views()) != results_now(node))
    object("at rest a view is not the subquery's result");
}

}  // namespace holdfast::subquery::test
