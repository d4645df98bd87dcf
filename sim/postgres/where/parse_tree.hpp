// Postgres' own parse tree of a query, as libpg_query serialises it (protobuf), read field by
// field. The JSON form is not used: version 15 of the library loses negative constants in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/postgres/values/value.hpp"

namespace holdfast::sim::postgres {

/// One protobuf message. Missing fields read as 0, "" or an empty message, as proto3 means them.
class TreeMessage {
 public:
  TreeMessage() = default;
  explicit TreeMessage(std::string_view bytes) : bytes_(bytes) {}

  bool has(unsigned field) const;
  std::uint64_t number(unsigned field) const;
  std::string text(unsigned field) const;
  TreeMessage child(unsigned field) const;
  std::vector<TreeMessage> children(unsigned field) const;
  /// The number of the only field of a oneof wrapper; 0 if it is empty.
  unsigned only_field() const;

 private:
  struct Field {
    unsigned number = 0;
    std::uint64_t varint = 0;
    std::string_view bytes;
  };
  /// Reads the field at `at` and moves on; false at the end.
  bool next(std::size_t& at, Field& field) const;

  std::string_view bytes_;
};

/// Numbers of Node's alternatives (pg_query.proto).
enum class NodeKind : unsigned {
  none = 0,
  range_var = 2,
  bool_expr = 16,
  sub_link = 17,
  row_expr = 31,
  coalesce_expr = 33,
  min_max_expr = 34,
  null_test = 37,
  boolean_test = 38,
  select_stmt = 58,
  a_expr = 171,
  column_ref = 172,
  func_call = 174,
  a_star = 175,
  a_array_expr = 178,
  res_target = 179,
  type_cast = 181,
  collate_clause = 182,
  range_function = 186,
  string = 233,
  list = 235,
  a_const = 238,
};

struct TreeNode {
  explicit TreeNode(TreeMessage wrapper)
      : kind(static_cast<NodeKind>(wrapper.only_field())),
        body(wrapper.child(wrapper.only_field())) {}
  NodeKind kind;
  TreeMessage body;
};

/// The serialised tree of `SELECT WHERE <condition>`. Needs a big stack.
SqlResult<std::string> parse_condition(const std::string& condition);
/// Its SelectStmt. `tree` must outlive what is returned.
TreeMessage select_of(const std::string& tree);

}  // namespace holdfast::sim::postgres
