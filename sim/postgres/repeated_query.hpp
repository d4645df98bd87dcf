// One query of the oracle's that is asked again and again as history goes on, for a sum over its
// rows instead of the rows: each row version is tested against the condition once and hashed once,
// whatever the number of visible sets it is asked for. The model outlives it; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/hash.hpp"
#include "sim/postgres/model.hpp"
#include "sim/postgres/storage/table.hpp"
#include "sim/postgres/where/where_clause.hpp"

namespace holdfast::sim::postgres {

class RepeatedQuery {
 public:
  /// The hash of a row as PostgresModel::rows() would answer it.
  using RowHash = std::function<Hash128(const RowKey& key, const RowCells& cells)>;

  RepeatedQuery(ModelState& state, RelationName table, std::vector<std::string> columns,
                std::string condition, RowHash hash);

  /// Of a table as it was.
  RepeatedQuery(ModelState& state, TableForm form, std::vector<std::string> columns,
                std::string condition, RowHash hash);

  /// The hashes of the rows that `visible` shows, summed: each half by itself, modulo 2^64. Rows
  /// that PostgresModel::rows() gives once because they are equal are summed one by one. nullopt:
  /// only rows() can answer, as for sub-selects, very deep conditions and errors.
  std::optional<Hash128> sum(const VisibleSet& visible);

 private:
  enum class Verdict : std::uint8_t { not_tested, chosen, rejected };
  struct Tested {
    Verdict verdict = Verdict::not_tested;
    Hash128 hash;
  };

  /// Makes sure that what is remembered is about the table and the condition as they are now.
  bool prepare(const Table& table);
  bool test(const Row& row, Tested& tested) const;

  ModelState& state_;
  RelationName name_;
  std::vector<std::string> columns_;
  std::string text_;
  RowHash hash_;
  std::optional<TableForm> form_;  ///< none: the table of this name as it is now

  TableVersionRef version_;
  std::shared_ptr<const WhereClause> condition_;
  std::vector<std::uint16_t> slots_;
  std::vector<Tested> tested_;  ///< by index of the row version
};

}  // namespace holdfast::sim::postgres
