// The reducer: what it keeps is needed, what it finds is the same property, its limits hold, and
// the same limit of runs gives the same result. Most tests give it runs that are made up, so that
// what must be left is known exactly; the last ones give it guards that are off.
#include "scenarios/reduction/shrink.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "scenarios/reduction/simplify.hpp"

namespace holdfast::scenarios {
namespace {

constexpr const char* k_property = "I-1 offsets_increase";

Repro repro_of(Plan plan) {
  Repro repro;
  repro.plan = std::move(plan);
  return repro;
}

/// A made-up world: a run violates whatever the function says.
RunCandidate made_up(std::function<std::optional<std::string>(const Plan&)> violates,
                     std::uint64_t* runs = nullptr) {
  return [violates = std::move(violates), runs](const Repro& candidate, Extent) {
    if (runs != nullptr) ++*runs;
    Outcome outcome;
    outcome.report.steps = 1;
    if (const auto property = violates(candidate.plan)) outcome.verdict = {*property, "made up"};
    return outcome;
  };
}

bool has_shape(const Plan& plan, const std::string& name) {
  return std::any_of(plan.specs.begin(), plan.specs.end(),
                     [&](const auto& spec) { return spec.name == name; });
}

bool has_restart(const Plan& plan, unsigned number) {
  return std::any_of(plan.restarts.begin(), plan.restarts.end(),
                     [&](const auto& restart) { return restart.number == number; });
}

bool has_decision(const Plan& plan, const std::string& path) {
  return std::any_of(plan.decisions.begin(), plan.decisions.end(),
                     [&](const auto& decision) { return decision.path == path; });
}

Plan busy_plan() {
  Plan plan = make_plan("restarts", 3);
  plan.strategy = StrategyKind::scripted;
  for (unsigned i = 0; i < 300; ++i)
    plan.decisions.push_back({.path = "/p" + std::to_string(i), .ordinal = i, .times = 1});
  return plan;
}

ShrinkResult reduced(const Repro& failing, const RunCandidate& run, ShrinkOptions options = {}) {
  auto result = shrink(failing, run, options);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return result.ok() ? std::move(*result) : ShrinkResult{};
}

TEST(Shrink, LeavesExactlyWhatIsNeeded) {
  const Plan plan = busy_plan();
  ASSERT_GE(plan.specs.size(), 2U);
  const std::string shape = plan.specs[1].name;
  const unsigned restart = plan.restarts[2].number;
  const auto result =
      reduced(repro_of(plan), made_up([&](const Plan& p) {
                const bool fails = has_shape(p, shape) && has_restart(p, restart) &&
                                   has_decision(p, "/p17") && has_decision(p, "/p230");
                return fails ? std::optional<std::string>(k_property) : std::nullopt;
              }));
  const Plan& left = result.repro.plan;
  ASSERT_EQ(left.specs.size(), 1U);
  EXPECT_EQ(left.specs.front().name, shape);
  ASSERT_EQ(left.restarts.size(), 1U);
  EXPECT_EQ(left.restarts.front().number, restart);
  ASSERT_EQ(left.decisions.size(), 2U);
  EXPECT_EQ(left.decisions[0].path, "/p17");
  EXPECT_EQ(left.decisions[1].path, "/p230");
  EXPECT_TRUE(left.clients.empty());
  EXPECT_TRUE(left.transactions.empty());
  EXPECT_TRUE(left.initial_rows.empty());
  EXPECT_TRUE(left.faults.empty());
  EXPECT_EQ(left.tables.size(), 1U);
  EXPECT_EQ(left.knobs, Knobs{});
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.after.total(), 4U);
  EXPECT_EQ(result.repro.verdict->property, k_property);
  ASSERT_EQ(result.necessity.size(), 4U);
  for (const std::string& sentence : result.necessity)
    EXPECT_TRUE(sentence.starts_with("Without the ") && sentence.ends_with(" the history passes."))
        << sentence;
}

// Half of the candidates fail with something else: none of them may be taken.
TEST(Shrink, NeverTakesAnotherProperty) {
  const Plan plan = busy_plan();
  bool other_seen = false;
  const auto result = reduced(repro_of(plan), made_up([&](const Plan& p) {
                                if (p.restarts.size() < 2) {
                                  other_seen = true;
                                  return std::optional<std::string>("another property");
                                }
                                return std::optional<std::string>(k_property);
                              }));
  EXPECT_TRUE(other_seen);
  EXPECT_EQ(result.repro.plan.restarts.size(), 2U);
  EXPECT_EQ(result.repro.verdict->property, k_property);
  ASSERT_EQ(result.necessity.size(), 2U);
  EXPECT_NE(result.necessity.front().find("another property is violated: another property"),
            std::string::npos);
}

TEST(Shrink, KeepsToItsLimitOfRunsAndGivesTheSameForTheSameLimit) {
  const Plan plan = busy_plan();
  const auto fails = [](const Plan& p) {
    return p.decisions.size() >= 40 && p.specs.size() >= 2 ? std::optional<std::string>(k_property)
                                                           : std::nullopt;
  };
  for (const std::uint64_t limit : {1, 5, 60, 200}) {
    ShrinkOptions options;
    options.most_runs = limit;
    std::uint64_t runs = 0;
    const auto first = reduced(repro_of(plan), made_up(fails, &runs), options);
    const auto second = reduced(repro_of(plan), made_up(fails), options);
    EXPECT_EQ(to_text(first.repro), to_text(second.repro));
    EXPECT_EQ(runs, first.runs);
    // Replays and the report come on top of the search.
    EXPECT_LE(runs, limit + 2 + first.necessity.size());
    EXPECT_TRUE(fails(first.repro.plan).has_value());
  }
}

TEST(Shrink, EndsWhenItsTimeIsOver) {
  std::uint64_t asked = 0;
  ShrinkOptions options;
  options.out_of_time = [&] { return ++asked > 30; };
  const auto result =
      reduced(repro_of(busy_plan()),
              made_up([](const Plan&) { return std::optional<std::string>(k_property); }), options);
  EXPECT_FALSE(result.finished);
  EXPECT_LT(result.runs, 200U);
}

TEST(Shrink, RefusesARunThatPassesOrFailsOtherwise) {
  const auto passes = shrink(repro_of(busy_plan()),
                             made_up([](const Plan&) { return std::optional<std::string>(); }), {});
  ASSERT_FALSE(passes.ok());
  EXPECT_NE(passes.error().message.find("nothing to reduce"), std::string::npos);
  Repro other = repro_of(busy_plan());
  other.verdict = {"another property", "it was"};
  EXPECT_FALSE(
      shrink(other, made_up([](const Plan&) { return std::optional<std::string>(k_property); }), {})
          .ok());
}

TEST(Shrink, RefusesARunThatIsNotDeterministic) {
  std::uint64_t runs = 0;
  const auto result = shrink(repro_of(busy_plan()),
                             [&](const Repro&, Extent) {
                               Outcome outcome;
                               outcome.verdict = {k_property, "made up"};
                               outcome.report.trace_hash = {++runs, 0};
                               return outcome;
                             },
                             {});
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("two results"), std::string::npos);
}

