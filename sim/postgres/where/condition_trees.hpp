// Conditions as Postgres' grammar reads them, by text: a pure function that costs more than
// compiling and evaluating what comes out. Models that follow each other in one thread may share
// one.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "sim/postgres/where/where_clause.hpp"

namespace holdfast::sim::postgres {

class ConditionTrees {
 public:
  /// When there are so many, all are forgotten.
  static constexpr std::size_t k_most_trees = 4096;

  SqlResult<ConditionTree> tree(const std::string& text, BigStack& stack) {
    if (const auto found = trees_.find(text); found != trees_.end()) return found->second;
    auto parsed = WhereClause::parse(text, stack);
    if (!parsed) return parsed.failure();
    if (trees_.size() == k_most_trees) trees_.clear();
    trees_.emplace(text, *parsed);
    return *parsed;
  }

 private:
  std::map<std::string, ConditionTree> trees_;
};

}  // namespace holdfast::sim::postgres
