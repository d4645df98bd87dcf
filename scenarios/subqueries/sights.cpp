#include "scenarios/subqueries/sights.hpp"

#include <algorithm>
#include <set>

namespace holdfast::scenarios {
namespace {

constexpr std::string_view k_select = "(SELECT ";
/// As many sub-selects inside each other, and the shape's own table makes four.
constexpr std::size_t k_nested_depth = 3;

/// The texts of all sub-selects, inner ones too.
std::set<std::string> subselects(const std::string& clause) {
  std::set<std::string> found;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < clause.size(); ++i) {
    if (clause[i] == '(') open.push_back(i);
    if (clause[i] != ')' || open.empty()) continue;
    const std::size_t begin = open.back();
    open.pop_back();
    if (clause.compare(begin, k_select.size(), k_select) == 0)
      found.insert(clause.substr(begin, i - begin + 1));
  }
  return found;
}

/// NOT IN, or NOT around an IN.
bool negates_membership(const std::string& clause) {
  constexpr std::string_view k_not = "NOT (";
  constexpr std::string_view k_in = " IN ";
  if (clause.find("NOT IN (SELECT ") != std::string::npos) return true;
  for (std::size_t at = clause.find(k_not); at != std::string::npos;
       at = clause.find(k_not, at + 1)) {
    const std::size_t open = clause.find('(', at + k_not.size());
    if (open != std::string::npos && clause.compare(open, k_select.size(), k_select) == 0 &&
        clause.compare(open - k_in.size(), k_in.size(), k_in) == 0)
      return true;
  }
  return false;
}

}  // namespace

std::string_view name_of(Sight sight) {
  constexpr std::array<std::string_view, k_sights> k_names = {
      "move_in",           "rows_moved_in",        "move_out",
      "rows_moved_out",    "move_of_nested_shape", "move_of_shared_inner",
      "move_of_not_in",    "move_over_restart",    "membership_judged",
      "membership_lagged", "membership_of_unknown"};
  return k_names[static_cast<std::size_t>(sight)];
}

std::size_t subquery_depth(const std::string& clause) {
  std::size_t deepest = 0;
  std::size_t depth = 0;
  std::vector<bool> selects;  // of open parentheses: whether they are a sub-select's
  for (std::size_t i = 0; i < clause.size(); ++i) {
    if (clause[i] == '(') {
      selects.push_back(clause.compare(i, k_select.size(), k_select) == 0);
      depth += selects.back() ? 1 : 0;
      deepest = std::max(deepest, depth);
    } else if (clause[i] == ')' && !selects.empty()) {
      depth -= selects.back() ? 1 : 0;
      selects.pop_back();
    }
  }
  return deepest;
}

std::vector<ShapeTraits> traits_of(const std::vector<oracle::ShapeSpec>& specs) {
  std::multiset<std::string> inner;
  for (const oracle::ShapeSpec& spec : specs)
    for (const std::string& select : subselects(spec.where)) inner.insert(select);
  std::vector<ShapeTraits> traits;
  for (const oracle::ShapeSpec& spec : specs) {
    const std::set<std::string> own = subselects(spec.where);
    traits.push_back({subquery_depth(spec.where) >= k_nested_depth,
                      std::any_of(own.begin(), own.end(),
                                  [&](const auto& select) { return inner.count(select) > 1; }),
                      negates_membership(spec.where)});
  }
  return traits;
}

void count_moves(SightCounters& counters, const ShapeTraits& traits, bool crossed_a_restart,
                 const oracle::MoveTally& before, const oracle::MoveTally& after) {
  const std::uint64_t in = after.in - before.in;
  const std::uint64_t out = after.out - before.out;
  counters.count(Sight::move_in, in);
  counters.count(Sight::move_out, out);
  counters.count(Sight::rows_moved_in, after.rows_in - before.rows_in);
  counters.count(Sight::rows_moved_out, after.rows_out - before.rows_out);
  if (traits.nested) counters.count(Sight::move_of_nested_shape, in + out);
  if (traits.shared_inner) counters.count(Sight::move_of_shared_inner, in + out);
  if (traits.not_in) counters.count(Sight::move_of_not_in, in + out);
  if (crossed_a_restart) counters.count(Sight::move_over_restart, in + out);
}

void count_memberships(SightCounters& counters, const oracle::MembershipCounters& judged) {
  counters.count(Sight::membership_judged, judged.judged);
  counters.count(Sight::membership_lagged, judged.lagging);
  counters.count(Sight::membership_of_unknown, judged.unknown);
}

}  // namespace holdfast::scenarios
