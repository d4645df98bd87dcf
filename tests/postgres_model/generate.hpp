// Generated tables, values and statements for the comparison with a real Postgres: every type the
// model knows, favouring edges. Draws are keyed by a seed and a counter; no shared state.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "sim/postgres/model.hpp"

namespace holdfast::test {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  /// Below `sides`.
  std::uint64_t roll(std::uint64_t sides) { return combine64(seed_, ++rolls_) % sides; }
  bool chance(unsigned percent) { return roll(100) < percent; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[roll(from.size())];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t rolls_ = 0;
};

/// public.wide: int4 key and a column of every type; public."Side item": a key of two columns.
sim::postgres::TableDefinition wide_table();
sim::postgres::TableDefinition side_table();
std::string create_sql(const sim::postgres::TableDefinition& table);

/// A text the type's input function may see: mostly good, in many spellings; sometimes bad.
std::string generate_text(Dice& dice, sim::postgres::TypeId type);
sim::postgres::Statement generate_statement(Dice& dice);
/// A condition over public.wide, mostly of matching types.
std::string generate_condition(Dice& dice, unsigned depth);

}  // namespace holdfast::test
