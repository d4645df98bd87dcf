// Shapes of one table by the values that their views hold (engine.md §5.2). A node is a left side;
// under it a shape is found by the values of a positive dependency, or left out by those of a
// negated one. A shape is registered once for each disjunct of its clause; one with a disjunct
// without a membership test, and one that is not seeded yet, is always returned. An
// over-approximation, as the router is. A value of one owner; never suspends.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/postgres/stream.hpp"
#include "core/shape/definition.hpp"
#include "core/subquery/move_queue.hpp"
#include "core/subquery/value_set.hpp"

namespace holdfast::routing {

class SubqueryIndex {
 public:
  using ShapeNumber = std::uint64_t;  ///< Route::number

  /// REQUIRES: the definition has subqueries; its tuples have the columns of this index's table.
  /// In fallback until it is seeded.
  void add(ShapeNumber shape, std::shared_ptr<const shape::Definition> definition);
  /// Costs the shape's own values; afterwards no entry of it exists (I-19).
  void remove(ShapeNumber shape);
  /// The views that the shape has now: from here it is found by them, and by nothing it was before.
  void seed(ShapeNumber shape, const subquery::Views& views);
  /// Before a move's query: what the shape will have is routed to it as well (F-63).
  void broaden(ShapeNumber shape, const subquery::ViewDelta& delta);
  /// After the move: what it has no more is not.
  void narrow(ShapeNumber shape, const subquery::ViewDelta& delta);

  /// Appends the shapes that a tuple may concern, ascending. O(matches) for positive ones, for
  /// negated ones the shapes of the node.
  void look_up(const postgres::Tuple& tuple, std::vector<ShapeNumber>& out) const;
  /// Values that are kept, over all shapes: what a removal must bring back to zero.
  std::size_t entries() const;

 private:
  struct Node {
    std::vector<std::uint16_t> columns;
    std::vector<where::Loader> loaders;
    std::map<std::string, std::set<ShapeNumber>> holding;  ///< of positive dependencies
    std::set<ShapeNumber> negated;                         ///< all with a negated one
    std::map<std::string, std::multiset<ShapeNumber>> excluding;
  };
  /// One membership test by which a shape is found.
  struct Place {
    std::size_t node = 0;
    std::size_t dependency = 0;
    bool operator==(const Place&) const = default;
  };
  struct Shape {
    std::shared_ptr<const shape::Definition> definition;
    std::vector<Place> places;
    std::vector<std::set<std::string>> values;  ///< by place: positive held, negated excluded
  };

  std::size_t node_for(const shape::Definition& definition, const where::Position& position);
  bool negated(const Shape& shape, const Place& place) const;
  void put(ShapeNumber number, Shape& shape, std::size_t place, const std::string& value);
  void take(ShapeNumber number, Shape& shape, std::size_t place, const std::string& value);
  void withdraw(ShapeNumber number, Shape& shape);

  std::vector<Node> nodes_;
  std::map<ShapeNumber, Shape> shapes_;
  std::set<ShapeNumber> always_;  ///< not seeded, or not found by values
};

}  // namespace holdfast::routing
