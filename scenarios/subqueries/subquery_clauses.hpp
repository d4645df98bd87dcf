// Where clauses over the tables of subquery_workload: what the public test of the original draws
// (known-failures.md §12), chains of up to four levels, readers of an access-control list, NULLs.
// Each sub-select is in a clause once, so that none is both positive and negated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/plans/draws.hpp"

namespace holdfast::scenarios {

enum class SubqueryWorld : std::uint8_t;

struct SubqueryClause {
  std::string table;
  std::string text;
  std::vector<std::string> inner_tables;  ///< each once
};

SubqueryClause make_subquery_clause(SubqueryWorld world, std::uint64_t keys, const Draws& draws);

}  // namespace holdfast::scenarios
