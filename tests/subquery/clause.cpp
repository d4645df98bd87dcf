#include "tests/subquery/clause.hpp"

#include <algorithm>

namespace holdfast::subquery::test {
namespace {

constexpr std::size_t k_column_c = 3;

Clause literal(Dice& dice, std::size_t source, const std::vector<bool>& negated, bool under_not) {
  Clause made;
  if (source == negated.size()) {
    made.kind = Clause::Kind::equals;
    made.constant = std::to_string(1 + dice.below(2));
    return made;
  }
  made.source = source;
  if (negated[source] == under_not) return made;
  Clause outside;
  outside.kind = Clause::Kind::negation;
  outside.parts.push_back(std::move(made));
  return outside;
}

Clause tree(Dice& dice, const std::vector<bool>& negated, const std::vector<std::size_t>& allowed,
            std::size_t depth, bool under_not) {
  if (depth == 0) return literal(dice, dice.one_of(allowed), negated, under_not);
  Clause made;
  if (dice.one_in(5)) {
    made.kind = Clause::Kind::negation;
    made.parts.push_back(tree(dice, negated, allowed, depth - 1, !under_not));
    return made;
  }
  made.kind = dice.one_in(2) ? Clause::Kind::all : Clause::Kind::any;
  made.parts.push_back(tree(dice, negated, allowed, depth - 1, under_not));
  made.parts.push_back(tree(dice, negated, allowed, dice.below(depth), under_not));
  return made;
}

/// Numbers the sources in the order of their first mention; false: none is mentioned.
bool number_dependencies(Clause& clause, std::vector<std::size_t>& seen) {
  if (clause.kind == Clause::Kind::in) {
    auto found = std::find(seen.begin(), seen.end(), clause.source);
    if (found == seen.end()) found = seen.insert(seen.end(), clause.source);
    clause.dependency = static_cast<std::size_t>(found - seen.begin());
  }
  for (Clause& part : clause.parts) (void)number_dependencies(part, seen);
  return !seen.empty();
}

}  // namespace

std::string canonical(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Kleene contains(const std::set<Value>& set, const Value& value) {
  Kleene best = 0;
  for (const Value& member : set) {
    Kleene equal = 2;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Kleene one = !member[i] || !value[i] ? 1 : (*member[i] == *value[i] ? 2 : 0);
      equal = std::min(equal, one);
    }
    best = std::max(best, equal);
  }
  return best;
}

Value left_value(const Cells& row, const Source& source) {
  Value value;
  for (const std::size_t column : source.left)
    value.push_back(row[column] ? std::optional(canonical(*row[column])) : std::nullopt);
  return value;
}

std::string Clause::sql(const std::vector<Source>& sources) const {
  switch (kind) {
    case Kind::in:
      return sources[source].sql;
    case Kind::equals:
      return "c = " + constant;
    case Kind::negation:
      return "NOT (" + parts.front().sql(sources) + ")";
    case Kind::all:
    case Kind::any:
      return "(" + parts.front().sql(sources) + (kind == Kind::all ? ") AND (" : ") OR (") +
             parts.back().sql(sources) + ")";
  }
  return {};
}

Kleene Clause::holds(const Cells& row, const std::vector<Source>& sources,
                     const ValueSets& sets) const {
  switch (kind) {
    case Kind::in:
      return contains(sets[dependency], left_value(row, sources[source]));
    case Kind::equals:
      return !row[k_column_c] ? 1 : (*row[k_column_c] == constant ? 2 : 0);
    case Kind::negation:
      return 2 - parts.front().holds(row, sources, sets);
    case Kind::all:
      return std::min(parts.front().holds(row, sources, sets),
                      parts.back().holds(row, sources, sets));
    case Kind::any:
      return std::max(parts.front().holds(row, sources, sets),
                      parts.back().holds(row, sources, sets));
  }
  return 0;
}

void Clause::literals(const Cells& row, const std::vector<Source>& sources, const ValueSets& sets,
                      bool negated, std::vector<bool>& active,
                      std::vector<const Clause*>& leaves) const {
  if (kind == Kind::in || kind == Kind::equals) {
    active.push_back(holds(row, sources, sets) == (negated ? 0 : 2));
    leaves.push_back(this);
    return;
  }
  for (const Clause& part : parts)
    part.literals(row, sources, sets, negated != (kind == Kind::negation), active, leaves);
}

Clause random_clause(Dice& dice, const std::vector<Source>& sources) {
  for (;;) {
    std::vector<bool> negated;
    for (std::size_t i = 0; i < sources.size(); ++i) negated.push_back(dice.one_in(3));
    // One or two sources and the plain condition: enough to meet, few enough to matter.
    std::vector<std::size_t> allowed = {sources.size()};
    for (std::size_t n = 1 + dice.below(2); n > 0; --n)
      allowed.push_back(dice.below(sources.size()));
    Clause made = tree(dice, negated, allowed, dice.below(4), false);
    std::vector<std::size_t> seen;
    if (number_dependencies(made, seen)) return made;
  }
}

}  // namespace holdfast::subquery::test
