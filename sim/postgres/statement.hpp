// Statements of the workload as values: what the model executes and what to_sql() gives to a real
// Postgres, so that both run the same history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/postgres/catalog.hpp"
#include "sim/postgres/values/value.hpp"

namespace holdfast::sim::postgres {

enum class StatementKind : std::uint8_t { insert, update, erase, truncate };

/// A column and a text that its type's input function reads; nullopt is NULL.
using ColumnText = std::pair<std::string, std::optional<std::string>>;

struct Statement {
  StatementKind kind = StatementKind::insert;
  holdfast::postgres::RelationName table;
  std::vector<ColumnText> set;    ///< insert: the row, other columns NULL; update: what changes
  std::vector<ColumnText> where;  ///< update, erase: equalities, all must hold; empty: all rows
  std::vector<holdfast::postgres::RelationName> also;  ///< truncate: further tables

  std::string to_sql() const;
  bool operator==(const Statement&) const = default;
};

/// "a""b", as an identifier that is always quoted.
std::string quote_identifier(const std::string& name);
/// 'it''s'. Works with standard_conforming_strings on.
std::string quote_literal(const std::string& text);
std::string quote_relation(const holdfast::postgres::RelationName& name);

enum class ExecuteOutcome : std::uint8_t {
  ok,
  blocked,  ///< another open transaction holds what it needs; nothing happened: retry or do else
  error,    ///< the transaction is failed; only rollback (or commit, which rolls back) is left
};

struct ExecuteResult {
  ExecuteOutcome outcome = ExecuteOutcome::ok;
  SqlError error;          ///< error
  std::uint64_t rows = 0;  ///< ok: rows inserted, updated or deleted
};

}  // namespace holdfast::sim::postgres
