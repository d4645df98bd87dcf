#include "scenarios/reduction/shrink.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>

#include "scenarios/reduction/simplify.hpp"

namespace holdfast::scenarios {
namespace {

/// A schedule with more decisions than this is reduced before the plan: it would not fit any other.
constexpr std::size_t k_many_decisions = 32;
/// How many requests one taken choice may have made before the one that a decision names.
constexpr std::uint64_t k_furthest_aim = 16;
/// More sentences than this nobody reads.
constexpr std::uint64_t k_most_sentences = 60;

/// One way of making a plan smaller: so many pieces, any range of which can be taken away.
struct Pass {
  std::string_view name;
  std::function<std::size_t(const Plan&)> size;
  std::function<Plan(const Plan&, std::size_t first, std::size_t last)> take_away;
};

Pass pass_of(ChoiceKind kind) {
  return {name_of(kind), [kind](const Plan& plan) { return count_of(plan, kind); },
          [kind](const Plan& plan, std::size_t first, std::size_t last) {
            return without(plan, kind, first, last);
          }};
}

Pass pass_of_simplifications() {
  return {"attributes", count_simplifications, simplified};
}

/// What a candidate must have in common with the original. `protocol` gathers many rules, told
/// apart by what was said, without the numbers.
std::string sort_of(const Verdict& verdict) {
  if (verdict.property != oracle::property::protocol) return verdict.property;
  std::string words;
  for (const char c : verdict.what)
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) words.push_back(c);
  return verdict.property + ": " + words.substr(0, 50);
}

/// A request is named by how many its instance had before, so taking a client away renames those of
/// the others. The plan with its decisions about requests moved down by so many, if it has any.
std::optional<Plan> aimed_lower(const Plan& plan, std::uint64_t lower) {
  const std::string_view part = "/request[";
  std::optional<Plan> aimed;
  for (std::size_t i = 0; i < plan.decisions.size(); ++i) {
    const std::string& path = plan.decisions[i].path;
    const std::size_t at = path.find(part);
    if (at == std::string::npos) continue;
    std::uint64_t number = 0;
    const char* const begin = path.data() + at + part.size();
    const auto [end, error] = std::from_chars(begin, path.data() + path.size(), number);
    if (error != std::errc{} || number <= lower) continue;
    if (!aimed) aimed = plan;
    aimed->decisions[i].path = path.substr(0, at + part.size()) + std::to_string(number - lower) +
                               path.substr(static_cast<std::size_t>(end - path.data()));
  }
  return aimed;
}

class Shrinker {
 public:
  Shrinker(Repro failing, const RunCandidate& run, const ShrinkOptions& options)
      : best_(std::move(failing)), run_(run), options_(options) {}

  Result<ShrinkResult> shrink();

 private:
  bool over() const { return runs_ >= options_.most_runs || options_.out_of_time(); }
  Outcome run(const Repro& candidate, Extent extent) {
    ++runs_;
    return run_(candidate, extent);
  }
  /// Takes the plan if it fails with the same property.
  bool accept(Plan plan);
  /// Likewise; if the search aims anew, also with its decisions about requests moved.
  bool accept_aimed(const Plan& plan);
  bool apply(const Pass& pass);
  bool round();
  void pin_victims(const RunReport& report);
  void settle_schedule(const RunReport& report);
  void report_progress(std::string_view trying);
  Result<void> replay();
  void explain();
  std::string sentence(ChoiceKind kind, std::size_t index);