// `protocol` stands for many rules; a run that breaks another of them is another failure.
TEST(Shrink, TellsTheRulesOfTheProtocolApart) {
  const auto result = reduced(repro_of(busy_plan()), [](const Repro& candidate, Extent) {
    Outcome outcome;
    const std::size_t restarts = candidate.plan.restarts.size();
    outcome.verdict = {"protocol", restarts < 2
                                       ? "s1: status 400"
                                       : "s0: a record too many: " + std::to_string(restarts)};
    return outcome;
  });
  EXPECT_EQ(result.repro.plan.restarts.size(), 2U);
}

// Taking a client away renames the requests of the others: made up here as "the request that counts
// has the number of clients".
TEST(Shrink, AimsDecisionsAboutRequestsAnew) {
  Plan plan = busy_plan();
  plan.decisions = {{.path = "/i1/request[" + std::to_string(plan.clients.size()) + "]",
                     .ordinal = 3,
                     .times = 4}};
  ASSERT_GT(plan.clients.size(), 2U);
  const auto result = reduced(repro_of(plan), made_up([](const Plan& p) {
                                const std::string wanted =
                                    "/i1/request[" + std::to_string(p.clients.size()) + "]";
                                return !p.clients.empty() && has_decision(p, wanted)
                                           ? std::optional<std::string>(k_property)
                                           : std::nullopt;
                              }));
  EXPECT_EQ(result.repro.plan.clients.size(), 1U);
  ASSERT_EQ(result.repro.plan.decisions.size(), 1U);
  EXPECT_EQ(result.repro.plan.decisions.front().path, "/i1/request[1]");
}

