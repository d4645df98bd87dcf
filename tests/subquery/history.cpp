#include "tests/subquery/history.hpp"

#include <algorithm>

namespace holdfast::subquery::test {
namespace {

postgres::RelationInfo relation(const std::string& name) {
  const auto column = [](const char* column_name, std::uint32_t oid, const char* type) {
    postgres::ColumnInfo made;
    made.name = column_name;
    made.type = {oid};
    made.type_name = type;
    return made;
  };
  postgres::RelationInfo made;
  made.oid = {name == "o" ? 1U : (name == "p" ? 2U : 3U)};
  made.name = {"public", name};
  const bool outer = name == "o";
  made.columns = {column("id", 20, "int8"), column(outer ? "a" : "v", 23, "int4"),
                  column(outer ? "b" : "n", 1700, "numeric"),
                  column(outer ? "c" : "w", 23, "int4")};
  if (!outer) made.columns.push_back(column("active", 16, "bool"));
  made.columns.front().key_position = 1;
  return made;
}

const where::Relations& relations() {
  static const where::Relations made = {relation("o"), relation("p"), relation("q")};
  return made;
}

const std::vector<Source>& root_sources() {
  static const std::vector<Source> made = {
      {"a IN (SELECT v FROM p WHERE active)", {1}},
      {"b IN (SELECT n FROM p)", {2}},
      {"(a, b) IN (SELECT v, n FROM q WHERE active)", {1, 2}},
      {"a IN (SELECT v FROM q WHERE w IN (SELECT v FROM p WHERE active))", {1}}};
  return made;
}

}  // namespace

History::History(std::uint64_t seed, Plot plot) : dice_(seed), plot_(plot) {
  const std::vector<Source> sources(root_sources().begin(),
                                    root_sources().end() - (plot_.nested ? 0 : 1));
  const Clause clause = random_clause(dice_, sources);
  script_ = clause.sql(sources);
  auto made = shape::Definition::resolve(
      {.table = relations().front().name, .columns = {}, .where = script_}, relations().front(),
      &relations());
  ASSERT(made.ok(), script_ + ": " + (made.ok() ? "" : made.error().message));
  root_ = make_node(std::make_shared<const shape::Definition>(std::move(*made)), {}, nullptr);
  root_->clause = clause;
  root_->sources = sources;
}

std::unique_ptr<History::Node> History::make_node(
    std::shared_ptr<const shape::Definition> definition, std::vector<std::uint16_t> link,
    Node* parent) {
  auto node = std::make_unique<Node>();
  node->definition = std::move(definition);
  node->handle = {"1-" + node->definition->identity().to_hex()};
  node->link = std::move(link);
  node->parent = parent;
  if (parent != nullptr) node->sources = {{"", {3}}};  // w IN (…): the one nested clause
  const auto& condition = node->definition->condition();
  node->result = MaterializerState(condition ? condition->plan() : nullptr, plot_.rules);
  for (const shape::Dependency& dependency : node->definition->dependencies()) {
    node->children.push_back(make_node(dependency.inner, dependency.link, node.get()));
    node->children.back()->dependency = node->children.size() - 1;
  }
  return node;
}

void History::object(const std::string& what) {
  if (trouble_.empty()) trouble_ = script_ + "\n" + what;
}

OuterShape::Options History::options_of(const Node& node) const {
  OuterShape::Options options;
  options.rules = plot_.rules;
  options.most_values_a_move = 2;
  options.piece_bytes = plot_.piece_bytes;
  if (node.parent != nullptr) options.links = {node.link};
  return options;
}

// A shape comes into being once everything that it depends on has its rows.
void History::create_machines(Node& node) {
  for (const auto& child : node.children) {
    create_machines(*child);
    if (!child->children.empty() && !(child->machine && child->machine->snapshot_complete()))
      return;
  }
  if (node.machine || node.children.empty()) return;
  Views seeded;
  for (const auto& child : node.children) seeded.sets.push_back(child->result.values());
  node.index = seeded;
  node.machine.emplace(node.definition, node.handle, seeded, options_of(node));
  handle(node, node.machine->begin());
}

void History::fill(Node& node) {
  if (!node.children.empty()) return;
  for (const auto& [id, cells] : database_.visible_rows(node.definition->relation().name.table))
    if (shape::contains(*node.definition, tuple(cells)))
      node.result.apply(inner_row(*node.definition, node.link, tuple(cells), nullptr));
  (void)node.result.commit({});
  node.handled = database_.wal.size();
}

// -- what an outer shape wants --------------------------------------------------------------------

void History::broaden(Node& node, const ViewDelta& delta) {
  ValueSet& set = node.index.sets[delta.dependency];
  if (node.definition->condition()->plan()->dependencies[delta.dependency].negated)
    set = changed(set, {0, {}, delta.outs});
  else
    set = changed(set, {0, delta.ins, {}});
}

void History::narrow(Node& node, const ViewDelta& delta) {
  ValueSet& set = node.index.sets[delta.dependency];
  if (node.definition->condition()->plan()->dependencies[delta.dependency].negated)
    set = changed(set, {0, delta.ins, {}});
  else
    set = changed(set, {0, {}, delta.outs});
}

void History::handle(Node& node, Output output) {
  std::vector<InnerChange> inner;
  const auto take = [&](Output piece) {
    if (!piece.inner.empty())
      inner.insert(inner.end(), piece.inner.front().begin(), piece.inner.front().end());
    apply(node, std::move(piece));
  };
  take(std::move(output));
  while (node.machine->splicing()) {
    ++tally.pieces;
    std::vector<StateDelta> stored;
    if (const auto from = node.machine->wants_stored()) {
      ++tally.read_back;
      const std::uint32_t space = number(Space::buffer);
      for (auto at = node.stored.lower_bound({space, *from});
           at != node.stored.end() && at->first.first == space && stored.size() < 2; ++at)
        stored.push_back({space, at->first.second, at->second});
    }
    auto next = node.machine->go_on(stored);
    ASSERT(next.ok(), next.error().message);
    take(std::move(*next));
  }
  if (node.parent == nullptr || inner.empty()) return;
  for (const InnerChange& change : inner) node.result.apply(change);
  tell_parent(node, {});
}

void History::apply(Node& node, Output output) {
  for (std::string& row : output.snapshot_rows) node.snapshot_rows.push_back(std::move(row));
  if (output.snapshot_complete) node.reader.start(node.snapshot_rows);
  for (const shape::LogItem& item : output.items) node.reader.apply(item);
  if (!node.reader.trouble.empty()) object(node.reader.trouble);
  for (const ViewDelta& delta : output.narrow) narrow(node, delta);
  for (const ViewDelta& delta : output.broaden) {
    if (plot_.mistakes.broaden_after_the_query)
      node.late_broadening.push_back(delta);
    else
      broaden(node, delta);
  }
  if (output.query) {
    if (node.query) {
      ++tally.requeries;
      node.void_queries.push_back(std::move(*node.query));
    }
    node.query = Query{std::move(*output.query), database_.hidden(), std::nullopt, 0};
    // Of what nobody sees yet, what has passed already will not be taken again, whether this
    // incarnation saw it or one before a restart; what is under way may have been given here.
    std::set<std::uint32_t> passed;
    for (std::size_t i = 0; i < taken_; ++i)
      if (node.query->streamed.contains(database_.wal[i].xid)) passed.insert(database_.wal[i].xid);
    node.query->streamed = std::move(passed);
    if (node.query->wanted.initial) node.snapshot_rows.clear();
  }
}

ValueSets History::results_now(const Node& node) const {
  ValueSets made;
  for (const auto& child : node.children) {
    made.emplace_back();
    for (const auto& [id, cells] :
         database_.visible_rows(child->definition->relation().name.table)) {
      if (child->children.empty() && !shape::contains(*child->definition, tuple(cells))) continue;
      if (!child->children.empty() &&
          child->clause.holds(cells, child->sources, results_now(*child)) != 2)
        continue;
      Value value;
      for (const std::uint16_t column : child->link)
        value.push_back(cells[column] ? std::optional(canonical(*cells[column])) : std::nullopt);
      made.back().insert(std::move(value));
    }
  }
  return made;
}

std::vector<Cells> History::answer(const Node& node) const {
  const WantedQuery& wanted = node.query->wanted;
  const ValueSets after = wanted.initial && plot_.mistakes.snapshot_by_sql_subquery
                              ? results_now(node)
                              : value_sets(node.machine->target());
  const ValueSets before = value_sets(node.machine->views());
  const bool either = wanted.condition.find(", false) OR coalesce(") != std::string::npos;
  std::vector<Cells> rows;
  for (const auto& [id, cells] : database_.visible_rows(node.definition->relation().name.table)) {
    const Kleene is = node.clause.holds(cells, node.sources, after);
    const Kleene was = node.clause.holds(cells, node.sources, before);
    const bool outside = plot_.mistakes.exclusion_may_be_null ? was == 0 : was != 2;
    const bool wanted_row =
        wanted.initial ? is == 2 : (either ? is == 2 || was == 2 : is == 2 && outside);
    if (wanted_row) rows.push_back(cells);
  }
  return rows;
}

void History::query_step(Node& node, bool may_fail) {
  if (!node.query) return;
  const std::uint64_t attempt = node.query->wanted.attempt;
  if (may_fail && dice_.one_in(12)) return handle(node, node.machine->on_failed(attempt));
  if (!node.query->rows) {
    if (!plot_.mistakes.accept_what_was_streamed && !database_.sees_all_of(node.query->streamed))
      return handle(node, node.machine->on_failed(attempt));
    node.query->rows = answer(node);
    const postgres::Snapshot snapshot = database_.snapshot();
    for (const ViewDelta& delta : node.late_broadening) broaden(node, delta);
    node.late_broadening.clear();
    return handle(node, node.machine->on_snapshot(attempt, snapshot));
  }
  if (node.query->delivered < node.query->rows->size()) {
    const Cells& cells = (*node.query->rows)[node.query->delivered++];
    postgres::RowBatch batch(node.query->wanted.columns.size());
    for (const std::uint16_t column : node.query->wanted.columns) batch.add_cell(cells[column]);
    return handle(node, node.machine->on_rows(attempt, batch));
  }
  node.query.reset();
  handle(node, node.machine->on_rows_complete(attempt));
}

// What an abandoned session still had on its way.
void History::void_query_step(Node& node) {
  if (node.void_queries.empty()) return;
  Query late = std::move(node.void_queries.back());
  node.void_queries.pop_back();
  if (!late.rows) return;
  for (; late.delivered < late.rows->size(); ++late.delivered) {
    postgres::RowBatch batch(late.wanted.columns.size());
    for (const std::uint16_t column : late.wanted.columns)
      batch.add_cell((*late.rows)[late.delivered][column]);
    handle(node, node.machine->on_rows(late.wanted.attempt, batch));
  }
  handle(node, node.machine->on_rows_complete(late.wanted.attempt));
}

void History::store(Node& node, const std::vector<StateDelta>& changes) {
  for (const auto& [space, key, value] : changes) {
    if (!key)
      std::erase_if(node.stored, [&](const auto& entry) { return entry.first.first == space; });
    else if (value)
      node.stored[{space, *key}] = *value;
    else
      node.stored.erase({space, *key});
  }
}

void History::restart(Node& node) {
  store(node, node.result.take_changes());
  if (node.machine) store(node, node.machine->take_changes());
  std::vector<StateDelta> entries;
  for (const auto& [where, value] : node.stored)
    entries.push_back({where.first, where.second, value});
  if (node.parent != nullptr) {
    const auto& condition = node.definition->condition();
    auto result = MaterializerState::restore(entries, condition ? condition->plan() : nullptr);
    ASSERT(result.ok() && result->values() == node.result.values(), "a result is read back");
    node.result = std::move(*result);
  }
  node.query.reset();
  node.void_queries.clear();
  if (!node.machine) return;
  auto machine = OuterShape::restore(entries, node.definition, node.handle, options_of(node));
  ASSERT(machine.ok() && (*machine)->views() == node.machine->views(), "a machine is read back");
  node.machine = std::move(**machine);
  node.index = node.machine->views();
}

void History::subscribe(Node& node) {
  if (!node.machine) return;
  handle(node, node.machine->on_restored());
  for (std::size_t d = 0; d < node.children.size(); ++d)
    handle(node, node.machine->on_subscribed(d, node.children[d]->result.values()));
}

// -- the run --------------------------------------------------------------------------------------

void History::step() {
  switch (dice_.below(16)) {
    case 0:
    case 1:
      return database_.start(dice_);
    case 2:
    case 3:
      return database_.commit(dice_);
    case 4:
    case 5:
      return database_.show(dice_);
    case 6:
    case 7:
    case 8:
      return process_one();
    case 9:
      if (next_ == database_.wal.size()) each_node(*root_, [&](Node& node) { announce(node); });
      return;
    case 10:
      each_node(*root_, [&](Node& node) { void_query_step(node); });
      return;
    case 11:
      if (!dice_.one_in(4)) return;
      ++tally.restarts;
      next_ -= std::min(next_, dice_.below(4));
      each_node(*root_, [&](Node& node) { restart(node); });
      each_node(*root_, [&](Node& node) { subscribe(node); });
      return;
    default:
      each_node(*root_, [&](Node& node) { query_step(node, true); });
  }
}

bool History::all_idle(const Node& node) const {
  return (node.children.empty() || (node.machine && node.machine->idle())) &&
         std::all_of(node.children.begin(), node.children.end(),
                     [&](const auto& child) { return all_idle(*child); });
}

bool History::finish() {
  for (int turn = 0; turn < 3000; ++turn) {
    database_.commit(dice_);
    database_.show(dice_);
    process_one();
    create_machines(*root_);
    if (next_ == database_.wal.size()) each_node(*root_, [&](Node& node) { announce(node); });
    each_node(*root_, [&](Node& node) { query_step(node, false); });
    each_node(*root_, [&](Node& node) { check(node); });
    if (!trouble_.empty()) return true;
    if (database_.quiet() && next_ == database_.wal.size() && all_idle(*root_)) return true;
  }
  return false;
}

std::string History::run() {
  for (int i = 0; i < 12; ++i) {
    database_.start(dice_);
    database_.commit(dice_);
    database_.show(dice_);
  }
  while (!database_.quiet()) {
    database_.commit(dice_);
    database_.show(dice_);
  }
  next_ = frontier_ = taken_ = database_.wal.size();
  each_node(*root_, [&](Node& node) { fill(node); });
  for (std::size_t i = 0; i < plot_.steps && trouble_.empty(); ++i) {
    if (dice_.one_in(8)) create_machines(*root_);
    step();
    each_node(*root_, [&](Node& node) { check(node); });
  }
  if (trouble_.empty() && !finish()) object("it never comes to rest");
  if (trouble_.empty()) each_node(*root_, [&](Node& node) { check_results(node); });
  return trouble_;
}

}  // namespace holdfast::subquery::test
