// A history's stream: transactions to inner shapes first, to the root whole or in parts.
#include <algorithm>

#include "tests/subquery/history.hpp"

namespace holdfast::subquery::test {
namespace {

std::shared_ptr<postgres::Transaction> transaction_of(const Committed& committed,
                                                      const std::string& table) {
  auto made = std::make_shared<postgres::Transaction>();
  made->xid = {committed.xid};
  made->commit_lsn = committed.commit_lsn;
  for (std::size_t i = 0; i < committed.changes.size(); ++i) {
    const RowChange& change = committed.changes[i];
    if (change.table != table || (!change.before && !change.after)) continue;
    postgres::Change one;
    one.op = 2 * i;
    one.kind = !change.before  ? postgres::ChangeKind::insert
               : !change.after ? postgres::ChangeKind::erase
                               : postgres::ChangeKind::update;
    one.old_tuple = tuple(change.before);
    one.new_tuple = tuple(change.after);
    made->changes.push_back(std::move(one));
  }
  return made;
}

}  // namespace

// -- the stream -----------------------------------------------------------------------------------

void History::deliver(Node& node, const Committed& committed) {
  std::size_t given = 0;
  if (plot_.in_parts && node.parent == nullptr && node.machine && dice_.one_in(3))
    given = deliver_first_part(node, committed);
  for (const auto& child : node.children) deliver(*child, committed);
  if (node.children.empty()) return deliver_to_plain(node, committed);
  if (node.machine) deliver_to_machine(node, committed, given, committed.changes.size());
}

std::size_t History::deliver_first_part(Node& node, const Committed& committed) {
  const std::size_t given = dice_.below(std::max<std::size_t>(committed.changes.size(), 1));
  if (given == 0) return 0;
  ++tally.parts;
  Reader before = node.reader;
  deliver_to_machine(node, committed, 0, given);
  while (dice_.one_in(2)) query_step(node, true);
  if (dice_.one_in(4)) {  // its consumer alone
    restart(node);
    subscribe(node);
  }
  if (!dice_.one_in(4)) return given;
  // All of them: what the log has of the transaction is cut, and it comes again, perhaps whole.
  ++tally.parts_cut;
  each_node(node, [&](Node& each) { restart(each); });
  if (node.machine->in_transaction()) node.reader = std::move(before);
  each_node(node, [&](Node& each) { subscribe(each); });
  if (dice_.one_in(2)) return 0;
  deliver_to_machine(node, committed, 0, given);
  return given;
}

void History::deliver_to_plain(Node& node, const Committed& committed) {
  if (next_ < node.handled) return;
  node.handled = next_ + 1;
  const auto transaction = transaction_of(committed, node.definition->relation().name.table);
  std::vector<InnerChange> changes;
  for (const postgres::Change& change : transaction->changes) {
    const auto in = [&](const postgres::Tuple& cells) {
      return !cells.empty() && shape::contains(*node.definition, cells);
    };
    append_inner_changes(changes, *node.definition, node.link, change, in(change.old_tuple),
                         in(change.new_tuple), nullptr);
  }
  for (const InnerChange& change : changes) node.result.apply(change);
  tell_parent(node, {committed.xid});
}

void History::tell_parent(Node& node, std::vector<std::uint64_t> txids) {
  const Moves moves = node.result.commit(std::move(txids));
  if (moves.empty() || !node.parent->machine) return;
  ++tally.moves;
  handle(*node.parent, node.parent->machine->on_moves(node.dependency, moves));
}

void History::deliver_to_machine(Node& node, const Committed& committed, std::size_t from,
                                 std::size_t to) {
  const auto transaction = transaction_of(committed, node.definition->relation().name.table);
  transaction->ends = to == committed.changes.size();
  const auto concerned = [&](const postgres::Tuple& cells) {
    return !cells.empty() &&
           node.definition->condition()->evaluate(cells, node.index) == where::Truth::yes;
  };
  OuterTransaction outer{transaction, {}};
  for (std::uint32_t i = 0; i < transaction->changes.size(); ++i)
    if (transaction->changes[i].op >= 2 * from && transaction->changes[i].op < 2 * to &&
        (concerned(transaction->changes[i].old_tuple) ||
         concerned(transaction->changes[i].new_tuple)))
      outer.changes.push_back(i);
  if (outer.changes.empty()) return;
  if (node.machine->in_transaction())
    handle(node, node.machine->on_position(transaction->commit_lsn));
  handle(node, node.machine->on_transaction(outer, next_ + 1));
  store(node, node.machine->take_changes());
  node.machine->let_go(next_ + dice_.below(3));  // now and then the last commits are under way
}

void History::process_one() {
  if (next_ == database_.wal.size()) return;
  taken_ = std::max(taken_, next_ + 1);
  deliver(*root_, database_.wal[next_]);
  ++next_;
  frontier_ = std::max(frontier_, next_);
  each_node(*root_, [&](Node& node) { announce(node); });
}

void History::announce(Node& node) {
  if (node.machine) handle(node, node.machine->on_position({1000 + 10 * next_}));
}

}  // namespace holdfast::subquery::test
