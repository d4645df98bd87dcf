#include "scenarios/subqueries/subquery_clauses.hpp"

#include <algorithm>

#include "scenarios/subqueries/subquery_workload.hpp"

namespace holdfast::scenarios {
namespace {

/// A condition on one row, and the tables that it reads beside the row's own.
struct Atom {
  std::string text;
  std::vector<std::string> tables;
};

std::string level(std::uint64_t number) {
  return "l" + std::to_string(number);
}

std::string word(const Draws& draws) {
  return draws.one_of<std::string>({"'a'", "'b'", "''"}, "word");
}

/// Rows of a level whose parent, or the parent's parent, up to the first level, is active.
Atom parents(std::uint64_t of, const Draws& draws) {
  const std::uint64_t parent = of - 1;
  Atom atom{"", {level(parent)}};
  std::string inner = draws.percent(60, "active") ? "active" : "name = " + word(draws);
  if (parent > 1 && draws.percent(65, "deeper")) {
    const Atom deeper = parents(parent, draws.of("deeper"));
    inner = draws.percent(50, "only") ? deeper.text : deeper.text + " AND " + inner;
    atom.tables.insert(atom.tables.end(), deeper.tables.begin(), deeper.tables.end());
  }
  const bool negated = draws.percent(20, "negated");
  atom.text = level(parent) + "_id " + (negated ? "NOT IN" : "IN") + " (SELECT id FROM " +
              level(parent) + " WHERE " + inner + ")";
  return atom;
}

/// Rows with a tag; the other way round, rows whose parent has it.
Atom tagged(std::uint64_t of, const Draws& draws) {
  const bool of_parent = draws.percent(50, "of_parent");
  const std::string tags = level(of_parent ? of - 1 : of) + "_tags";
  const std::string left = of_parent ? level(of - 1) + "_id" : "id";
  return {left + (draws.percent(25, "negated") ? " NOT IN" : " IN") + " (SELECT owner_id FROM " +
              tags + " WHERE tag = " + word(draws) + ")",
          {tags}};
}

std::vector<Atom> hierarchy_atoms(std::uint64_t of, const Draws& draws) {
  return {parents(of, draws.of("parents")),
          tagged(of, draws.of("tagged")),
          {"active", {}},
          {"name = " + word(draws.of("name")), {}},
          {"id < 5", {}}};
}

std::vector<Atom> tracker_atoms(const Draws& draws) {
  return {
      {draws.percent(70, "positive") ? "project_id IN (SELECT id FROM projects WHERE active)"
                                     : "project_id NOT IN (SELECT id FROM projects WHERE active)",
       {"projects"}},
      {"project_id IN (SELECT id FROM projects WHERE name = " + word(draws) + ")", {"projects"}},
      {"status = " + word(draws.of("status")), {}},
      {"v > 1", {}},
      {"status IS NULL", {}}};
}

std::vector<Atom> access_atoms(std::uint64_t keys, const Draws& draws) {
  const std::string reader = std::to_string(draws.below(keys, "reader"));
  return {{"group_id IN (SELECT group_id FROM memberships WHERE user_id = " + reader + ")",
           {"memberships"}},
          {"id IN (SELECT document_id FROM grants WHERE user_id = " + reader + ")", {"grants"}},
          {draws.percent(50, "nested")
               ? "group_id IN (SELECT id FROM groups WHERE open)"
               : "group_id IN (SELECT id FROM groups WHERE open AND id IN (SELECT group_id FROM "
                 "memberships WHERE role = 'a'))",
           {"groups", "memberships"}},
          {"owner_id = " + reader, {}},
          {"name <> ''", {}}};
}

std::vector<Atom> awkward_atoms(const Draws& draws) {
  const auto in = [&](const char* site) {
    return std::string(draws.percent(50, site) ? " IN " : " NOT IN ");
  };
  return {{"i" + in("i") + "(SELECT i FROM inner_rows WHERE flag)", {"inner_rows"}},
          {"n" + in("n") + "(SELECT n FROM inner_rows WHERE t <> 'b')", {"inner_rows"}},
          {"(i, t)" + in("pair") + "(SELECT i, t FROM inner_rows)", {"inner_rows"}},
          {"(n, i)" + in("other pair") + "(SELECT n, i FROM inner_rows WHERE NOT flag)",
           {"inner_rows"}},
          {"t" + in("t") + "(SELECT t FROM inner_rows WHERE i = 1)", {"inner_rows"}},
          {"i = 1", {}},
          {"flag IS NOT TRUE", {}}};
}

SubqueryClause join(std::string table, std::vector<Atom> atoms, const Draws& draws) {
  // Each world lists its membership tests first; the first of a clause is always one.
  const auto memberships = static_cast<std::uint64_t>(std::count_if(
      atoms.begin(), atoms.end(), [](const Atom& atom) { return !atom.tables.empty(); }));
  SubqueryClause clause{std::move(table), "", {}};
  const std::uint64_t count = draws.between(1, 3, "atoms");
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t pick = draws.below(i == 0 ? memberships : atoms.size(), "pick", i);
    const Atom atom = atoms[pick];
    atoms.erase(atoms.begin() + static_cast<std::ptrdiff_t>(pick));
    const std::string text = draws.percent(15, "not", i) ? "NOT (" + atom.text + ")" : atom.text;
    if (i == 0)
      clause.text = text;
    else
      clause.text =
          "(" + clause.text + (draws.percent(50, "and", i) ? " AND " : " OR ") + text + ")";
    for (const std::string& inner : atom.tables)
      if (std::find(clause.inner_tables.begin(), clause.inner_tables.end(), inner) ==
          clause.inner_tables.end())
        clause.inner_tables.push_back(inner);
  }
  if (draws.percent(10, "not all")) clause.text = "NOT (" + clause.text + ")";
  return clause;
}

}  // namespace

SubqueryClause make_subquery_clause(SubqueryWorld world, std::uint64_t keys, const Draws& draws) {
  switch (world) {
    case SubqueryWorld::hierarchy: {
      const std::uint64_t of = draws.percent(60, "leaf") ? 4 : draws.between(2, 3, "level");
      return join(level(of), hierarchy_atoms(of, draws), draws);
    }
    case SubqueryWorld::tracker:
      return join("issues", tracker_atoms(draws), draws);
    case SubqueryWorld::access:
      return join("documents", access_atoms(keys, draws), draws);
    case SubqueryWorld::awkward:
      return join("outer_rows", awkward_atoms(draws), draws);
  }
  ASSERT(false, "there are four worlds");
}

}  // namespace holdfast::scenarios
