// One random history: a small database, a tree of inner shapes under one outer shape, queries that
// take their time, restarts. After every step in which a shape is steady its reader's rows must be
// the rows of the query under the shape's view. For the property test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/subquery/outer_shape.hpp"
#include "tests/subquery/clause.hpp"
#include "tests/subquery/database.hpp"
#include "tests/subquery/reader.hpp"

namespace holdfast::subquery::test {

/// What the surroundings of an outer shape can do wrong.
struct Mistakes {
  bool snapshot_by_sql_subquery = false;  ///< F-26
  bool exclusion_may_be_null = false;     ///< F-31
  bool broaden_after_the_query = false;   ///< F-63
  bool accept_what_was_streamed = false;  ///< F-64
};

/// Cells that live on as a tuple that views into them.
inline postgres::Tuple tuple(const std::optional<Cells>& cells) {
  postgres::Tuple made;
  if (cells)
    for (const auto& cell : *cells)
      made.push_back(cell ? std::optional<std::string_view>(*cell) : std::nullopt);
  return made;
}

struct Plot {
  Rules rules{};
  Mistakes mistakes{};
  bool nested = true;
  std::size_t piece_bytes = 1U << 20;  ///< of an outer shape's splice
  bool in_parts = false;               ///< some transactions come to the root in two parts
  std::size_t steps = 150;
};

/// The values of views, unpacked.
ValueSets value_sets(const Views& views);

struct Tally {
  std::size_t checks = 0;
  std::size_t rows = 0;
  std::size_t moves = 0;
  std::size_t restarts = 0;
  std::size_t requeries = 0;
  std::size_t pieces = 0;     ///< of splices, but the first of each
  std::size_t read_back = 0;  ///< of them, those that began with what was in the store only
  std::size_t parts = 0;      ///< first ones
  std::size_t parts_cut = 0;  ///< of them, those that were given again from the start
};

class History {
 public:
  History(std::uint64_t seed, Plot plot);
  /// Empty, or the first thing that went wrong.
  std::string run();
  Tally tally;

 private:
  struct Query {
    WantedQuery wanted;
    std::set<std::uint32_t> streamed;  ///< and not visible to everybody when it was wanted
    std::optional<std::vector<Cells>> rows;
    std::size_t delivered = 0;
  };
  struct Node {
    std::shared_ptr<const shape::Definition> definition;
    protocol::ShapeHandle handle;
    std::vector<std::uint16_t> link;
    Node* parent = nullptr;
    std::size_t dependency = 0;  ///< of the parent
    std::vector<std::unique_ptr<Node>> children;
    Clause clause;
    std::vector<Source> sources;

    MaterializerState result;  ///< for the parent
    std::size_t handled = 0;   ///< commits, of a plain shape
    std::optional<OuterShape> machine;
    std::map<std::pair<std::uint32_t, std::string>, std::string> stored;  ///< of both
    Views index;
    std::vector<ViewDelta> late_broadening;
    std::vector<std::string> snapshot_rows;
    Reader reader;
    std::optional<Query> query;
    std::vector<Query> void_queries;
  };

  std::unique_ptr<Node> make_node(std::shared_ptr<const shape::Definition> definition,
                                  std::vector<std::uint16_t> link, Node* parent);
  OuterShape::Options options_of(const Node& node) const;
  void create_machines(Node& node);
  void fill(Node& node);
  void deliver(Node& node, const Committed& committed);
  void deliver_to_plain(Node& node, const Committed& committed);
  /// The changes from here up to there.
  void deliver_to_machine(Node& node, const Committed& committed, std::size_t from, std::size_t to);
  /// Answers how many of its changes were given.
  std::size_t deliver_first_part(Node& node, const Committed& committed);
  void tell_parent(Node& node, std::vector<std::uint64_t> txids);
  /// An output with all pieces of its splice.
  void handle(Node& node, Output output);
  void apply(Node& node, Output output);
  void broaden(Node& node, const ViewDelta& delta);
  void narrow(Node& node, const ViewDelta& delta);
  void process_one();
  void announce(Node& node);
  void query_step(Node& node, bool may_fail);
  void void_query_step(Node& node);
  std::vector<Cells> answer(const Node& node) const;
  ValueSets results_now(const Node& node) const;
  static void store(Node& node, const std::vector<StateDelta>& changes);
  void restart(Node& node);
  void subscribe(Node& node);
  void step();
  bool finish();
  bool all_idle(const Node& node) const;
  void check(Node& node);
  void check_row(const Node& node, const Cells& cells, const ValueSets& sets);
  void check_results(const Node& node);
  void object(const std::string& what);
  template <class F>
  void each_node(Node& node, const F& visit);

  Dice dice_;
  Plot plot_;
  SmallDatabase database_;
  std::size_t next_ = 0;      ///< commit record to process
  std::size_t taken_ = 0;     ///< from the stream, in any incarnation
  std::size_t frontier_ = 0;  ///< how many were processed at most
  std::unique_ptr<Node> root_;
  std::string trouble_;
  std::string script_;
};

template <class F>
void History::each_node(Node& node, const F& visit) {
  for (const auto& child : node.children) each_node(*child, visit);
  visit(node);
}

}  // namespace holdfast::subquery::test
