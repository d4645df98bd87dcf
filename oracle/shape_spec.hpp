// A shape as a client asks for it, and rows as a client holds them. Values shared by clients,
// oracle and truth; nothing of the engine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::oracle {

enum class ReplicaMode { only_changes, full };

struct ShapeSpec {
  std::string name;  ///< unique in a run, e.g. "s3"
  std::string schema = "public";
  std::string table;
  std::string where;                      ///< empty: all rows
  std::vector<std::string> columns;       ///< as requested; empty: all
  std::vector<std::string> all_columns;   ///< of the table, in order
  std::vector<std::string> key_columns;   ///< primary key, in its order
  std::vector<std::string> bool_columns;  ///< written as `true` in snapshots and `t` in the log
  ReplicaMode replica = ReplicaMode::only_changes;
  /// Tables of the sub-selects in `where`, at any depth, each once; empty: a plain shape.
  std::vector<std::string> inner_tables;

  bool has_subqueries() const { return !inner_tables.empty(); }
  /// Its table, or one of a sub-select.
  bool reads(const std::string& any_table) const;
  /// The columns a full row has: the requested ones and the key.
  bool selects(const std::string& column) const;
  bool is_bool(const std::string& column) const;
  /// Asks for the column by its name, or may read it in its clause.
  bool names(const std::string& column) const;
  bool operator==(const ShapeSpec&) const = default;
};

/// Column -> text; nullopt is NULL.
using Row = std::map<std::string, std::optional<std::string>>;
/// The wire's key -> row.
using Rows = std::map<std::string, Row>;

/// One cell as the wire or a view has it; nullopt is NULL.
struct Cell {
  std::string column;
  std::optional<std::string> text;
  bool operator==(const Cell&) const = default;
};
/// Some cells of one row, in no order, no column twice.
using Cells = std::vector<Cell>;
/// nullptr: the row has no such cell.
const Cell* find_cell(const Cells& cells, std::string_view column);

/// The key of a row as http-api.md §12.2 writes it.
std::string key_of(const ShapeSpec& spec,
                   const std::vector<std::optional<std::string>>& key_values);

}  // namespace holdfast::oracle
