#include "core/where/plan.hpp"

#include <algorithm>
#include <string>

namespace holdfast::where {
namespace {

using Disjuncts = std::vector<std::vector<std::size_t>>;

/// Walks an expression whose NOTs are on their way down. Recurses as deep as the expression.
class Planner {
 public:
  Planner(const Expression& expression, Plan& plan) : expression_(expression), plan_(plan) {}

  /// How many disjuncts there would be; saturates.
  std::uint64_t count(std::uint32_t at, bool negated) const {
    const Node& node = expression_.nodes[at];
    if (node.operation == Operation::negate) return count(child(node, 0), !negated);
    if (!is_junction(node)) return 1;
    const bool all = (node.operation == Operation::all_of) != negated;
    std::uint64_t total = all ? 1 : 0;
    for (std::uint32_t i = 0; i < node.count; ++i) {
      const std::uint64_t one = count(child(node, i), negated);
      total = std::min<std::uint64_t>(all ? total * one : total + one, k_plenty);
    }
    return total;
  }

  /// REQUIRES: count() is small.
  Disjuncts expand(std::uint32_t at, bool negated) {
    const Node& node = expression_.nodes[at];
    if (node.operation == Operation::negate) return expand(child(node, 0), !negated);
    if (!is_junction(node)) return {{literal(at, negated)}};
    const bool all = (node.operation == Operation::all_of) != negated;
    Disjuncts made;
    if (all) made.emplace_back();
    for (std::uint32_t i = 0; i < node.count; ++i) {
      const Disjuncts next = expand(child(node, i), negated);
      if (!all) {
        made.insert(made.end(), next.begin(), next.end());
        continue;
      }
      Disjuncts product;
      for (const auto& left : made)
        for (const auto& right : next) {
          product.push_back(left);
          product.back().insert(product.back().end(), right.begin(), right.end());
        }
      made = std::move(product);
    }
    return made;
  }

  /// Whether a membership test lies under something else than AND, OR and NOT.
  bool hides_membership(std::uint32_t at, bool inside) const {
    const Node& node = expression_.nodes[at];
    if (node.operation == Operation::in_subquery) return inside;
    const bool logic = node.operation == Operation::negate || is_junction(node);
    std::uint32_t children = is_junction(node) ? node.count : 0;
    if (node.operation == Operation::negate || node.operation == Operation::truth_test)
      children = 1;
    if (node.operation == Operation::compare_truth) children = 2;
    for (std::uint32_t i = 0; i < children; ++i)
      if (hides_membership(child(node, i), inside || !logic)) return true;
    return false;
  }

 private:
  static constexpr std::uint64_t k_plenty = 1'000'000;

  static bool is_junction(const Node& node) {
    return node.operation == Operation::all_of || node.operation == Operation::any_of;
  }
  std::uint32_t child(const Node& node, std::uint32_t i) const {
    return expression_.children[node.first + i];
  }

  std::size_t literal(std::uint32_t at, bool negated) {
    const Node& node = expression_.nodes[at];
    Position position{at, negated, std::nullopt, {}};
    if (node.operation == Operation::in_subquery) {
      position.dependency = node.detail;
      for (std::uint32_t i = 0; i < node.count; ++i)
        position.columns.push_back(expression_.operands[node.first + i].column);
    }
    plan_.positions.push_back(std::move(position));
    return plan_.positions.size() - 1;
  }

  const Expression& expression_;
  Plan& plan_;
};

}  // namespace

Result<Plan, WhereError> Plan::make(const Expression& expression, std::size_t dependencies) {
  Plan plan;
  Planner planner(expression, plan);
  const auto root = static_cast<std::uint32_t>(expression.nodes.size() - 1);
  if (planner.hides_membership(root, false))
    return Failure{
        WhereError{"a subquery can only be combined with other conditions by AND, OR and NOT"}};
  if (const std::uint64_t count = planner.count(root, false); count > k_max_disjuncts)
    return Failure{WhereError{"WHERE clause too complex for DNF decomposition (" +
                              std::to_string(count) + " disjuncts exceeds limit of " +
                              std::to_string(k_max_disjuncts) + ")"}};
  plan.disjuncts = planner.expand(root, false);
  plan.dependencies.resize(dependencies);
  for (std::size_t p = 0; p < plan.positions.size(); ++p) {
    const Position& position = plan.positions[p];
    if (!position.dependency) continue;
    DependencyUse& use = plan.dependencies[*position.dependency];
    if (!use.positions.empty() && use.negated != position.negated)
      return Failure{WhereError{
          "a subquery dependency cannot be used with both positive and negative polarity in the "
          "same filter"}};
    use.negated = position.negated;
    use.positions.push_back(p);
    for (std::size_t d = 0; d < plan.disjuncts.size(); ++d)
      if (std::binary_search(plan.disjuncts[d].begin(), plan.disjuncts[d].end(), p))
        use.disjuncts.push_back(d);
  }
  for (DependencyUse& use : plan.dependencies) {
    std::sort(use.disjuncts.begin(), use.disjuncts.end());
    use.disjuncts.erase(std::unique(use.disjuncts.begin(), use.disjuncts.end()),
                        use.disjuncts.end());
  }
  return plan;
}

}  // namespace holdfast::where
