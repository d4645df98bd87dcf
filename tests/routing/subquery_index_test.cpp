// The subquery index against brute force: a shape that a row may concern under any view that it has
// or is about to have must be returned (I-16, I-33), and a removed one leaves nothing (I-19).
#include "core/routing/subquery_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "core/base/hash.hpp"
#include "core/where/link_value.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::routing {
namespace {

using Number = SubqueryIndex::ShapeNumber;

std::shared_ptr<const shape::Definition> shared(const std::string& where) {
  postgres::RelationInfo other;
  other.oid = {2};
  other.name = {"public", "p"};
  other.columns = {shape::test::make_column("id", 20, "int8", 1),
                   shape::test::make_column("prio", 23, "int4"),
                   shape::test::make_column("title", 25, "text")};
  const where::Relations relations = {other};
  const postgres::RelationInfo items = shape::test::items();
  auto made = shape::Definition::resolve({.table = items.name, .columns = {}, .where = where},
                                         items, &relations);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return std::make_shared<const shape::Definition>(std::move(*made));
}

constexpr std::array k_clauses = {
    "prio IN (SELECT prio FROM p)",
    "prio NOT IN (SELECT prio FROM p) AND done",
    "prio IN (SELECT prio FROM p) OR title IN (SELECT title FROM p)",
    "prio IN (SELECT prio FROM p) OR prio IN (SELECT prio FROM p WHERE id = 1)",
    "NOT prio IN (SELECT prio FROM p) OR NOT prio IN (SELECT prio FROM p WHERE id = 1)",
    "(prio, title) IN (SELECT prio, title FROM p) AND NOT title IN (SELECT title FROM p)",
    "prio IN (SELECT prio FROM p) OR done",
    "(prio, title) NOT IN (SELECT prio, title FROM p)"};
constexpr std::array<const char*, 4> k_prios = {"1", "2", "3", nullptr};
constexpr std::array<const char*, 3> k_titles = {"a", "b", nullptr};

struct Known {
  std::shared_ptr<const shape::Definition> definition;
  std::vector<subquery::Views> possible;  ///< views that it has, or will have
};

class IndexProperty {
 public:
  explicit IndexProperty(std::uint64_t seed) : seed_(seed) {}

  void run() {
    for (int step = 0; step < 400; ++step) {
      if (shapes_.size() < 12) add(static_cast<Number>(step));
      if (below(6) == 0) {
        const auto victim = pick();
        index_.remove(victim->first);
        shapes_.erase(victim);
      } else {
        move(*pick());
      }
      look();
    }
    while (!shapes_.empty()) {
      index_.remove(shapes_.begin()->first);
      shapes_.erase(shapes_.begin());
    }
    EXPECT_EQ(index_.entries(), 0U);
  }
  std::size_t matched = 0;
  std::size_t passed_over = 0;

 private:
  std::size_t below(std::size_t n) { return combine64(seed_, ++draws_) % n; }
  std::map<Number, Known>::iterator pick() {
    return std::next(shapes_.begin(), static_cast<std::ptrdiff_t>(below(shapes_.size())));
  }

  std::string value(const shape::Dependency& dependency) {
    std::string packed;
    for (const std::uint16_t column : dependency.link) {
      const char* text = column == 1 ? k_prios.at(below(4)) : k_titles.at(below(3));
      where::append_packed(packed,
                           text == nullptr ? std::nullopt : std::optional<std::string_view>(text));
    }
    return packed;
  }

  void add(Number number) {
    Known known{shared(k_clauses.at(below(k_clauses.size()))), {}};
    index_.add(number, known.definition);
    subquery::Views views;
    for (const shape::Dependency& dependency : known.definition->dependencies()) {
      std::vector<std::string> values;
      for (std::size_t n = below(4); n > 0; --n) values.push_back(value(dependency));
      views.sets.emplace_back(values);
    }
    known.possible = {views};
    if (below(5) != 0) index_.seed(number, views);
    shapes_.emplace(number, std::move(known));
  }

  /// Begins a move, or ends the one under way.
  void move(std::pair<const Number, Known>& shape) {
    Known& known = shape.second;
    if (known.possible.size() == 2) {
      index_.narrow(shape.first, pending_[shape.first]);
      known.possible.erase(known.possible.begin());
      return;
    }
    subquery::ViewDelta delta;
    delta.dependency = below(known.definition->dependencies().size());
    subquery::Views after = known.possible.front();
    subquery::ValueSet& set = after.sets[delta.dependency];
    const std::string moved = value(known.definition->dependencies()[delta.dependency]);
    (set.contains(moved) ? delta.outs : delta.ins).push_back(moved);
    set = subquery::changed(set, delta);
    index_.broaden(shape.first, delta);
    known.possible.push_back(after);
    pending_[shape.first] = delta;
  }

  void look() {
    const postgres::Tuple row = shape::test::tuple(
        {"1", k_titles.at(below(3)), below(2) == 0 ? "t" : "f", k_prios.at(below(4))});
    std::vector<Number> found;
    index_.look_up(row, found);
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
    for (const auto& shape : shapes_) {
      const Number number = shape.first;
      const Known& known = shape.second;
      const bool concerned = std::any_of(
          known.possible.begin(), known.possible.end(), [&](const subquery::Views& views) {
            return known.definition->condition()->evaluate(row, views) == where::Truth::yes;
          });
      const bool returned = std::binary_search(found.begin(), found.end(), number);
      EXPECT_TRUE(returned || !concerned) << known.definition->condition()->canonical_sql();
      matched += concerned ? 1 : 0;
      passed_over += returned ? 0 : 1;
    }
  }

  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
  SubqueryIndex index_;
  std::map<Number, Known> shapes_;
  std::map<Number, subquery::ViewDelta> pending_;
};

TEST(SubqueryIndex, ReturnsEveryShapeThatARowMayConcern) {
  std::size_t matched = 0;
  std::size_t passed_over = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    IndexProperty property(seed);
    property.run();
    matched += property.matched;
    passed_over += property.passed_over;
  }
  EXPECT_GT(matched, 10'000U);
  EXPECT_GT(passed_over, 10'000U) << "it leaves out what it may";
}

}  // namespace
}  // namespace holdfast::routing