// Made up as "the third transaction before the xids wrap is the one that counts".
TEST(Shrink, KeepsTheWrapOfTransactionIdsWhereItWas) {
  Plan plan = busy_plan();
  plan.knobs.first_xid = (1ULL << 32) - plan.transactions.size() - 2;
  const auto result = reduced(repro_of(plan), made_up([](const Plan& p) {
                                return p.knobs.first_xid + p.transactions.size() + 2 == 1ULL << 32
                                           ? std::optional<std::string>(k_property)
                                           : std::nullopt;
                              }));
  EXPECT_TRUE(result.repro.plan.transactions.empty());
  EXPECT_EQ(result.after.total(), 1U) << result.after.to_text();
}

// -- choices --------------------------------------------------------------------------------------

/// What a plan must be to be run: checked by reading it back, as every repro file is.
void expect_whole(const Plan& plan, const std::string& why) {
  const auto read = parse_repro(to_text(repro_of(plan)), "plan");
  ASSERT_TRUE(read.ok()) << why << ": " << read.error().message;
  EXPECT_EQ(read->plan, plan) << why;
}

TEST(Choices, LeaveAWholePlanWhateverIsTakenAway) {
  for (const std::string& scenario : scenario_names())
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      const Plan plan = make_plan(scenario, seed);
      for (const ChoiceKind kind : choice_kinds()) {
        const std::size_t count = count_of(plan, kind);
        for (std::size_t i = 0; i < count; i += 1 + count / 4) {
          const Plan less = without(plan, kind, i, i + 1);
          EXPECT_NE(less, plan);
          expect_whole(less, std::string(name_of(kind)) + " " + std::to_string(i));
          EXPECT_FALSE(in_words(plan, kind, i, {}).empty());
        }
        expect_whole(without(plan, kind, 0, count), std::string(name_of(kind)));
      }
      expect_whole(simplified(plan, 0, count_simplifications(plan)), "simplified");
    }
}

TEST(Choices, AreOfDistinctKinds) {
  const std::set<ChoiceKind> kinds(choice_kinds().begin(), choice_kinds().end());
  EXPECT_EQ(kinds.size(), choice_kinds().size());
  EXPECT_EQ(static_cast<std::size_t>(*kinds.rbegin()) + 1, kinds.size()) << "and of all";
}

// What a plan consists of can be taken away to nothing: else a repro could not become small.
TEST(Choices, CanAllBeTakenAway) {
  for (const std::string& scenario : scenario_names())
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Plan plan = make_plan(scenario, seed);
      for (const ChoiceKind kind : choice_kinds())
        plan = without(plan, kind, 0, count_of(plan, kind));
      EXPECT_EQ(count_choices(plan).total(), 0U) << scenario << " " << seed;
    }
}

TEST(Choices, LeaveColumnsThatAConditionNames) {
  Plan plan = make_plan("reference", 1);
  plan.specs.resize(1);
  plan.clients.clear();  // they name shapes by number, as removals do
  plan.removals.clear();
  plan.probes.clear();
  plan.specs.front().where = "v > 1 AND \"name\" LIKE 'at_flag%'";
  const std::string table = plan.specs.front().table;
  const Plan less = without(plan, ChoiceKind::column, 0, count_of(plan, ChoiceKind::column));
  for (const auto& definition : less.tables) {
    if (definition.name.table != table) continue;
    ASSERT_EQ(definition.columns.size(), 3U);
    EXPECT_EQ(definition.columns[1].name, "v");
    EXPECT_EQ(definition.columns[2].name, "name");
  }
}

