// Routing must never lose a shape that a change concerns (I-16), and must not look at the others.
#include "core/base/guard_list.hpp"
#include "core/routing/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "core/base/hash.hpp"
#include "core/shape/log_item.hpp"
#include "tests/shape/sample_shape.hpp"

namespace holdfast::routing {
namespace {

using shape::test::deletion;
using shape::test::insertion;
using shape::test::items;
using shape::test::update;
using shape::test::with_where;

std::shared_ptr<const postgres::StreamRelation> stream_relation(std::uint32_t oid = 16384) {
  auto relation = std::make_shared<postgres::StreamRelation>();
  relation->oid = {oid};
  return relation;
}

std::shared_ptr<const shape::Definition> shared(const std::string& where) {
  return std::make_shared<const shape::Definition>(with_where(where));
}

std::vector<std::string> routed(const Router& router, postgres::Change change,
                                std::uint32_t oid = 16384) {
  change.relation = stream_relation(oid);
  std::vector<const Route*> routes = {nullptr};  // whatever was there before is replaced
  router.route(change, routes);
  std::vector<std::string> handles;
  for (const Route* route : routes) handles.push_back(route->handle.text);
  return handles;
}

using Handles = std::vector<std::string>;

TEST(Router, FindsShapesByEqualityAndAlwaysThoseWithout) {
  Router router;
  router.add({"eq-7"}, shared("prio = 7"));
  router.add({"all"}, shared(""));
  router.add({"eq-8"}, shared("prio = 8"));
  router.add({"range"}, shared("prio > 100"));
  router.add({"eq-7-and"}, shared("title = title AND prio = 7"));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "7"})),
            (Handles{"eq-7", "all", "range", "eq-7-and"}));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", nullptr})), (Handles{"all", "range"}));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "junk"})), (Handles{"all", "range"}));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "7"}), 99), Handles{});
}

TEST(Router, LooksAtBothSidesOfAnUpdateAndReturnsAShapeOnce) {
  Router router;
  router.add({"new"}, shared("prio = 8"));
  router.add({"old"}, shared("prio = 7"));
  EXPECT_EQ(routed(router, update({"1", "a", "t", "7"}, {"1", "a", "t", "8"})),
            (Handles{"new", "old"}));
  EXPECT_EQ(routed(router, update({"1", "a", "t", "7"}, {"1", "b", "t", "7"})), Handles{"old"});
  EXPECT_EQ(routed(router, deletion({"1", "a", "t", "8"})), Handles{"new"});
}

TEST(Router, WithoutTheGuardAShapeThatNoIndexCoversIsForgottenWhereOneAnswers) {
  Guards without = Guards::all();
  without.switch_off(Guard::unindexed_shapes_see_every_change);
  Router naive(without);
  Router router;
  for (Router* each : {&naive, &router}) {
    each->add({"indexed"}, shared("prio = 8"));
    each->add({"other"}, shared("prio > 5"));
  }
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "8"})), (Handles{"indexed", "other"}));
  EXPECT_EQ(routed(naive, insertion({"1", "a", "t", "8"})), Handles{"indexed"});
}

TEST(Router, SendsATruncateToAllShapesOfTheTable) {
  Router router;
  router.add({"b"}, shared("prio = 8"));
  router.add({"a"}, shared(""));
  postgres::Change truncate;
  truncate.kind = postgres::ChangeKind::truncate;
  EXPECT_EQ(routed(router, truncate), (Handles{"b", "a"}));
}

TEST(Router, ForgetsWhatIsRemoved) {
  Router router;
  for (const char* handle : {"a", "b", "c"}) router.add({handle}, shared("prio = 7"));
  router.add({"d"}, shared(""));
  EXPECT_TRUE(router.remove({"b"}));
  EXPECT_FALSE(router.remove({"b"}));
  EXPECT_EQ(router.find({"b"}), nullptr);
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "7"})), (Handles{"a", "c", "d"}));
  EXPECT_TRUE(router.remove({"d"}));
  EXPECT_TRUE(router.remove({"a"}));
  EXPECT_TRUE(router.remove({"c"}));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "7"})), Handles{});
  EXPECT_EQ(router.size(), 0U);
  router.add({"b"}, shared("prio = 7"));
  EXPECT_EQ(routed(router, insertion({"1", "a", "t", "7"})), Handles{"b"});
}