  Repro best_;
  const RunCandidate& run_;
  const ShrinkOptions& options_;
  std::string sort_;  ///< sort_of() what the original violates
  std::uint64_t runs_ = 0;
  bool aims_anew_ = false;     ///< dear, so only once nothing else helps
  std::set<Hash128> refused_;  ///< texts that were tried and did not do
  RunReport report_;           ///< of the result's last replay
  std::vector<std::string> necessity_;
};

void Shrinker::report_progress(std::string_view trying) {
  options_.progress({runs_, count_choices(best_.plan), std::string(trying)});
}

bool Shrinker::accept(Plan plan) {
  if (over()) return false;
  Repro candidate = best_;
  candidate.plan = std::move(plan);
  const Hash128 text = hash128(to_text(candidate));
  if (refused_.contains(text)) return false;
  const Outcome outcome = run(candidate, Extent::first_violation);
  if (!outcome.verdict || sort_of(*outcome.verdict) != sort_) {
    refused_.insert(text);
    return false;
  }
  // Decisions that no step came to, or that come after the violation, decide nothing.
  for (const sim::ScheduleDecision& unused : outcome.report.inapplicable)
    std::erase(candidate.plan.decisions, unused);
  if (candidate.plan.strategy == StrategyKind::scripted && candidate.plan.decisions.empty())
    candidate.plan.strategy = StrategyKind::fifo;
  best_ = std::move(candidate);
  return true;
}

bool Shrinker::accept_aimed(const Plan& plan) {
  if (accept(plan)) return true;
  // A run that needs its xids to wrap at one transaction needs them to start that much later.
  const std::size_t lost = best_.plan.transactions.size() - plan.transactions.size();
  if (aims_anew_ && lost > 0 && plan.knobs.first_xid != Knobs{}.first_xid) {
    Plan later = plan;
    later.knobs.first_xid += lost;
    if (accept(std::move(later))) return true;
  }
  for (std::uint64_t lower = 1; aims_anew_ && lower <= k_furthest_aim; ++lower) {
    auto aimed = aimed_lower(plan, lower);
    if (!aimed) return false;
    if (accept(std::move(*aimed))) return true;
  }
  return false;
}

bool Shrinker::apply(const Pass& pass) {
  bool less = false;
  std::size_t chunk = pass.size(best_.plan);
  while (chunk > 0 && !over()) {
    report_progress(pass.name);
    std::size_t end = pass.size(best_.plan);
    while (end > 0 && !over()) {
      const std::size_t begin = end > chunk ? end - chunk : 0;
      if (accept_aimed(pass.take_away(best_.plan, begin, end))) less = true;
      end = std::min(begin, pass.size(best_.plan));
    }
    chunk = chunk == 1 ? 0 : std::min(chunk / 2, std::max<std::size_t>(pass.size(best_.plan), 1));
  }
  return less;
}

bool Shrinker::round() {
  bool less = false;
  if (best_.plan.decisions.size() > k_many_decisions) less = apply(pass_of(ChoiceKind::decision));
  for (const ChoiceKind kind : choice_kinds()) less = apply(pass_of(kind)) || less;
  return apply(pass_of_simplifications()) || less;
}

void Shrinker::pin_victims(const RunReport& report) {
  Plan pinned = best_.plan;
  for (const FaultHit& hit : report.fault_hits)
    if (!hit.victim.empty()) pinned.faults[hit.fault].victim = hit.victim;
  if (!(pinned == best_.plan)) accept(std::move(pinned));
}

/// FIFO if that fails too; else the schedule's deviations from it, one by one.
void Shrinker::settle_schedule(const RunReport& report) {
  if (best_.plan.strategy == StrategyKind::fifo) return;
  Plan plan = best_.plan;
  plan.decisions.clear();
  plan.strategy = StrategyKind::fifo;
  if (accept(plan) || best_.plan.strategy == StrategyKind::scripted) return;
  plan.strategy = StrategyKind::scripted;
  plan.decisions = report.decisions;
  if (!plan.decisions.empty()) accept(std::move(plan));
}

Result<void> Shrinker::replay() {
  const Outcome first = run(best_, Extent::whole);
  const Outcome second = run(best_, Extent::whole);
  if (!first.verdict || sort_of(*first.verdict) != sort_)
    return fail("the reduced run does not fail when it is run to its end");
  if (!second.verdict || first.report.trace_hash != second.report.trace_hash)
    return fail("the reduced run gave two results: " + first.report.trace_hash.to_hex() + " and " +
                second.report.trace_hash.to_hex());
  best_.verdict = first.verdict;
  best_.trace_hash.reset();
  if (first.report.steps > 0) best_.trace_hash = first.report.trace_hash;
  report_ = first.report;
  return {};
}

std::string Shrinker::sentence(ChoiceKind kind, std::size_t index) {
  Repro candidate = best_;
  candidate.plan = without(best_.plan, kind, index, index + 1);
  std::string words = in_words(best_.plan, kind, index, report_);
  const Outcome outcome = run(candidate, Extent::first_violation);
  if (!outcome.verdict) return "Without " + words + " the history passes.";
  if (sort_of(*outcome.verdict) != sort_)
    return "Without " + words + " another property is violated: " + outcome.verdict->property + ".";
  words.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(words.front())));
  return words + " does not matter.";
}

void Shrinker::explain() {
  for (const ChoiceKind kind : choice_kinds()) {
    if (kind == ChoiceKind::table || kind == ChoiceKind::transaction ||
        kind == ChoiceKind::column || kind == ChoiceKind::cell)
      continue;  // told by their shapes and statements, or no choices
    for (std::size_t i = 0; i < count_of(best_.plan, kind); ++i) {
      if (necessity_.size() == k_most_sentences) return;
      necessity_.push_back(sentence(kind, i));
    }
  }
}

Result<ShrinkResult> Shrinker::shrink() {
  const Outcome original = run(best_, Extent::whole_and_record);
  if (!original.verdict) return fail("the run passes: there is nothing to reduce");
  const std::string property = original.verdict->property;
  sort_ = sort_of(*original.verdict);
  if (best_.verdict && best_.verdict->property != property)
    return fail("the run violates '" + property + "', not '" + best_.verdict->property + "'");
  ShrinkResult result;
  result.before = count_choices(best_.plan);
  if (best_.plan.strategy != StrategyKind::scripted)
    result.before.schedule = original.report.decisions.size();
  best_.verdict.reset();
  best_.trace_hash.reset();
  pin_victims(original.report);
  settle_schedule(original.report);
  while (!over() && round()) {
  }
  aims_anew_ =
      aimed_lower(best_.plan, 0).has_value() || best_.plan.knobs.first_xid != Knobs{}.first_xid;
  while (aims_anew_ && !over() && round()) {
  }
  result.finished = !over();
  const auto replayed = replay();
  if (!replayed.ok()) return Failure<Error>{replayed.error()};
  explain();
  result.repro = std::move(best_);
  result.after = count_choices(result.repro.plan);
  result.runs = runs_;
  result.necessity = std::move(necessity_);
  return result;
}

}  // namespace

Result<ShrinkResult> shrink(const Repro& failing, const RunCandidate& run,
                            const ShrinkOptions& options) {
  return Shrinker(failing, run, options).shrink();
}

}  // namespace holdfast::scenarios
