#include "core/routing/subquery_index.hpp"

#include <algorithm>

#include "core/base/assert.hpp"
#include "core/where/link_value.hpp"
#include "core/where/plan.hpp"

namespace holdfast::routing {
namespace {

/// The position by which a disjunct's rows are found: a positive membership selects more.
std::optional<std::size_t> best_position(const where::Plan& plan,
                                         const std::vector<std::size_t>& disjunct) {
  std::optional<std::size_t> best;
  for (const std::size_t p : disjunct) {
    if (!plan.positions[p].dependency) continue;
    if (!best || (plan.positions[*best].negated && !plan.positions[p].negated)) best = p;
  }
  return best;
}

}  // namespace

std::size_t SubqueryIndex::node_for(const shape::Definition& definition,
                                    const where::Position& position) {
  std::vector<where::Loader> loaders;
  for (const std::uint16_t column : position.columns) {
    const auto loader =
        where::own_loader(where::type_of_column(definition.relation().columns[column]));
    ASSERT(loader, "a left side has columns that compare");
    loaders.push_back(*loader);
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].columns == position.columns && nodes_[i].loaders == loaders) return i;
  Node& node = nodes_.emplace_back();
  node.columns = position.columns;
  node.loaders = std::move(loaders);
  return nodes_.size() - 1;
}

void SubqueryIndex::add(ShapeNumber number, std::shared_ptr<const shape::Definition> definition) {
  const where::Plan& plan = *definition->condition()->plan();
  Shape shape;
  for (const auto& disjunct : plan.disjuncts) {
    const auto position = best_position(plan, disjunct);
    if (!position) {  // one disjunct can be true whatever the views hold
      shape.places.clear();
      break;
    }
    const where::Position& test = plan.positions[*position];
    const Place place{node_for(*definition, test), *test.dependency};
    if (std::find(shape.places.begin(), shape.places.end(), place) == shape.places.end())
      shape.places.push_back(place);
  }
  shape.values.resize(shape.places.size());
  shape.definition = std::move(definition);
  always_.insert(number);
  const bool fresh = shapes_.emplace(number, std::move(shape)).second;
  ASSERT(fresh, "a shape is added once");
}

bool SubqueryIndex::negated(const Shape& shape, const Place& place) const {
  return shape.definition->condition()->plan()->dependencies[place.dependency].negated;
}

// A value with a NULL is equal to nothing: nobody is found or left out by it.
void SubqueryIndex::put(ShapeNumber number, Shape& shape, std::size_t place,
                        const std::string& value) {
  if (where::has_null(value) || !shape.values[place].insert(value).second) return;
  Node& node = nodes_[shape.places[place].node];
  if (negated(shape, shape.places[place]))
    node.excluding[value].insert(number);
  else
    node.holding[value].insert(number);
}

void SubqueryIndex::take(ShapeNumber number, Shape& shape, std::size_t place,
                         const std::string& value) {
  if (shape.values[place].erase(value) == 0) return;
  Node& node = nodes_[shape.places[place].node];
  if (negated(shape, shape.places[place])) {
    const auto found = node.excluding.find(value);
    found->second.erase(found->second.find(number));
    if (found->second.empty()) node.excluding.erase(found);
    return;
  }
  // Another dependency of the shape on the same left side may hold the value too.
  for (std::size_t other = 0; other < shape.places.size(); ++other)
    if (shape.places[other].node == shape.places[place].node &&
        !negated(shape, shape.places[other]) && shape.values[other].contains(value))
      return;
  const auto found = node.holding.find(value);
  found->second.erase(number);
  if (found->second.empty()) node.holding.erase(found);
}

void SubqueryIndex::seed(ShapeNumber number, const subquery::Views& views) {
  Shape& shape = shapes_.at(number);
  if (shape.places.empty()) return;
  withdraw(number, shape);
  for (std::size_t place = 0; place < shape.places.size(); ++place) {
    if (negated(shape, shape.places[place]))
      nodes_[shape.places[place].node].negated.insert(number);
    for (const std::string& value : views.sets[shape.places[place].dependency].values())
      put(number, shape, place, value);
  }
  always_.erase(number);
}

void SubqueryIndex::broaden(ShapeNumber number, const subquery::ViewDelta& delta) {
  Shape& shape = shapes_.at(number);
  if (always_.contains(number)) return;
  for (std::size_t place = 0; place < shape.places.size(); ++place) {
    if (shape.places[place].dependency != delta.dependency) continue;
    if (negated(shape, shape.places[place]))
      for (const std::string& value : delta.outs) take(number, shape, place, value);
    else
      for (const std::string& value : delta.ins) put(number, shape, place, value);
  }
}

void SubqueryIndex::narrow(ShapeNumber number, const subquery::ViewDelta& delta) {
  Shape& shape = shapes_.at(number);
  if (always_.contains(number)) return;
  for (std::size_t place = 0; place < shape.places.size(); ++place) {
    if (shape.places[place].dependency != delta.dependency) continue;
    if (negated(shape, shape.places[place]))
      for (const std::string& value : delta.ins) put(number, shape, place, value);
    else
      for (const std::string& value : delta.outs) take(number, shape, place, value);
  }
}

void SubqueryIndex::withdraw(ShapeNumber number, Shape& shape) {
  for (std::size_t place = 0; place < shape.places.size(); ++place) {
    const std::set<std::string> values = shape.values[place];
    for (const std::string& value : values) take(number, shape, place, value);
    nodes_[shape.places[place].node].negated.erase(number);
  }
}

void SubqueryIndex::remove(ShapeNumber number) {
  const auto found = shapes_.find(number);
  if (found == shapes_.end()) return;
  withdraw(number, found->second);
  always_.erase(number);
  shapes_.erase(found);
}

void SubqueryIndex::look_up(const postgres::Tuple& tuple, std::vector<ShapeNumber>& out) const {
  std::set<ShapeNumber> matched = always_;
  for (const Node& node : nodes_) {
    std::string value;
    bool whole = true;
    for (std::size_t i = 0; i < node.columns.size() && whole; ++i)
      whole = node.columns[i] < tuple.size() &&
              where::append_link_cell(value, node.loaders[i], tuple[node.columns[i]]);
    if (!whole) {  // not a row of the table as it was: their consumers find out
      for (const auto& [held, shapes] : node.holding) matched.insert(shapes.begin(), shapes.end());
      matched.insert(node.negated.begin(), node.negated.end());
      continue;
    }
    if (const auto held = node.holding.find(value); held != node.holding.end())
      matched.insert(held->second.begin(), held->second.end());
    const auto excluding = node.excluding.find(value);
    for (const ShapeNumber shape : node.negated) {
      // As often as the shape has negated dependencies here, each must leave it out.
      const auto places = [&] {
        const Shape& one = shapes_.at(shape);
        return std::count_if(one.places.begin(), one.places.end(), [&](const Place& place) {
          return &nodes_[place.node] == &node && negated(one, place);
        });
      };
      if (excluding == node.excluding.end() ||
          static_cast<std::ptrdiff_t>(excluding->second.count(shape)) < places())
        matched.insert(shape);
    }
  }
  out.insert(out.end(), matched.begin(), matched.end());
}

std::size_t SubqueryIndex::entries() const {
  std::size_t total = always_.size();
  for (const Node& node : nodes_) {
    total += node.negated.size();
    for (const auto& [value, shapes] : node.holding) total += shapes.size();
    for (const auto& [value, shapes] : node.excluding) total += shapes.size();
  }
  return total;
}

}  // namespace holdfast::routing