TEST(Choices, KeepTheirNamesWhenOthersGo) {
  const Plan plan = make_plan("restarts", 3);
  const Plan less = without(plan, ChoiceKind::restart, 0, 1);
  ASSERT_EQ(less.restarts.size() + 1, plan.restarts.size());
  EXPECT_EQ(less.restarts.front(), plan.restarts[1]);
  const Plan fewer = without(plan, ChoiceKind::shape, 0, 1);
  EXPECT_EQ(fewer.specs.front().name, plan.specs[1].name);
  for (const PlannedClient& client : fewer.clients)
    for (const PlannedClient& before : plan.clients)
      if (before.number == client.number) {
        EXPECT_EQ(before.spec, client.spec + 1);
      }
}

TEST(Choices, CountDeviationsFromTheBase) {
  Plan plan = make_plan("reference", 1);
  const ChoiceCounts counts = count_choices(plan);
  EXPECT_EQ(counts.knobs, 0U) << "the reference history has default knobs";
  EXPECT_EQ(counts.faults, plan.restarts.size() + plan.faults.size());
  plan.knobs.chunk_bytes = 7;
  plan.decisions.resize(3);
  EXPECT_EQ(count_choices(plan).total(), counts.total() + 4);
}

// -- real runs ------------------------------------------------------------------------------------

class ReducedRuns : public ::testing::Test {
 protected:
  RunCandidate here() {
    return [this](const Repro& candidate, Extent extent) {
      return run_here(candidate, extent, &reused_);
    };
  }
  /// The smallest of the first three that fail: `check` does not reduce the first either.
  Repro smallest_failing(const std::string& guard, std::uint64_t most) {
    std::vector<Repro> found;
    for (std::uint64_t seed = 1; seed <= most && found.size() < 3; ++seed) {
      Repro repro;
      repro.without = {guard};
      repro.plan = make_plan("mixed", seed);
      if (here()(repro, Extent::first_violation).verdict) found.push_back(std::move(repro));
    }
    if (found.empty()) {
      ADD_FAILURE() << "no history misses " << guard;
      return {};
    }
    return *std::min_element(found.begin(), found.end(), [](const Repro& a, const Repro& b) {
      return count_choices(a.plan).total() < count_choices(b.plan).total();
    });
  }
  Reused reused_;
};

TEST_F(ReducedRuns, AreSmallAndFailLikeTheOriginal) {
  for (const char* guard : {"visible_only_after_commit", "removal_before_truncate_is_applied"}) {
    const Repro failing = smallest_failing(guard, 800);
    const auto original = here()(failing, Extent::whole);
    const ShrinkResult result = reduced(failing, here());
    EXPECT_TRUE(result.finished);
    EXPECT_LE(result.after.total(), 30U) << guard;
    EXPECT_LT(to_text(result.repro).size(), 10'000U);
    const auto again = parse_repro(to_text(result.repro), "result");
    ASSERT_TRUE(again.ok());
    const Outcome replayed = here()(*again, Extent::whole);
    ASSERT_TRUE(replayed.verdict.has_value());
    EXPECT_EQ(replayed.verdict->property, original.verdict->property);
    EXPECT_EQ(replayed.report.trace_hash, result.repro.trace_hash);
    Repro guarded = *again;
    guarded.without.clear();
    EXPECT_FALSE(here()(guarded, Extent::whole).verdict.has_value())
        << "with the guard on the reduced history passes";
  }
}

TEST_F(ReducedRuns, AreTheSameForTheSameLimitOfRuns) {
  const Repro failing = smallest_failing("visible_only_after_commit", 60);
  ShrinkOptions options;
  options.most_runs = 25;
  EXPECT_EQ(to_text(reduced(failing, here(), options).repro),
            to_text(reduced(failing, here(), options).repro));
}

}  // namespace
}  // namespace holdfast::scenarios