TEST(Router, RoutesTooMuchRatherThanTooLittleWhenATableLostColumns) {
  Router router;
  router.add({"x"}, shared("prio = 8"));
  router.add({"y"}, shared("prio = 7"));
  EXPECT_EQ(routed(router, insertion({"1", "a"})), (Handles{"x", "y"}));
}

// A generator that favours collisions: few values, NULLs, several spellings of one value.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : seed_(seed) {}
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(combine64(seed_, ++draws_) % n);
  }

  std::string clause() {
    static constexpr std::array k_parts = {
        "prio = 1", "prio = '02'", "3 = prio",        "title = 'a'",  "title = 'b'", "done = true",
        "id = 5",   "prio > 1",    "title LIKE 'a%'", "prio IS NULL", "NOT done"};
    std::string text;
    for (std::size_t n = below(4); n > 0; --n)
      text += (text.empty()    ? ""
               : below(3) == 0 ? " OR "
                               : " AND ") +
              std::string(k_parts.at(below(k_parts.size())));
    return text;
  }

  std::vector<const char*> row() {
    static constexpr std::array<const char*, 5> k_ids = {"1", "2", "5", "6", "7"};
    static constexpr std::array<const char*, 4> k_titles = {"a", "b", "ab", nullptr};
    static constexpr std::array<const char*, 3> k_dones = {"t", "f", nullptr};
    static constexpr std::array<const char*, 5> k_prios = {"1", "2", "3", "4", nullptr};
    return {k_ids.at(below(5)), k_titles.at(below(4)), k_dones.at(below(3)), k_prios.at(below(5))};
  }

  postgres::Change change() {
    switch (below(3)) {
      case 0:
        return insertion(row());
      case 1:
        return deletion(row());
      default:
        return update(row(), row());
    }
  }

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

TEST(Router, NeverLosesAShapeThatGetsAnItem) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Generator generate(seed);
    Router router;
    std::map<std::string, std::shared_ptr<const shape::Definition>> live;
    std::size_t items_made = 0;
    for (int step = 0; step < 300; ++step) {
      if (live.size() < 40 || generate.below(10) == 0) {
        const std::string handle = std::to_string(step);
        router.add({handle}, live[handle] = shared(generate.clause()));
      }
      if (generate.below(10) == 0) {
        const auto victim =
            std::next(live.begin(), static_cast<std::ptrdiff_t>(generate.below(live.size())));
        EXPECT_TRUE(router.remove({victim->first}));
        live.erase(victim);
      }
      postgres::Change change = generate.change();
      change.relation = stream_relation();
      std::vector<const Route*> routes;
      router.route(change, routes);
      EXPECT_TRUE(std::is_sorted(routes.begin(), routes.end(), [](const Route* a, const Route* b) {
        return a->number < b->number;
      }));
      for (const auto& shape : live) {
        const std::string& handle = shape.first;
        std::vector<holdfast::shape::LogItem> made;
        holdfast::shape::append_change(made, *shape.second, change, {1}, {1});
        items_made += made.size();
        const bool present = std::any_of(routes.begin(), routes.end(),
                                         [&](const Route* r) { return r->handle.text == handle; });
        EXPECT_TRUE(made.empty() || present)
            << "seed " << seed << " step " << step << " shape " << handle;
      }
      for (const Route* route : routes) EXPECT_TRUE(live.contains(route->handle.text));
    }
    EXPECT_GT(items_made, 1000U) << "the generator makes changes that matter";
  }
}

// The bound is a count of returned shapes, not a time; the time is printed for people.
TEST(Router, ReturnsOneOfTenThousandEqualities) {
  Router router;
  for (int i = 0; i < 10'000; ++i)
    router.add({std::to_string(i)}, shared("prio = " + std::to_string(i)));
  postgres::Change change = update({"1", "a", "t", "17"}, {"1", "a", "t", "9999"});
  change.relation = stream_relation();
  std::vector<const Route*> routes;
  const auto begin = std::chrono::steady_clock::now();
  constexpr int k_turns = 10'000;
  for (int i = 0; i < k_turns; ++i) router.route(change, routes);
  const auto spent = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes.front()->handle.text, "17");
  RecordProperty("ns_per_update",
                 static_cast<int>(std::chrono::nanoseconds(spent).count() / k_turns));
}

}  // namespace
}  // namespace holdfast::routing
