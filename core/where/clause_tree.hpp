// Postgres' own parser, and a view of the tree it makes. The tree arrives as protobuf bytes; a
// Message reads fields out of them in place, so nothing here depends on a protobuf library. Field
// numbers are those of libpg_query 15's pg_query.proto. Only the compiler of where clauses uses
// this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/where/condition.hpp"

namespace holdfast::where {

/// A protobuf message inside a larger buffer; absent ones read as empty. Fields are looked up by a
/// scan over the message's own fields, nested messages are skipped by their length.
class Message {
 public:
  Message() = default;
  explicit Message(std::string_view bytes) : bytes_(bytes), present_(true) {}

  explicit operator bool() const { return present_; }
  Message message(std::uint32_t field) const;
  std::vector<Message> messages(std::uint32_t field) const;
  std::string_view text(std::uint32_t field) const;
  std::int64_t number(std::uint32_t field) const;
  bool has(std::uint32_t field) const;

  /// REQUIRES: the message is a `Node`. Which kind of node it is, and that node.
  std::uint32_t kind() const;
  Message node() const;

 private:
  std::string_view bytes_;
  bool present_ = false;
};

/// Numbers of the oneof in message Node that the compiler tells apart.
enum class NodeKind : std::uint32_t {
  range_var = 2,
  bool_expr = 16,
  sub_link = 17,
  row_expr = 31,
  null_test = 37,
  boolean_test = 38,
  a_expr = 171,
  column_ref = 172,
  param_ref = 173,
  func_call = 174,
  type_cast = 181,
  collate_clause = 182,
  string = 233,
  list = 235,
  a_const = 238,
};
/// The parser's spelling of a kind of expression, for messages; "Node" if it is no expression.
std::string_view node_name(std::uint32_t kind);

/// The bytes of a parse tree and the WHERE clause in them.
class ParsedClause {
 public:
  /// Deepest nesting that is accepted. libpg_query recurses over the tree without a check of its
  /// own; see tests/where/clause_tree_test.cpp for the stack that this depth needs.
  static constexpr unsigned k_max_depth = 100;
  static constexpr std::size_t k_max_query_bytes = 65'536;
  static constexpr int k_prefix_size = 15;  ///< of "SELECT 1 WHERE ", which locations count

  static Result<ParsedClause, WhereError> parse(std::string_view text);
  Message root() const;

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

/// Upper bound of the depth of the tree that the parser would make, from tokens alone.
unsigned nesting_depth(const std::string& sql);

}  // namespace holdfast::where
